/** Where a report gets its facts, and what it does without some of them. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DaemonConfiguration } from '../../../src/main/configuration.ts';
import { type ReportedParts, reportSources } from '../../../src/main/report/report-sources.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import { reportLines } from '../../../src/shared/report/report.ts';
import { createSaTable, SaTable } from '../../../src/shared/sa-table/sa-table.ts';
import type { LaneExchange } from '../../../src/shared/threads/contract.ts';

const end = { address: '10.66.0.1', port: 500 };
const exchange: LaneExchange = {
  phase: 2,
  number: 1,
  name: 'net',
  role: 'initiator',
  exchangeType: 32,
  step: 1,
  cookies: '0'.repeat(32),
  messageId: 7,
  path: { local: end, remote: end, encapsulated: false },
  endsAt: 0,
  repeatsAt: 0,
};

const partsOf = (text: string): ReportedParts => {
  const configuration = new DaemonConfiguration(() => undefined);
  configuration.load(text, 'isakmpd.conf');
  return {
    configuration,
    table: new SaTable(createSaTable({ writers: 1, maxRows: 10 }), 0),
    lanes: {
      count: 2,
      exchanges: (lane) =>
        lane === 0
          ? Promise.reject(new SystemError('lane 0 did not answer (exchanges) within 2000 ms'))
          : Promise.resolve({
              exchanges: [{ ...exchange, phase: 1, name: 'peer', role: 'responder' }, exchange],
              omitted: 0,
            }),
    },
    network: { openSockets: () => [] },
    supervisor: { activeStatus: () => [], nextCheckAt: undefined },
    gate: { dropped: { received: 7, sent: 2 } },
    encapsulationPort: 4500,
  };
};

const linesOf = async (text: string): Promise<readonly string[]> => [
  ...reportLines(await reportSources(partsOf(text), 0)),
];

it('a lane that does not answer is said so in a line, and the others are reported', async () => {
  const lines = await linesOf(
    '[net]\nConfiguration=quick\n[peer]\nPhase=1\nAddress=10.66.0.2\nAuthentication=a secret of tests\n',
  );
  assert.ok(
    lines.includes(
      'exchange_report: exchanges of lane 0 are missing: lane 0 did not answer (exchanges) within 2000 ms',
    ),
  );
  assert.ok(lines.includes('transport_report: dropped while passive: 7 received, 2 to be sent'));
  assert.ok(lines.some((line) => / peer Default-phase-1-configuration policy responder phase 1 /.test(line)));
  assert.ok(lines.some((line) => / net quick policy initiator phase 2 doi 1 exchange 32 step 1$/.test(line)));
});

it('connections that answer the peer are listed with their selectors, but not those that only we begin', async () => {
  const connection = (name: string, more: string): string =>
    `[${name}]\nPhase=2\nISAKMP-peer=peer\nLocal-ID=left\n${more}\n`;
  const lines = await linesOf(`[Phase 1]
10.66.0.2=peer
[Phase 2]
Passive-connections=both,road,ours
[peer]
Phase=1
Address=10.66.0.2
Authentication=a secret of tests
[left]
ID-type=IPV4_ADDR_SUBNET
Network=192.168.11.0
Netmask=255.255.255.0
[right]
ID-type=IPV4_ADDR
Address=192.168.22.1
${connection('both', 'Remote-ID=right')}${connection('road', '')}${connection('ours', 'Remote-ID=right\nFlags=Active-only')}`);
  assert.deepEqual(lines.filter((line) => line.includes('passive connection')).sort(), [
    'connection_report: passive connection both local_id: 192.168.11.0/255.255.255.0, remote_id: 192.168.22.1',
    'connection_report: passive connection road local_id: 192.168.11.0/255.255.255.0, remote_id: <any>',
  ]);
});
