import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DaemonConfiguration } from '../../src/main/configuration.ts';
import { Operator } from '../../src/main/operator.ts';
import type { ConnectionEvent } from '../../src/shared/connection/events.ts';
import { NO_CREDENTIALS } from '../../src/shared/credentials/credential-files.ts';

const TEXT = `[Phase 1]
192.0.2.9=peer

[peer]
Phase=1
Address=192.0.2.9
Authentication=secret

[tunnel]
Phase=2
ISAKMP-peer=peer
Local-ID=one
Remote-ID=other

[one]
ID-type=IPV4_ADDR
Address=10.0.0.1

[other]
ID-type=IPV4_ADDR
Address=10.0.0.2
`;

const NAMED = `[Phase 2]
Passive-connections=tunnel-2,tunnel

[named]
Phase=1
Address=gate.example
Authentication=secret

[tunnel-2]
Phase=2
ISAKMP-peer=named
Local-ID=one
Remote-ID=other
`;

/** Work in slices takes a turn more where the machine is busy. */
const settled = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await nextTurn();
};

const setUp = (t: TestContext, learn: (peers: readonly string[]) => Promise<void> = async () => {}, text = TEXT) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const done: string[] = [];
  const configuration = new DaemonConfiguration(() => {});
  configuration.load(text, 'isakmpd.conf');
  configuration.general();
  configuration.peer('peer');
  const operator = new Operator({
    configuration,
    peerAddresses: {
      learn: async (peers) => {
        done.push(`learn ${peers}`);
        await learn(peers);
      },
    },
    supervisor: {
      tell: (event) => void done.push(`tell ${event.kind}${event.kind === 'peersChanged' ? ` ${event.peers}` : ''}`),
    },
    lanes: {
      peerChanged: (name) => void done.push(`changed ${name}`),
      generalChanged: () => void done.push('general'),
    },
    credentials: { files: NO_CREDENTIALS, placesMayHaveChanged: async () => void done.push('places') },
    log: { write: ({ severity, text }) => void done.push(`${severity} ${text}`) },
  });
  const say = async (event: ConnectionEvent): Promise<void> => {
    operator.tell(event);
    await settled();
  };
  return { configuration, operator, done, say };
};

it('carries out one event after the other, each once the addresses that it needs are known', async (t) => {
  const answers: (() => void)[] = [];
  const { configuration, operator, done } = setUp(t, () => new Promise<void>((resolve) => void answers.push(resolve)));
  configuration.store.set('Phase 2', 'Connections', 'tunnel', true);
  operator.tell({ kind: 'reconfigured' });
  operator.tell({ kind: 'teardownAll' });
  await settled();
  assert.deepEqual(done, ['changed peer', 'learn peer']);
  answers.shift()?.();
  await settled();
  assert.equal(done[2], 'tell reconfigured');
  assert.ok(!done.includes('tell teardownAll'));
  while (answers.length > 0) {
    for (const answer of answers.splice(0)) answer();
    await settled();
  }
  assert.ok(done.includes('tell teardownAll'));
});

it('begins what is to be kept up before it looks at the peers that are only waited for', async (t) => {
  const { configuration, done, say } = setUp(t);
  configuration.store.set('Phase 1', '192.0.2.8', 'passive', true);
  configuration.store.set('Phase 2', 'Connections', 'tunnel', true);
  await say({ kind: 'reconfigured' });
  assert.deepEqual(done.slice(0, 4), ['changed peer', 'learn peer', 'tell reconfigured', 'learn peer,passive']);
  assert.ok(done.includes('tell peersChanged peer,passive'), 'their policies are put then');
  assert.equal(done.at(-1), 'tell configured');
  done.length = 0;
  await say({ kind: 'reloaded', renew: ['passive'], renewIdentities: [], renegotiate: false });
  const others = ['learn peer,passive', 'tell peersChanged peer,passive', 'tell configured'];
  assert.deepEqual(done, ['learn peer,passive', 'tell reloaded', ...others]);
});

it('says so when the peers that are only waited for cannot be looked at', async (t) => {
  let calls = 0;
  const { done, say } = setUp(t, async () => {
    calls++;
    if (calls > 1) throw new RangeError('no socket');
  });
  await say({ kind: 'reconfigured' });
  assert.match(done.at(-1) ?? '', /^error isakmpd: fault while carrying out reconfigured: RangeError: no socket at /);
});

it('c makes a connection part of its peer, which the lanes hear of before it is begun', async (t) => {
  const { done, say } = setUp(t);
  await say({ kind: 'connect', name: 'TUNNEL' });
  assert.deepEqual(done.slice(0, 3), ['changed peer', 'learn peer', 'tell connect']);
});

it('c of a name without a phase is refused in the words of the original', async (t) => {
  const { done, say } = setUp(t);
  await say({ kind: 'connect', name: 'one' });
  assert.equal(done[0], 'notice exchange_establish: peer "one" does not have a correct phase (0)');
  assert.ok(!done.includes('tell connect'));
});

it('an edit reaches the lanes when the edits pause', (t) => {
  const { configuration, done } = setUp(t);
  configuration.store.set('peer', 'Port', '501', true);
  t.mock.timers.tick(99);
  configuration.store.set('peer', 'Authentication', 'other', true);
  t.mock.timers.tick(99);
  assert.deepEqual(done, []);
  t.mock.timers.tick(2);
  assert.deepEqual(done, ['changed peer']);
});

it('the connection core hears which peers an edit has changed, once their addresses are known', async (t) => {
  const { configuration, operator, done } = setUp(t);
  configuration.store.set('peer', 'Port', '501', true);
  operator.upToDate();
  await nextTurn();
  assert.deepEqual(done, ['changed peer', 'learn peer', 'tell peersChanged peer']);
});

it('an edit reaches the lanes at once when somebody needs the configuration', (t) => {
  const { configuration, operator, done } = setUp(t);
  configuration.store.set('peer', 'Port', '501', true);
  configuration.store.set('General', 'Retransmits', '9', true);
  assert.equal(operator.upToDate(), configuration);
  assert.deepEqual(done, ['changed peer', 'general', 'places']);
  operator.upToDate();
  t.mock.timers.tick(1000);
  assert.equal(done.length, 3);
});

it('an edit of [General] reaches the lanes although somebody has read it meanwhile', (t) => {
  const { configuration, done } = setUp(t);
  configuration.store.set('General', 'Retransmits', '9', true);
  assert.equal(configuration.general().policy.retransmits, 9);
  t.mock.timers.tick(101);
  assert.deepEqual(done, ['general', 'places']);
});

it('says so when an event cannot be carried out, and goes on with the next', async (t) => {
  let isBroken = true;
  const { done, say } = setUp(t, async () => {
    if (isBroken) throw new RangeError('no socket');
  });
  await say({ kind: 'teardownAll' });
  isBroken = false;
  await say({ kind: 'teardownAll' });
  assert.match(done[1] ?? '', /^error isakmpd: fault while carrying out teardownAll: RangeError: no socket at /);
  assert.equal(done.at(-1), 'tell teardownAll');
});

it('has the policies of passive connections with addresses in the kernel while names of hosts are still looked up', async (t) => {
  const never = new Promise<void>(() => {});
  const { done, say } = setUp(t, (peers) => (peers.includes('named') ? never : Promise.resolve()), TEXT + NAMED);
  await say({ kind: 'reconfigured' });
  assert.deepEqual(done.slice(done.indexOf('tell reconfigured') + 1), [
    'learn peer',
    'tell peersChanged peer',
    'learn named',
  ]);
});

it('is settled when the connection core has heard of all peers', async (t) => {
  const { operator, done } = setUp(t);
  operator.tell({ kind: 'reconfigured' });
  await operator.settled();
  assert.equal(done.at(-1), 'tell configured');
});
