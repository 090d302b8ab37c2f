import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fold } from '../../../src/shared/config/case-fold.ts';
import type { Entry } from '../../../src/shared/config/parse.ts';
import { resolveGeneral } from '../../../src/shared/config/resolve-general.ts';
import { attemptPeer, type RefusedPeer, type ResolvedPeer } from '../../../src/shared/config/resolve-peer.ts';
import { ResolvedConfiguration } from '../../../src/shared/config/resolved.ts';
import { ConfigurationStore } from '../../../src/shared/config/store.ts';
import { EXAMPLE, storeOf, textsOf } from './store-of.ts';

const PEERS = ['west', 'south'];
const CONNECTIONS = ['east-west', 'other'];
const SECTIONS = [
  ...PEERS,
  ...CONNECTIONS,
  'main-mode',
  'net-east',
  'Phase 1',
  'Phase 2',
  'General',
  'foo@bar',
  'LIFE_MAIN_MODE',
];
const TAGS_AND_VALUES: readonly (readonly [string, readonly string[]])[] = [
  ['Phase', ['1', '2']],
  ['Authentication', ['a', 'b']],
  ['ISAKMP-peer', [...PEERS, 'WEST']],
  ['Configuration', ['main-mode', 'quick-mode']],
  ['EXCHANGE_TYPE', ['ID_PROT', 'AGGRESSIVE']],
  ['Transforms', ['AES-SHA', 'AES-SHA,nothing']],
  ['Local-ID', ['net-east', 'net-west']],
  ['Protocol', ['tcp', 'udp']],
  ['Connections', [...CONNECTIONS, 'East-West', 'east-west,other', '']],
  ['Passive-connections', CONNECTIONS],
  ['10.0.0.1', PEERS],
  ['::ffff:10.0.0.1', PEERS],
  ['Default-phase-1-lifetime', ['60', '120']],
  ['LIFE_DURATION', ['90']],
  ['Retransmits', ['1', '2']],
];

type Edit = (store: ConfigurationStore, configuration: ResolvedConfiguration) => void;

const edit: fc.Arbitrary<Edit> = fc
  .tuple(
    fc.constantFrom(...SECTIONS),
    fc
      .constantFrom(...TAGS_AND_VALUES)
      .chain(([tag, values]) => fc.tuple(fc.constant(tag), fc.constantFrom(...values))),
    fc.constantFrom('set', 'force', 'add', 'rmv', 'rm', 'rms', 'reload', 'ask'),
  )
  .map(([section, [tag, value], verb]): Edit => {
    switch (verb) {
      case 'add':
        return (store) => store.add(section, tag, value);
      case 'rmv':
        return (store) => store.removeValue(section, tag, value);
      case 'rm':
        return (store) => store.remove(section, tag);
      case 'rms':
        return (store) => store.removeSection(section);
      case 'reload':
        return (store) => store.load(entriesOf(store).slice(0, -1));
      case 'ask':
        return (_store, configuration) => {
          for (const peer of PEERS) configuration.peer(peer);
          configuration.general();
        };
      default:
        return (store) => store.set(section, tag, value, verb === 'force');
    }
  });

const entriesOf = (store: ConfigurationStore): readonly Entry[] =>
  store
    .sections()
    .flatMap((section) =>
      store
        .tags(section)
        .map(({ tag, value }) => ({ section, sectionKey: fold(section), tag, tagKey: fold(tag), value, line: 1 })),
    );

/** Without what depends on the order of edits: which of two equal connections came first. */
const summary = (outcome: ResolvedPeer | RefusedPeer): unknown =>
  'error' in outcome
    ? outcome.error.message
    : {
        ...outcome.policy,
        connections: outcome.policy.connections.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
        warnings: textsOf(outcome.findings)
          .filter((text) => !text.includes('same selectors'))
          .sort(),
      };

test('after any edits every look-up and every kept policy is what a fresh start would make of the same entries', () => {
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 40 }), (edits) => {
      const store = storeOf(EXAMPLE);
      const configuration = new ResolvedConfiguration(store);
      for (const one of edits) one(store, configuration);
      const fresh = new ConfigurationStore();
      assert.deepEqual(fresh.load(entriesOf(store)), []);
      for (const peer of PEERS) {
        assert.deepEqual(summary(configuration.peer(peer)), summary(attemptPeer(fresh, peer, new Set())));
        assert.deepEqual(store.connectionsOf(peer).toSorted(), fresh.connectionsOf(peer).toSorted());
      }
      for (const list of ['active', 'passive'] as const)
        assert.deepEqual(store.connectionLists()[list].toSorted(), fresh.connectionLists()[list].toSorted());
      assert.deepEqual(store.secretSections().toSorted(), fresh.secretSections().toSorted());
      assert.deepEqual(configuration.general().policy, resolveGeneral(fresh).policy);
    }),
    { numRuns: 400 },
  );
});
