/** The lines of the report, each form by itself; test/main/report-file.test.ts compares whole reports of daemons with the recorded one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EspTransform, ProtocolId } from '../../../src/shared/constants/ipsec-doi.ts';
import { ExchangeType } from '../../../src/shared/constants/isakmp.ts';
import { type ReportSources, reportLines } from '../../../src/shared/report/report.ts';
import { SaFlag, SaRole, type SaRow } from '../../../src/shared/sa-table/rows.ts';
import type { LaneExchange } from '../../../src/shared/threads/contract.ts';
import { NO_REPORT_SOURCES } from '../../helpers/no-report-sources.ts';
import { sampleRow } from '../sa-table/sample-row.ts';

const NOTHING: ReportSources = { ...NO_REPORT_SOURCES, now: 10_500 };
const linesOf = (changes: Partial<ReportSources>): readonly string[] =>
  [...reportLines({ ...NOTHING, ...changes })].filter((line) => line !== 'conf_report: dumping running configuration');

const local = { address: '10.66.0.1', port: 500 };
const remote = { address: '10.66.0.2', port: 500 };
const exchange: LaneExchange = {
  phase: 1,
  number: 3,
  name: 'peer',
  role: 'responder',
  exchangeType: ExchangeType.ID_PROT,
  step: 2,
  cookies: '00112233445566778899aabbccddeeff',
  messageId: 0,
  path: { local, remote, encapsulated: false },
  endsAt: 130_000,
  repeatsAt: 12_000,
};
const SPI_LINES = /^(sa_report: spi\[[01]\]:|[0-9a-f]{8} )$/;
const esp = {
  protocolId: ProtocolId.IPSEC_ESP,
  transformId: EspTransform.AES,
  authentication: 5,
  keyLength: 128,
  encapsulation: 1,
  spiOut: 0x28e75d1,
  spiIn: 0x33ce1bdd,
  encryptionKeyBytes: 16,
  authenticationKeyBytes: 32,
};
const ah = { ...esp, protocolId: ProtocolId.IPSEC_AH, spiOut: 1, spiIn: 0 };
const sa = (row: Partial<SaRow>, slot = 7): ReportSources['sas'] => [
  { handle: { slot, generation: 1 }, row: { ...sampleRow(0), softAt: 0, hardAt: 0, ...row } },
];

describe('a report', () => {
  it('says nothing of dropped datagrams while there are none', () => {
    assert.ok(!linesOf({}).some((line) => line.includes('dropped')));
  });

  it('names its parts in the order of the original', () => {
    const lines = linesOf({
      sas: sa({ phase: 2, protocols: [esp], hardAt: 20_000 }),
      exchanges: [{ lane: 0, exchanges: [exchange], omitted: 0 }],
      sockets: [{ local, encapsulated: false, number: 1 }],
      active: [{ name: 'net', number: 1, retryAt: 0 }],
      answering: [{ name: 'net', localId: '10.0.0.0/255.0.0.0', remoteId: '11.0.0.1' }],
      nextCheckAt: 60_000,
    });
    const parts = lines.map((line) => /^[a-z_]+_report/.exec(line)?.[0] ?? 'spi');
    assert.deepEqual(
      [...new Set(parts)],
      ['sa_report', 'spi', 'exchange_report', 'transport_report', 'udp_report', 'connection_report', 'timer_report'],
    );
  });

  it('has every protocol of an SA, SPIs as the peer writes them, and nothing where an SPI is missing', () => {
    const lines = linesOf({ sas: sa({ phase: 2, protocols: [esp, ah] }) });
    assert.deepEqual(
      lines.filter((line) => SPI_LINES.test(line)),
      ['sa_report: spi[0]:', '028e75d1 ', 'sa_report: spi[1]:', '33ce1bdd ', 'sa_report: spi[0]:', '00000001 '],
    );
    assert.ok(lines.includes('sa_report: suite 1 proto 2'));
    assert.ok(lines.some((line) => /spi_sz\[0\] 4 spi\[0\] 0x[0-9a-f]{12} spi_sz\[1\] 0 spi\[1\] \(nil\)$/.test(line)));
  });

  it('shows a half-open SA without name and identities', () => {
    const [first, , , , , , parties] = linesOf({
      sas: sa({
        phase: 1,
        flags: 0,
        name: '',
        role: SaRole.INITIATOR,
        responderCookie: new Uint8Array(8),
        localIdentity: '',
        remoteIdentity: '',
        protocols: [],
      }),
    });
    assert.match(first ?? '', /^sa_report: 0x[0-9a-f]{12} <unnamed> phase 1 doi 1 flags 0x0$/);
    assert.equal(
      parties,
      'sa_report: initiator id: <no ipsec id>, responder id: <no ipsec id>, src: <no address> dst: <no address>',
    );
  });

  it('gives each thing an identifier of its own that stays the same', () => {
    const sources = {
      sas: [
        ...sa({ phase: 2, protocols: [esp, ah], softAt: 11_000, hardAt: 20_000 }, 0),
        ...sa({ phase: 1, protocols: [], softAt: 11_000 }, 1),
      ],
      exchanges: [{ lane: 1, exchanges: [exchange, { ...exchange, phase: 2 as const }], omitted: 0 }],
      sockets: [{ local, encapsulated: false, number: 1 }],
    };
    const pointers = linesOf(sources).flatMap((line) => line.match(/0x[0-9a-f]{12}/g) ?? []);
    assert.ok(pointers.length >= 14);
    assert.equal(new Set(pointers).size, pointers.length);
    assert.deepEqual(linesOf(sources), linesOf(sources));
  });

  it('says of a lane that does not answer that its exchanges are missing, and how many were too many', () => {
    const fault = 'lane 0 did not answer (exchanges) within 2000 ms';
    const lines = linesOf({
      exchanges: [
        { lane: 0, fault },
        { lane: 1, exchanges: [], omitted: 17 },
      ],
    });
    assert.deepEqual(lines, [
      `exchange_report: exchanges of lane 0 are missing: ${fault}`,
      'exchange_report: 17 more exchanges of lane 1',
    ]);
  });

  it('lists a path once with its users, and the sockets behind it', () => {
    const row = {
      phase: 1 as const,
      flags: SaFlag.READY,
      protocols: [],
      family: 4 as const,
      localAddress: Uint8Array.of(10, 66, 0, 1),
      remoteAddress: Uint8Array.of(10, 66, 0, 2),
      localPort: 4500,
      remotePort: 4500,
    };
    const sockets = [
      { local, encapsulated: false, number: 1 },
      { local: { address: '10.66.0.1', port: 4500 }, encapsulated: true, number: 2 },
    ];
    const lines = linesOf({ sas: [...sa(row, 1), ...sa(row, 2)], sockets }).filter((line) => !line.startsWith('sa_'));
    assert.deepEqual(
      lines.map((line) => line.replace(/0x[0-9a-f]+/, 'P')),
      [
        'transport_report: transport P flags 0 refcnt 2',
        'udp_encap_report: fd 2 src 10.66.0.1:4500 dst 10.66.0.2:4500',
        'transport_report: transport P flags 1 refcnt 1',
        'udp_report: fd 1 src 10.66.0.1:500 dst <none>:0',
        'transport_report: transport P flags 1 refcnt 1',
        'udp_encap_report: fd 2 src 10.66.0.1:4500 dst *:0',
      ],
    );
  });

  it('lists timers by the time they have left', () => {
    const lines = linesOf({
      sas: sa({ phase: 1, protocols: [], softAt: 100_000, hardAt: 5_000 }),
      exchanges: [{ lane: 0, exchanges: [exchange], omitted: 0 }],
      active: [{ name: 'net', number: 1, retryAt: 15_000 }],
      nextCheckAt: 70_000,
    });
    const timers = lines.filter((line) => line.startsWith('timer_report'));
    assert.deepEqual(
      timers.map((line) =>
        line.replace(/^timer_report: event (\w+)\(0x[0-9a-f]{12}\) scheduled in (\d+) seconds$/, '$1 $2'),
      ),
      [
        'sa_hard_expire 0',
        'message_send_expire 2',
        'connection_checker 5',
        'connection_checker 60',
        'sa_soft_expire 90',
        'exchange_free_aux 120',
      ],
    );
    assert.ok(lines.includes('connection_report: connection net next check 5 seconds'));
  });
});

describe('threats "no keys in S/report": the configuration in a report', () => {
  const dump = (tag: string, value: string): string => {
    const lines = linesOf({ configuration: [{ name: 'peer', tags: [{ tag, value }] }] });
    return lines[1] ?? '';
  };

  it('shows values behind a tab', () => {
    assert.equal(dump('Phase', '1'), 'Phase=\t1');
    assert.equal(dump('AUTHENTICATION_METHOD', 'PRE_SHARED'), 'AUTHENTICATION_METHOD=\tPRE_SHARED');
  });

  it('hides secrets however their tag is spelt', () => {
    for (const tag of ['Authentication', 'authentication', 'AUTHENTICATION', 'Authentcation', 'Authentication ']) {
      assert.equal(dump(tag, 'mekmitasdigoat'), `${tag}=\t***`, tag);
    }
  });

  it('threats "log injection": makes no line or control character of its own', () => {
    assert.equal(dump('a\nb', 'x\u001b[2J\n[General]'), 'a\\x0ab=\tx\\x1b[2J\\x0a[General]');
  });

  it('separates sections by an empty line', () => {
    const section = (name: string) => ({ name, tags: [{ tag: 'Phase', value: '1' }] });
    assert.deepEqual(linesOf({ configuration: [section('a'), section('b')] }), [
      '[a]',
      'Phase=\t1',
      '',
      '[b]',
      'Phase=\t1',
    ]);
  });
});
