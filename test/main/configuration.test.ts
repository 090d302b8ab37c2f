import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DaemonConfiguration } from '../../src/main/configuration.ts';
import { atOnce } from '../../src/shared/steps.ts';

const setUp = (text = '') => {
  const lines: string[] = [];
  const configuration = new DaemonConfiguration(({ severity, text: line }) => lines.push(`${severity} ${line}`));
  configuration.load(text, 'isakmpd.conf');
  return { configuration, lines, store: configuration.store };
};

const PEER = `[Phase 1]
192.0.2.9=Peer-A

[peer-a]
Phase=1
Address=192.0.2.9
Configuration=main-mode
Authentication=secret

[main-mode]
EXCHANGE_TYPE=ID_PROT
Transforms=3DES-SHA-GRP2

[Tunnel]
Phase=2
ISAKMP-peer=PEER-A
Local-ID=net-a
Remote-ID=net-b

[net-a]
ID-type=IPV4_ADDR
Address=10.0.0.1

[net-b]
ID-type=IPV4_ADDR
Address=10.0.0.2

[Phase 2]
Passive-connections=tunnel
`;

it('has one spelling for a peer, however the configuration refers to it', () => {
  const { configuration } = setUp(PEER);
  assert.equal(configuration.peerForAddress('192.0.2.9'), 'peer-a');
  assert.equal(configuration.peer('PEER-a')?.name, 'peer-a');
  assert.deepEqual(configuration.view().connection('TUNNEL'), { name: 'Tunnel', peer: 'peer-a' });
  assert.deepEqual(configuration.peersInUse(), ['peer-a']);
  configuration.store.set('Peer-A', 'Port', '501', true);
  assert.deepEqual(configuration.takeChangedPeers(), ['peer-a']);
});

it('says of twenty peers what they have in common, and that there are more', () => {
  const names = Array.from({ length: 500 }, (_, index) => `peer-${index}`);
  const sections = names.map(
    (name) => `[${name}]\nPhase=1\nAddress=192.0.2.9\nAuthentication=${name}\nFlags=odd-${name}\n`,
  );
  const { configuration, lines } = setUp(sections.join(''));
  for (const name of names) configuration.peer(name);
  const weak = lines.filter((line) => line.includes('can be guessed'));
  assert.equal(weak.length, 20);
  assert.equal(
    lines.filter((line) => line.includes('more peers than 20 are warned alike')).length,
    2,
    'secrets and flags',
  );
  assert.ok(lines.length < 70, lines.join('\n'));
  configuration.load(sections.join('').replaceAll('Authentication=peer', 'Authentication=pear'), 'isakmpd.conf');
  lines.length = 0;
  for (const name of names) configuration.peer(name);
  assert.equal(lines.filter((line) => line.includes('can be guessed')).length, 20, 'a new file is told anew');
});

it('says what is odd about a peer once, in whatever spelling it is asked for, and again only what is new', () => {
  const { configuration, lines, store } = setUp(PEER);
  for (const name of ['peer-a', 'Peer-A', 'PEER-A']) configuration.peer(name);
  const weakness = lines.filter((line) => line.includes('3DES'));
  assert.equal(weakness.length, 1, lines.join('\n'));
  const before = lines.length;
  store.set('peer-a', 'Port', '501', true);
  configuration.peer('peer-a');
  assert.equal(lines.length, before, 'an edit repeats nothing');
  store.set('peer-a', 'Port', 'nowhere', true);
  assert.equal(configuration.peer('peer-a'), undefined);
  assert.equal(configuration.peer('peer-a'), undefined);
  assert.match(lines.at(-1) ?? '', /^error \[peer-a\]:Port cannot be "nowhere"/);
  assert.equal(lines.length, before + 1);
});

it('takes the generated default peer for none until somebody gives it a secret, and has no line about it', () => {
  const { configuration, lines, store } = setUp();
  assert.equal(configuration.peerForAddress('198.51.100.1'), '');
  assert.deepEqual(lines, []);
  store.set('Default-Phase-1', 'Authentication', 'secret', false);
  assert.equal(configuration.peerForAddress('198.51.100.1').toLowerCase(), 'default-phase-1');
  assert.ok(configuration.peer('default-phase-1') !== undefined, lines.join('\n'));
});

it('goes by the last usable [General], and complains once about one that cannot be', () => {
  const { configuration, lines, store } = setUp('[General]\nRetransmits=5\n');
  assert.equal(configuration.general().policy.retransmits, 5);
  store.set('General', 'Retransmits', 'many', true);
  for (let i = 0; i < 3; i++) assert.equal(configuration.general().policy.retransmits, 5);
  store.set('elsewhere', 'Phase', '1', true);
  configuration.general();
  assert.equal(lines.length, 1, lines.join('\n'));
  assert.match(lines[0] ?? '', /^error \[General\]:Retransmits cannot be "many"/);
  store.set('General', 'Retransmits', '7', true);
  assert.equal(configuration.general().policy.retransmits, 7);
});

it('a broken file is loaded as far as it goes, with lines that say where it does not', () => {
  const { configuration, lines } = setUp('[Phase 1\nnonsense\n[General]\nRetransmits=4\nRetransmits=5\n');
  assert.equal(configuration.general().policy.retransmits, 4);
  assert.ok(
    lines.some((line) => line.includes('isakmpd.conf:1: ')),
    lines.join('\n'),
  );
  assert.ok(
    lines.some((line) => line.includes('conf_set_now: duplicate tag [General]:Retransmits')),
    lines.join('\n'),
  );
});

it('has no connection that nobody lists, unless `c` has named it', () => {
  const { configuration, store } = setUp(PEER);
  store.remove('Phase 2', 'Passive-connections');
  assert.equal(configuration.view().connection('tunnel'), undefined);
  configuration.note({ kind: 'connect', name: 'tunnel' });
  assert.deepEqual(configuration.view().connection('tunnel'), { name: 'Tunnel', peer: 'peer-a' });
  configuration.note({ kind: 'teardown', phase: 2, target: { kind: 'name', name: 'tunnel' } });
  assert.equal(configuration.view().connection('tunnel'), undefined);
});

it('refuses Blowfish and CAST that a running daemon is told of, with the way out, until another cipher is named', () => {
  const { configuration, lines, store } = setUp(PEER);
  configuration.refuseLegacyCiphers();
  store.set('main-mode', 'Transforms', 'BLF-SHA-GRP5', true);
  assert.equal(configuration.peer('peer-a'), undefined);
  assert.match(
    lines.at(-1) ?? '',
    /^error .*\[peer-a\] names Blowfish or CAST, .* restart isakmpd, or take another cipher$/,
  );
  store.set('main-mode', 'Transforms', 'AES-SHA2-256-GRP14', true);
  assert.equal(configuration.peer('peer-a')?.name, 'peer-a');
});

it('tells a later comparison what was configured', () => {
  const { configuration } = setUp(PEER);
  const { connections, peers, policy } = atOnce(configuration.snapshotInSteps());
  assert.deepEqual([connections, peers], [['Tunnel'], ['peer-a']]);
  assert.equal(policy('PEER-A'), configuration.peer('peer-a'));
});

it('a reload is all or nothing: a line that cannot be read, or [General] that cannot be, changes nothing', async () => {
  const { configuration, store } = setUp(PEER);
  for (const text of ['[General\nRetransmits=5\n', '[General]\nRetransmits=many\n', '[x]\na=1\nno tag at all\n']) {
    const before = store.revision;
    await assert.rejects(configuration.read(text, 'isakmpd.conf'), { name: 'ConfigError' });
    assert.equal(store.revision, before);
  }
  assert.equal(store.get('General', 'Retransmits'), '3');
  await configuration.reload(await configuration.read('[General]\nRetransmits=5\n', 'isakmpd.conf'));
  assert.equal(store.get('General', 'Retransmits'), '5');
});

it('a value of [General] that cannot be leaves the others in force, from the start', () => {
  const { configuration, lines } = setUp('[General]\nRetransmits=many\nListen-on=127.0.0.1\nCheck-interval=30\n');
  const { policy, daemon } = configuration.general();
  assert.deepEqual([policy.retransmits, daemon.listenOn, daemon.checkIntervalSeconds], [3, ['127.0.0.1'], 30]);
  assert.ok(
    lines.some((line) => line.startsWith('error isakmpd.conf:2: [General]:Retransmits cannot be "many"')),
    lines.join('\n'),
  );
});

it('names the line of the file that a peer is refused for, as long as it is the file’s', () => {
  const { configuration, lines, store } = setUp(PEER.replace('Address=192.0.2.9', 'Address=192.0.2.9\nPort=0'));
  assert.equal(configuration.peer('peer-a'), undefined);
  assert.match(lines.at(-1) ?? '', /^error isakmpd\.conf:7: \[peer-a\]:Port cannot be "0"/);
  store.set('peer-a', 'Port', 'x y', true);
  assert.equal(configuration.peer('peer-a'), undefined);
  assert.match(lines.at(-1) ?? '', /^error \[peer-a\]:Port cannot be "x y"/);
});

it('says once what is odd about a tag that was set through the FIFO', () => {
  const { configuration, lines, store } = setUp(PEER);
  const before = lines.length;
  for (let i = 0; i < 3; i++) {
    store.set('peer-a', 'Adress', `192.0.2.${i}`, true);
    configuration.checkEdit('peer-a', 'Adress');
    store.set('peer-a', 'Address', '192.0.2.1', true);
    configuration.checkEdit('peer-a', 'Address');
  }
  assert.deepEqual(lines.slice(before), ['notice [peer-a]:Adress is unknown and has no effect: did you mean Address?']);
});
