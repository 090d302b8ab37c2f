/** A lane of a whole daemon dies under load: two assemblies with real threads, over a network in memory. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { until } from '../../loadtest/daemon.ts';
import { createNoneBackend } from '../../src/kernel/none/none-backend.ts';
import { type Assembly, assemble } from '../../src/main/assembly.ts';
import { DaemonConfiguration } from '../../src/main/configuration.ts';
import type { Logger } from '../../src/main/log/log.ts';
import { CAPTURE_FORMATS } from '../../src/shared/capture/formats.ts';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import { NO_CREDENTIALS } from '../../src/shared/credentials/credential-files.ts';
import { SystemError } from '../../src/shared/errors.ts';
import { createDebugLevels } from '../../src/shared/log/classes.ts';
import { SaFlag, type SaRow } from '../../src/shared/sa-table/rows.ts';
import { createTrustStore } from '../../src/shared/x509/trust-store.ts';
import { MemoryNetwork, type Sent } from '../helpers/memory-network.ts';

const LEFT = '10.0.0.1';
const RIGHT = '10.0.0.2';
const PORT = 500;
const ESTABLISHED = 200;
const HALF_OPEN = 50;
const LANES = 3;

/** Connections 0, 2, 4 ... are begun by the left daemon, the others by the right one. */
const begins = (side: string, index: number): boolean => (index % 2 === 0) === (side === LEFT);

const COMMON = `
[main-mode]
EXCHANGE_TYPE=ID_PROT
Transforms=AES-128-SHA2-256-GRP19

[quick-mode]
EXCHANGE_TYPE=QUICK_MODE
Suites=QM-ESP-AES-128-SHA2-256-SUITE
`;

const net = (side: string, index: number): string => `
[net-${side}-${index}]
ID-type=IPV4_ADDR_SUBNET
Network=10.${side === LEFT ? 1 : 2}.${index}.0
Netmask=255.255.255.0
`;

/** Who begins has a peer section of its own for each connection, so that each needs a phase 1; who answers knows one peer. */
const connection = (own: string, other: string, index: number): string => `
[tunnel-${index}]
Phase=2
ISAKMP-peer=${begins(own, index) ? `peer-${index}` : 'visitors'}
Configuration=quick-mode
Local-ID=net-${own}-${index}
Remote-ID=net-${other}-${index}
${net(own, index)}${net(other, index)}`;

const peer = (name: string, address: string, user: string): string => `
[${name}]
Phase=1
Address=${address}
Configuration=main-mode
Authentication=a secret of tests
ID=id-of-${name}

[id-of-${name}]
ID-type=USER_FQDN
Name=${user}@test.example
`;

const configuration = (own: string, other: string, more = '', alsoActive: readonly string[] = []): string => {
  const all = Array.from({ length: ESTABLISHED }, (_, index) => index);
  const ours = all.filter((index) => begins(own, index));
  const theirs = all.filter((index) => !begins(own, index));
  const names = (indices: readonly number[]): string[] => indices.map((index) => `tunnel-${index}`);
  return `
[Phase 1]
${other}=visitors

[Phase 2]
Connections=${[...names(ours), ...alsoActive].join(',')}
Passive-connections=${names(theirs).join(',')}

[visitors]
Phase=1
Address=${other}
Configuration=main-mode
Authentication=a secret of tests
${COMMON}${ours.map((index) => peer(`peer-${index}`, other, `user${index}`)).join('')}
${all.map((index) => connection(own, other, index)).join('')}${more}`;
};

/** Peers at addresses where nobody is. */
const darkAddress = (index: number): string => `10.9.9.${index + 1}`;
const darkNames = Array.from({ length: HALF_OPEN }, (_, index) => `dark-tunnel-${index}`);
const darkPeers = darkNames
  .map(
    (name, index) => `${peer(`dark-${index}`, darkAddress(index), `dark${index}`)}
[${name}]
Phase=2
ISAKMP-peer=dark-${index}
Configuration=quick-mode
Local-ID=net-${LEFT}-0
Remote-ID=net-${RIGHT}-0
`,
  )
  .join('');

interface Host {
  readonly daemon: Assembly;
  readonly log: readonly string[];
}

const start = async (t: TestContext, network: MemoryNetwork, address: string, text: string): Promise<Host> => {
  const lines: string[] = [];
  const log: Logger = { write: ({ severity, text: line }) => void lines.push(`${severity} ${line}`), close: () => {} };
  const settings = new DaemonConfiguration(log.write);
  settings.load(text, 'isakmpd.conf');
  const openNetwork = network.host(address, PORT);
  const kernel = createNoneBackend();
  const daemon = assemble({
    configuration: settings,
    credentials: {
      files: NO_CREDENTIALS,
      trust: createTrustStore(NO_CREDENTIALS, NO_CREDENTIALS.settings),
      onChange: () => {},
      placesMayHaveChanged: async () => {},
    },
    log,
    levels: createDebugLevels(),
    kernel: {
      kernel,
      reqids: { first: 1000, count: 1000 },
      kept: { sas: [], policies: [] },
      mayRemoveLeftovers: false,
    },
    workers: LANES,
    port: PORT,
    captureFormat: CAPTURE_FORMATS.pcap,
    encapsulationPort: undefined,
    openCaptureFile: () => Promise.reject(new SystemError('no captures here')),
    openNetwork,
  });
  t.after(async () => {
    await daemon.lanes.stop();
    await daemon.network.close();
  });
  await Promise.all([daemon.listening.rescan(), daemon.lanes.started]);
  return { daemon, log: lines };
};

const rowsOf = ({ daemon }: Host, phase: number): readonly SaRow[] =>
  [...daemon.table.all()].map(({ row }) => row).filter((row) => row.phase === phase);
const isReady = ({ flags }: SaRow): boolean => (flags & SaFlag.READY) !== 0;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const cookiesOf = (row: SaRow): string => hex(row.initiatorCookie) + hex(row.responderCookie);
const spisOf = (row: SaRow): string => row.protocols.map(({ spiIn, spiOut }) => `${spiIn} ${spiOut}`).join();

const isMessage1 = ({ bytes }: Sent): boolean =>
  bytes[18] === ExchangeType.ID_PROT && bytes.subarray(8, 16).every((byte) => byte === 0);
const initiatorCookie = ({ bytes }: Sent): string => hex(bytes.subarray(0, 8));

test('lane death: a lane with most of 200 established and 50 half-open SAs is killed, and its successor goes on', async (t) => {
  const network = new MemoryNetwork();
  const left = await start(t, network, LEFT, configuration(LEFT, RIGHT, darkPeers, darkNames));
  const right = await start(t, network, RIGHT, configuration(RIGHT, LEFT));
  for (const { daemon } of [left, right]) daemon.operator.tell({ kind: 'reconfigured' });
  const isUp = (host: Host): boolean =>
    rowsOf(host, 1).filter(isReady).length >= ESTABLISHED && rowsOf(host, 2).length >= ESTABLISHED;
  const isWaiting = (): boolean => new Set(network.wire.filter(isMessage1).map(({ to }) => to)).size === HALF_OPEN + 2;
  await until('all SAs', () => (isUp(left) && isUp(right) && isWaiting()) || undefined);

  const statistics = await Promise.all(Array.from({ length: LANES }, (_, lane) => left.daemon.lanes.statistics(lane)));
  const [victim] = statistics.toSorted((a, b) => b.isakmpSas + b.halfOpen - a.isakmpSas - a.halfOpen);
  assert.ok(victim !== undefined && victim.isakmpSas > 0 && victim.halfOpen > 0);
  const own = Array.from(left.daemon.table.of(victim.lane + 1), ({ row }) => row);
  const dark = own.filter((row) => !isReady(row));
  const survivors = own.filter(isReady);
  assert.equal(dark.length, victim.halfOpen);
  assert.equal(survivors.length, victim.isakmpSas);
  const before = {
    cookies: rowsOf(left, 1).filter(isReady).map(cookiesOf).toSorted(),
    spis: rowsOf(left, 2).map(spisOf).toSorted(),
  };

  network.wire.length = 0;
  const killedAt = performance.now();
  await left.daemon.lanes.threads.find(({ threadId }) => threadId === victim.threadId)?.terminate();

  // Ours begin again, with new cookies and without being asked.
  const restarted = (): true | undefined => {
    const again = new Map(network.wire.filter(isMessage1).map((sent) => [sent.to, initiatorCookie(sent)]));
    return (
      dark.every((row) => (again.get(addressOf(row)) ?? hex(row.initiatorCookie)) !== hex(row.initiatorCookie)) ||
      undefined
    );
  };
  await until('our half-open SAs to restart', restarted);
  t.diagnostic(`our half-open SAs restarted ${(performance.now() - killedAt).toFixed(0)} ms after the death`);

  const after = {
    cookies: rowsOf(left, 1).filter(isReady).map(cookiesOf).toSorted(),
    spis: rowsOf(left, 2).map(spisOf).toSorted(),
  };
  assert.deepEqual(after, before);
  const resumed = await left.daemon.lanes.statistics(victim.lane);
  assert.notEqual(resumed.threadId, victim.threadId);
  assert.equal(resumed.isakmpSas, victim.isakmpSas);

  // Under the old phase 1: first one of ours, then one of the peer's.
  const ofKind = (role: (row: SaRow) => boolean): SaRow => {
    const found = survivors.find(role);
    assert.ok(found !== undefined);
    return found;
  };
  const ours = ofKind(({ peerName }) => peerName.startsWith('peer-'));
  const theirs = ofKind(({ peerName }) => peerName === 'visitors');
  for (const [row, host] of [
    [ours, left],
    [theirs, right],
  ] as const) {
    const phase2 = rowsOf(host, 2).find((one) => cookiesOf(one) === cookiesOf(row));
    assert.ok(phase2 !== undefined);
    const spis = spisOf(phase2);
    const askedAt = performance.now();
    host.daemon.operator.tell({ kind: 'teardown', phase: 2, target: { kind: 'name', name: phase2.name } });
    host.daemon.operator.tell({ kind: 'connect', name: phase2.name });
    const renewed = (): SaRow | undefined =>
      rowsOf(host, 2).find((one) => one.name === phase2.name && spisOf(one) !== spis);
    assert.equal(cookiesOf(await until('a quick mode', renewed)), cookiesOf(row));
    const took = performance.now() - askedAt;
    t.diagnostic(
      `quick mode after ${took.toFixed(0)} ms, ${(performance.now() - killedAt).toFixed(0)} ms after the death`,
    );
  }

  const newPhase1 = network.wire.filter(isMessage1).filter(({ to }) => to === LEFT || to === RIGHT);
  assert.equal(newPhase1.length, 0);
  const faults = [...left.log, ...right.log].filter((line) => line.startsWith('error'));
  assert.equal(faults.length, 1, faults.join('\n'));
  assert.match(faults[0] ?? '', /lane \d died: .*; starting it again$/);
});

const addressOf = ({ remoteAddress }: SaRow): string => remoteAddress.join('.');
