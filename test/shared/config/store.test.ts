import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfiguration } from '../../../src/shared/config/parse.ts';
import { ConfigurationStore } from '../../../src/shared/config/store.ts';
import { storeOf } from './store-of.ts';

test('E1: what was set can be got', () => {
  const store = new ConfigurationStore();
  assert.equal(store.set('General', 'Test', '1', false), 'set');
  assert.equal(store.get('General', 'Test'), '1');
});

test('E2: a tag that is there keeps its value', () => {
  const store = storeOf('[General]\nTest=1\n');
  assert.equal(store.set('General', 'Test', '2', false), 'duplicate');
  assert.equal(store.get('General', 'Test'), '1');
});

test('E2: a generated value counts as being there', () => {
  const store = new ConfigurationStore();
  assert.equal(store.set('General', 'Retransmits', '5', false), 'duplicate');
  assert.equal(store.get('General', 'Retransmits'), '3');
});

test('E3: force replaces', () => {
  const store = storeOf('[General]\nTest=1\n');
  assert.equal(store.set('General', 'Test', '2', true), 'set');
  assert.equal(store.get('General', 'Test'), '2');
});

test('E4: add appends each member once', () => {
  const store = new ConfigurationStore();
  for (const member of ['a', 'b', 'a']) store.add('L', 'X', member);
  assert.equal(store.get('L', 'X'), 'a,b');
});

test('several members can be added at once', () => {
  const store = storeOf('[Phase 2]\nConnections=a,b\n');
  store.add('Phase 2', 'Connections', 'b,c');
  assert.equal(store.get('Phase 2', 'Connections'), 'a,b,c');
  assert.deepEqual(store.connectionLists().active, ['a', 'b', 'c']);
});

test('E5: rmv takes a member out, and with the last one the tag', () => {
  const store = storeOf('[L]\nX=a,b\n');
  store.removeValue('L', 'X', 'a');
  assert.equal(store.get('L', 'X'), 'b');
  store.removeValue('L', 'X', 'b');
  assert.equal(store.get('L', 'X'), undefined);
  assert.deepEqual(store.sections(), []);
});

test('members of a list are exact, upper and lower case differ', () => {
  const store = storeOf('[L]\nX=a, b\n');
  store.removeValue('L', 'X', 'A');
  store.add('L', 'X', 'B');
  assert.equal(store.get('L', 'X'), 'a,b,B');
});

test('rmv takes every equal member out', () => {
  const store = storeOf('[L]\nX=a,b,a\n');
  store.removeValue('L', 'X', 'a');
  assert.equal(store.get('L', 'X'), 'b');
});

test('add to a generated list keeps what was generated', () => {
  const store = storeOf('[General]\nLegacy-defaults=yes\n');
  store.add('Default-phase-1-configuration', 'Transforms', 'AES-SHA');
  assert.equal(store.get('Default-phase-1-configuration', 'Transforms'), '3DES-SHA-RSA_SIG,AES-SHA');
});

test('rm and rms are silent where there is nothing, and leave what is generated', () => {
  const store = storeOf('[General]\nRetransmits=9\n[a]\nb=c\nd=e\n');
  store.remove('a', 'nothing');
  store.removeSection('nothing');
  store.remove('General', 'Retransmits');
  store.removeSection('A');
  assert.equal(store.get('General', 'Retransmits'), '3');
  assert.deepEqual(store.sections(), []);
});

test('names are found in upper and lower case and keep their first spelling', () => {
  const store = storeOf('[Gen]\nTag=1\n[GEN]\nother=2\n');
  store.set('gen', 'TAG', '3', true);
  assert.deepEqual(store.sections(), ['Gen']);
  assert.deepEqual(store.tags('gEN'), [
    { tag: 'Tag', value: '3' },
    { tag: 'other', value: '2' },
  ]);
});

test('letters of other scripts do not fall together', () => {
  const store = storeOf('[\u212a]\na=1\n');
  assert.equal(store.get('k', 'a'), undefined);
});

test('threat __proto__: sections and tags named like object members are plain names', () => {
  const store = new ConfigurationStore();
  assert.equal(store.get('__proto__', 'constructor'), undefined);
  assert.equal(store.get('General', '__proto__'), undefined);
  store.set('__proto__', '__proto__', 'x', false);
  store.add('constructor', 'hasOwnProperty', 'y');
  assert.equal(store.get('__PROTO__', '__proto__'), 'x');
  assert.deepEqual(store.sections(), ['__proto__', 'constructor']);
  store.removeSection('__proto__');
  assert.equal(store.get('__proto__', '__proto__'), undefined);
});

test('in a file the first value wins and the others are told with their lines', () => {
  const store = new ConfigurationStore();
  const problems = store.load(parseConfiguration('[s]\nt=1\n[S]\nT=2\n').entries);
  assert.equal(store.get('s', 't'), '1');
  assert.deepEqual(problems, [
    {
      line: 4,
      severity: 'warning',
      text: '[S]:T is there already: its first value counts, this one is ignored',
      original: 'conf_set_now: duplicate tag [S]:T, ignoring...',
    },
  ]);
});

test('loading replaces everything, edits included', () => {
  const store = storeOf('[a]\nb=1\n');
  store.set('x', 'y', 'z', false);
  store.load(parseConfiguration('[a]\nc=2\n').entries);
  assert.deepEqual([store.get('a', 'b'), store.get('x', 'y'), store.get('a', 'c')], [undefined, undefined, '2']);
});

test('only edits that change something count', () => {
  const store = storeOf('[a]\nb=1\n');
  const before = store.revision;
  store.set('a', 'b', '1', true);
  store.removeValue('a', 'b', '7');
  store.remove('a', 'c');
  store.load(parseConfiguration('[a]\nb=1\n').entries);
  assert.equal(store.revision, before);
  store.set('a', 'b', '2', true);
  assert.equal(store.revision, before + 1);
});

test('a listener hears of the section, and for [General] of the tag', () => {
  const store = new ConfigurationStore();
  const heard: string[] = [];
  store.subscribe((piece) => heard.push(piece));
  store.set('Abc', 'D', '1', false);
  store.set('General', 'Check-interval', '30', false);
  assert.deepEqual(heard, ['abc', 'general\ncheck-interval']);
});

test('a peer is found by any textual form of its address, else by Default', () => {
  const store = storeOf('[Phase 1]\n10.0.0.1=a\n2001:DB8:0:0::1=B\nDefault=c\n[b]\nPhase=1\n');
  assert.equal(store.peerForAddress('10.0.0.1'), 'a');
  assert.equal(store.peerForAddress('::ffff:10.0.0.1'), 'a');
  assert.equal(store.peerForAddress('2001:db8::1'), 'b');
  assert.equal(store.peerForAddress('10.0.0.2'), 'c');
});

test('without a Default of its own, [Phase 1] has the generated one', () => {
  assert.equal(new ConfigurationStore().peerForAddress('10.0.0.1'), 'Default-phase-1');
});

test('two spellings of one address: the older one counts as long as it is there', () => {
  const store = storeOf('[Phase 1]\n2001:db8::1=a\n2001:db8:0::1=b\n');
  assert.equal(store.peerForAddress('2001:db8::1'), 'a');
  store.remove('Phase 1', '2001:db8::1');
  assert.equal(store.peerForAddress('2001:db8::1'), 'b');
  store.removeSection('Phase 1');
  assert.equal(store.peerForAddress('2001:db8::1'), 'Default-phase-1');
});

test('connection lists follow every kind of edit and name a connection as its section is named', () => {
  const store = storeOf('[Phase 2]\nConnections= a, B,,a\nPassive-connections=c\n[b]\nPhase=2\n');
  assert.deepEqual(store.connectionLists(), { active: ['a', 'b'], passive: ['c'] });
  store.add('phase 2', 'CONNECTIONS', 'd');
  store.removeValue('Phase 2', 'Connections', 'a');
  store.set('Phase 2', 'Passive-Connections', 'e,f', true);
  assert.deepEqual(store.connectionLists(), { active: ['b', 'd'], passive: ['e', 'f'] });
  store.remove('Phase 2', 'Connections');
  assert.deepEqual(store.connectionLists(), { active: [], passive: ['e', 'f'] });
  assert.ok(store.isListed('E') && !store.isListed('b'));
});

test('a connection listed in two spellings stays listed until both are gone', () => {
  const store = storeOf('[Phase 2]\nConnections=a,A\n');
  store.removeValue('Phase 2', 'Connections', 'a');
  assert.ok(store.isListed('a'));
  store.removeValue('Phase 2', 'Connections', 'A');
  assert.ok(!store.isListed('a'));
});

test('connections of a peer follow ISAKMP-peer', () => {
  const store = storeOf('[c1]\nISAKMP-peer=P\n[c2]\nISAKMP-peer=p\n');
  assert.deepEqual(store.connectionsOf('p'), ['c1', 'c2']);
  store.set('c1', 'isakmp-peer', 'q', true);
  store.removeSection('c2');
  assert.deepEqual([store.connectionsOf('p'), store.connectionsOf('Q')], [[], ['c1']]);
});

test('sections with a secret and without Phase are named after identities', () => {
  const store = storeOf(
    '[foo@bar]\nAuthentication=x\n[peer]\nPhase=1\nAuthentication=y\n[Default-phase-1]\nAuthentication=z\n',
  );
  assert.deepEqual(store.secretSections(), ['foo@bar']);
  store.remove('peer', 'Phase');
  assert.deepEqual(store.secretSections(), ['foo@bar', 'peer']);
});
