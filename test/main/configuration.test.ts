import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DaemonConfiguration } from '../../src/main/configuration.ts';

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
  assert.equal(configuration.isGeneralCurrent, false);
  for (let i = 0; i < 3; i++) assert.equal(configuration.general().policy.retransmits, 5);
  assert.equal(configuration.isGeneralCurrent, true);
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
