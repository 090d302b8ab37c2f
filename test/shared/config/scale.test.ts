import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfiguration } from '../../../src/shared/config/parse.ts';
import { ResolvedConfiguration } from '../../../src/shared/config/resolved.ts';
import { ConfigurationStore } from '../../../src/shared/config/store.ts';
import { checkEntries } from './store-of.ts';

const PEERS = 10_000;
const EDITS = 500_000;

const addressOf = (peer: number): string => `10.${peer >> 16}.${(peer >> 8) & 255}.${peer & 255}`;

const peerText = (peer: number): string => `[peer-${peer}]
Phase=1
Address=${addressOf(peer)}
Configuration=main-mode
Authentication=secret-${peer}
[connection-${peer}]
Phase=2
ISAKMP-peer=peer-${peer}
Configuration=quick-mode
Local-ID=local
Remote-ID=remote-${peer}
[remote-${peer}]
ID-type=IPV4_ADDR_SUBNET
Network=172.16.${peer >> 8}.${peer & 255}
Netmask=255.255.255.255
[Phase 1]
${addressOf(peer)}=peer-${peer}
`;

const largeFile = (): string => {
  const peers = Array.from({ length: PEERS }, (_, peer) => peer);
  return `[main-mode]
EXCHANGE_TYPE=ID_PROT
Transforms=AES-256-SHA2-256-GRP14,AES-128-SHA2-256-GRP14
[quick-mode]
Suites=QM-ESP-AESGCM-256-PFS-GRP14-SUITE,QM-ESP-AES-256-SHA2-256-PFS-GRP14-SUITE
[local]
ID-type=IPV4_ADDR_SUBNET
Network=192.168.0.0
Netmask=255.255.0.0
[Phase 2]
Connections=${peers.map((peer) => `connection-${peer}`).join(',')}
${peers.map(peerText).join('')}`;
};

test('10,000 peers load, resolve, and take 500,000 edits', (t) => {
  let began = performance.now();
  const lap = (what: string): void => {
    t.diagnostic(`${what}: ${Math.round(performance.now() - began)} ms`);
    began = performance.now();
  };
  const text = largeFile();
  began = performance.now();
  const { entries } = parseConfiguration(text);
  lap(`parse ${Math.round(text.length / 1e6)} MB, ${entries.length} entries`);
  assert.deepEqual(checkEntries(entries), []);
  lap('check');
  const store = new ConfigurationStore();
  const configuration = new ResolvedConfiguration(store);
  assert.deepEqual(store.load(entries), []);
  lap('load');
  for (let peer = 0; peer < PEERS; peer++) {
    const outcome = configuration.peer(store.peerForAddress(addressOf(peer)) ?? '');
    assert.ok('policy' in outcome && outcome.policy.connections.length === 1);
  }
  lap(`resolve ${PEERS} peers by address`);
  for (let edit = 0; edit < EDITS; edit++) store.set(`peer-${edit % PEERS}`, 'Port', String(500 + (edit % 7)), true);
  lap(`${EDITS} sets`);
  assert.equal(configuration.takeChangedPeers().length, PEERS);
  for (let peer = 0; peer < PEERS; peer++) configuration.peer(`peer-${peer}`);
  lap(`resolve ${PEERS} peers again`);
  for (let edit = 0; edit < EDITS / 50; edit++) {
    store.set('LIFE_MAIN_MODE', 'LIFE_DURATION', String(3600 + edit), true);
    configuration.peer(`peer-${edit % PEERS}`);
  }
  lap(`${EDITS / 50} sets of what every peer hangs on, one resolution after each`);
  assert.equal(store.load(entries).length, 0);
  lap('load the same file again');
});

test('10,000 connections come and go one by one through C add and C rmv', (t) => {
  const store = new ConfigurationStore();
  const began = performance.now();
  for (let i = 0; i < PEERS; i++) {
    store.set(`connection-${i}`, 'ISAKMP-peer', `peer-${i}`, true);
    store.add('Phase 2', 'Connections', `connection-${i}`);
  }
  assert.equal(store.connectionLists().active.length, PEERS);
  for (let i = 0; i < PEERS; i++) store.removeValue('Phase 2', 'Connections', `connection-${i}`);
  assert.deepEqual(store.connectionLists().active, []);
  t.diagnostic(`${Math.round(performance.now() - began)} ms`);
});
