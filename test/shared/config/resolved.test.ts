import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfiguration } from '../../../src/shared/config/parse.ts';
import { ResolvedConfiguration } from '../../../src/shared/config/resolved.ts';
import type { ConfigurationStore } from '../../../src/shared/config/store.ts';
import { EXAMPLE, storeOf } from './store-of.ts';

const SECOND_PEER = `
[south]
Phase=1
Address=10.1.0.3
Configuration=main-mode-south
Authentication=secret
[main-mode-south]
EXCHANGE_TYPE=ID_PROT
Transforms=AES-128-SHA2-256-GRP19
[east-south]
Phase=2
ISAKMP-peer=south
`;

const started = (): readonly [ConfigurationStore, ResolvedConfiguration] => {
  const store = storeOf(EXAMPLE + SECOND_PEER);
  const configuration = new ResolvedConfiguration(store);
  for (const peer of ['west', 'south']) assert.ok('policy' in configuration.peer(peer));
  return [store, configuration];
};

const EDITS: readonly (readonly [string, (store: ConfigurationStore) => void, readonly string[]])[] = [
  ['the peer section', (store) => store.set('west', 'Port', '501', true), ['west']],
  ['its configuration', (store) => store.set('main-mode', 'DOI', 'IPSEC', true), ['west']],
  ['a generated transform', (store) => store.set('AES-256-SHA2-256-GRP14', 'Life', 'ANY', true), ['west']],
  ['a generated suite', (store) => store.set('QM-ESP-AES-SHA2-256-PFS-GRP14-XF', 'KEY_LENGTH', '256', true), ['west']],
  ['its connection', (store) => store.remove('east-west', 'Remote-ID'), ['west']],
  ['a selector', (store) => store.set('net-east', 'Protocol', '6', true), ['west']],
  ['what both share', (store) => store.set('LIFE_MAIN_MODE', 'LIFE_DURATION', '60', true), ['west', 'south']],
  [
    'what a generated value is made of',
    (store) => store.set('General', 'Default-phase-1-lifetime', '60', true),
    ['west', 'south'],
  ],
  ['the list of connections', (store) => store.add('Phase 2', 'Connections', 'east-south'), ['south']],
  ['the list of connections, taken out', (store) => store.removeValue('Phase 2', 'Connections', 'east-west'), ['west']],
  ['the list as a whole', (store) => store.set('Phase 2', 'Connections', 'east-west,east-south', true), ['south']],
  [
    'a connection that changes its peer',
    (store) => store.set('east-west', 'ISAKMP-peer', 'south', true),
    ['west', 'south'],
  ],
  ['a new connection', (store) => store.set('new', 'ISAKMP-peer', 'south', true), ['south']],
  ['a connection of another peer', (store) => store.set('new', 'ISAKMP-peer', 'north', true), []],
  ['a connection that is not listed', (store) => store.set('east-south', 'Phase', '1', true), []],
  ['another list', (store) => store.add('Phase 2', 'Connections', 'unknown'), []],
  ['a setting of the daemon', (store) => store.set('General', 'Check-interval', '30', true), []],
  ['an unknown section', (store) => store.set('x', 'y', 'z', true), []],
  ['the same value', (store) => store.set('west', 'Phase', '1', true), []],
  ['a file with the same entries', (store) => store.load(parseConfiguration(EXAMPLE + SECOND_PEER).entries), []],
  [
    'a file that differs in one section',
    (store) => store.load(parseConfiguration(`${EXAMPLE + SECOND_PEER}NAT-ID=x\nFlags=y\n[south]\nPort=1\n`).entries),
    ['south'],
  ],
];
for (const [what, edit, changed] of EDITS) {
  test(`an edit of ${what} invalidates exactly: ${changed.join(', ') || 'nobody'}`, () => {
    const [store, configuration] = started();
    const before = ['west', 'south'].map((peer) => configuration.peer(peer));
    edit(store);
    assert.deepEqual([...configuration.takeChangedPeers()].sort(), [...changed].sort());
    const after = ['west', 'south'].map((peer) => configuration.peer(peer));
    assert.deepEqual(['west', 'south'].filter((_, i) => before[i] !== after[i]).sort(), [...changed].sort());
  });
}

test('changed peers are told once', () => {
  const [store, configuration] = started();
  store.set('west', 'Port', '501', true);
  assert.deepEqual(configuration.takeChangedPeers(), ['west']);
  assert.deepEqual(configuration.takeChangedPeers(), []);
});

test('a refusal is kept until what it hangs on changes', () => {
  const [store, configuration] = started();
  const refused = configuration.peer('north');
  assert.ok('error' in refused);
  assert.equal(configuration.peer('NORTH'), refused);
  for (const [tag, value] of [
    ['Phase', '1'],
    ['Authentication', 'x'],
  ] as const)
    store.set('north', tag, value, true);
  assert.ok('policy' in configuration.peer('north'));
});

test('the first secret by identity wakes an aggressive peer without a key of its own', () => {
  const store = storeOf('[p]\nPhase=1\nConfiguration=c\n[c]\nEXCHANGE_TYPE=AGGRESSIVE\nTransforms=AES-SHA\n');
  const configuration = new ResolvedConfiguration(store);
  assert.ok('error' in configuration.peer('p'));
  store.set('foo@bar', 'Authentication', 'x', false);
  assert.ok('policy' in configuration.peer('p'));
});

test('a connection counts as listed while FIFO c holds it', () => {
  const [, configuration] = started();
  const count = (): number => {
    const outcome = configuration.peer('south');
    return 'policy' in outcome ? outcome.policy.connections.length : -1;
  };
  assert.equal(count(), 0);
  configuration.connect('East-South');
  assert.deepEqual(configuration.takeChangedPeers(), ['south']);
  assert.equal(count(), 1);
  configuration.disconnect('east-south');
  assert.equal(count(), 0);
});

test('[General] is kept until a tag of it or a secret changes', () => {
  const [store, configuration] = started();
  const first = configuration.general();
  store.set('west', 'Port', '501', true);
  store.set('General', 'Default-phase-1-ID', 'x', true);
  assert.equal(configuration.general(), first);
  store.set('General', 'Retransmits', '4', true);
  assert.equal(configuration.general().policy.retransmits, 4);
  assert.deepEqual([configuration.takeGeneralChanged(), configuration.takeGeneralChanged()], [true, false]);
  store.set('foo@bar', 'Authentication', 'x', true);
  assert.equal(configuration.general().policy.identitySecrets.size, 1);
});
