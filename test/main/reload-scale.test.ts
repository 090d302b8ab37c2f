/** A reload among ten thousand peers: the real configuration, the real connection core; the test plays the lanes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DaemonConfiguration } from '../../src/main/configuration.ts';
import { Operator } from '../../src/main/operator.ts';
import { Reinitialization } from '../../src/main/reinitialization.ts';
import { NO_CREDENTIALS } from '../../src/shared/credentials/credential-files.ts';
import { Verbosity } from '../../src/shared/log/verbosity.ts';
import { ConnectionBench } from '../helpers/connection-bench.ts';

const PEERS = 10_000;
const CHANGED = 4711;

const sectionsOf = (index: number, secret: string): string => `
[peer-${index}]
Phase=1
Address=10.1.${index >> 8}.${index & 255}
Local-address=192.0.2.1
Authentication=${secret}
[net-${index}]
Phase=2
ISAKMP-peer=peer-${index}
Local-ID=ours
Remote-ID=theirs-${index}
[theirs-${index}]
ID-type=IPV4_ADDR_SUBNET
Network=10.${64 + (index >> 8)}.${index & 255}.0
Netmask=255.255.255.0
`;

const textOf = (peers: number, secretOf: (index: number) => string): string => {
  const indexes = Array.from({ length: peers }, (_, index) => index);
  const connections = indexes.map((index) => `net-${index}`).join(',');
  const head = `[Phase 2]\nConnections=${connections}\n[ours]\nID-type=IPV4_ADDR_SUBNET\nNetwork=10.0.0.0\nNetmask=255.255.255.0\n`;
  return `[General]\nListen-on=192.0.2.1\n${head}${indexes.map((index) => sectionsOf(index, secretOf(index))).join('')}`;
};

/** Plays the lanes: every phase 1 and every quick mode that is begun succeeds. */
const answer = (bench: ConnectionBench): void => {
  bench.take('installed');
  for (const { request, peer } of bench.take('startPhase1')) bench.phase1({ request, peer });
  for (const { request, isakmp, connection } of bench.take('startQuickMode')) {
    bench.quickMode({ role: 'initiator', request, isakmp, connection, peer: connection.replace('net', 'peer') });
  }
};

const setUp = async (peers: number) => {
  const old = textOf(peers, (index) => `a secret of peer ${index}`);
  const file = { text: old };
  const logged: string[] = [];
  const configuration = new DaemonConfiguration(({ text }) => void logged.push(text));
  configuration.load(old, 'isakmpd.conf');
  configuration.general();
  const bench = new ConnectionBench({ configuration: configuration.view() });
  const changed: string[] = [];
  const operator = new Operator({
    configuration,
    peerAddresses: { learn: async () => {} },
    supervisor: { tell: (event) => bench.tell(event) },
    lanes: { peerChanged: (name) => void changed.push(name), generalChanged: () => {} },
    credentials: { files: NO_CREDENTIALS, placesMayHaveChanged: async () => {} },
    log: { write: ({ text }) => void logged.push(text) },
  });
  const reinitialization = new Reinitialization({
    configurationFile: 'isakmpd.conf',
    configuration,
    privileged: { readSecretFile: async () => ({ kind: 'bytes', bytes: Buffer.from(file.text) }) },
    credentials: { load: async () => {} },
    policy: { reload: async () => {} },
    operator,
    peerAddresses: { forget: () => {} },
    listening: { rescan: async () => {} },
    verbosity: new Verbosity(false),
    onBegin: () => {},
    onEnd: () => {},
    log: ({ text }) => void logged.push(text),
  });
  bench.tell({ kind: 'reconfigured' });
  for (let i = 0; i < 1000 && bench.rows.size < peers; i++) {
    answer(bench);
    bench.pass(100);
  }
  assert.deepEqual([bench.rows.size, bench.core.counts.isakmpSas], [peers, peers]);
  bench.effects.length = 0;
  configuration.takeChangedPeers();
  logged.length = 0;
  return { file, bench, configuration, changed, logged, reinitialization };
};

test('10,000 peers, one changed: just that one renegotiates, with the new secret, and no other SA is touched', async () => {
  const { file, bench, configuration, changed, logged, reinitialization } = await setUp(PEERS);
  const before = new Map(bench.rows);
  file.text = textOf(PEERS, (index) => (index === CHANGED ? 'the new secret' : `a secret of peer ${index}`));
  await reinitialization.request();
  await nextTurn();
  for (let i = 0; i < 100; i++) {
    answer(bench);
    bench.pass(100);
  }

  const posted = bench.effects.flatMap((effect) => (effect.kind === 'post' ? [[effect.event.kind, effect.peer]] : []));
  assert.deepEqual(posted, [
    ['startPhase1', `peer-${CHANGED}`],
    ['deleteIsakmp', undefined],
    ['startQuickMode', `peer-${CHANGED}`],
    ['installed', undefined],
  ]);
  assert.deepEqual(changed, [`peer-${CHANGED}`]);
  const secret = configuration.peer(`peer-${CHANGED}`)?.preSharedKey;
  assert.equal(Buffer.from(secret ?? []).toString(), 'the new secret');

  const touched = new Set(bench.effects.flatMap((effect) => (effect.kind === 'pair' ? [effect.facts] : [])));
  assert.deepEqual([...new Set([...touched].map(({ agreement }) => agreement.connection))], [`net-${CHANGED}`]);
  const same = [...before].filter(([pair, facts]) => bench.rows.get(pair) === facts);
  assert.equal(same.length, PEERS - 1);
  assert.deepEqual(logged, [
    'isakmpd: reinitializing daemon',
    `reload: peer peer-${CHANGED} changed (Authentication): its SAs are negotiated anew now`,
    'reload: peers: 1 changed, 0 new, 0 gone; connections: 0 new, 0 gone',
  ]);
});

test('a default lifetime changed: all peers change, none is negotiated anew, and the log stays short', async () => {
  const { file, bench, logged, reinitialization } = await setUp(1000);
  file.text = textOf(1000, (index) => `a secret of peer ${index}`).replace(
    '[General]',
    '[General]\nDefault-phase-1-lifetime=7200,60:86400',
  );
  await reinitialization.request();
  await nextTurn();
  bench.pass(5000);
  assert.deepEqual(
    bench.effects.filter(({ kind }) => kind === 'post'),
    [],
  );
  assert.equal(logged.at(-1), 'reload: peers: 1000 changed, 0 new, 0 gone; connections: 0 new, 0 gone');
  assert.ok(logged.length < 30, `${logged.length} lines`);
});
