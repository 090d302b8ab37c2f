import assert from 'node:assert/strict';
import { extname } from 'node:path';
import { it, type TestContext } from 'node:test';
import { LaneLink } from '../../../src/main/lanes/lane-link.ts';
import { Lanes } from '../../../src/main/lanes/lanes.ts';
import { NO_CREDENTIALS } from '../../../src/shared/credentials/credential-files.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import { createDebugLevels } from '../../../src/shared/log/classes.ts';
import type { GeneralPolicy, PeerPolicy } from '../../../src/shared/policy/peer-policy.ts';
import { createSaTable } from '../../../src/shared/sa-table/sa-table.ts';
import type { LaneEffect, LaneEvent } from '../../../src/shared/threads/contract.ts';
import { monotonicNow } from '../../../src/workers/lane-thread.ts';

const end = { address: '192.0.2.1', port: 500 };
const path = { local: end, remote: { address: '2001:db8::7', port: 4500 }, encapsulated: true };
const datagram = (n: number): LaneEvent => ({
  kind: 'datagram',
  path,
  peer: '',
  firstContact: false,
  bytes: Uint8Array.of(n & 0xff, n >> 8),
});
const command = (reason: string): LaneEvent => ({ kind: 'refused', exchange: 0, reason });
const general: GeneralPolicy = {
  retransmits: 3,
  fragmentSize: 1280,
  exchangeMaxTimeSeconds: 120,
  connectionlessSuites: [],
  identitySecrets: new Map(),
  encapsulationPort: undefined,
};
const peerPolicy = (name: string, port: number): PeerPolicy => ({
  name,
  address: undefined,
  localAddress: undefined,
  port,
  exchangeType: 2,
  configuration: 'Default-phase-1-configuration',
  transforms: [],
  preSharedKey: Uint8Array.of(1, 2, 3),
  localId: undefined,
  remoteId: undefined,
  checkSuites: true,
  legacyCrypto: false,
  unique: 'replace',
  deleteChildren: false,
  sha2Truncation96: false,
  fragmentation: true,
  forceEncapsulation: false,
  connections: [],
});

/** What a lane said, in short words: datagrams by their number. */
const short = (effect: LaneEffect): string => {
  if (effect.kind === 'log') return effect.record.text;
  return effect.kind === 'send' ? String((effect.bytes[0] ?? 0) + (effect.bytes[1] ?? 0) * 256) : effect.kind;
};

/** Lanes that echo, what they said so far, and a way to wait until one has said something. */
class Bench {
  readonly said: string[][];
  readonly lines: string[] = [];
  readonly lost: number[] = [];
  readonly ports = new Map<string, number>();
  readonly lanes: Lanes;
  onLost: (lane: number) => void = () => undefined;
  #wake: () => void = () => undefined;

  constructor(t: TestContext, count = 1, peersOf: readonly string[] = [], worker = 'echo-lane') {
    this.said = Array.from({ length: count }, () => []);
    this.lanes = new Lanes({
      count,
      table: createSaTable({ writers: count + 1, maxRows: 1000 }),
      keyRecords: 100,
      policies: {
        general: () => general,
        credentials: () => NO_CREDENTIALS,
        peer: (name) => {
          const port = this.ports.get(name);
          return port === undefined ? undefined : peerPolicy(name, port);
        },
      },
      levels: createDebugLevels(),
      groups: () => [],
      peersOf: () => peersOf,
      now: monotonicNow,
      log: { write: (record) => void this.lines.push(`${record.severity} ${record.text}`) },
      onEffects: (lane, effects) => {
        this.said[lane]?.push(...effects.map(short));
        this.#wake();
      },
      onLost: (lane) => {
        this.lost.push(lane);
        this.onLost(lane);
      },
      worker: new URL(`../../helpers/${worker}${extname(import.meta.url)}`, import.meta.url),
    });
    t.after(() => this.lanes.stop());
  }

  async until(lane: number, word: string): Promise<readonly string[]> {
    const said = this.said[lane] ?? [];
    while (!said.includes(word)) await new Promise<void>((resolve) => (this.#wake = resolve));
    return said;
  }

  /** Ends a lane's thread from outside. */
  async kill(lane: number): Promise<void> {
    const { threadId } = await this.lanes.statistics(lane);
    await this.lanes.threads.find((thread) => thread.threadId === threadId)?.terminate();
  }
}

it('has started when every lane has answered', async (t) => {
  const bench = new Bench(t, 2);
  await bench.lanes.started;
  const [one, other] = await Promise.all([bench.lanes.statistics(0), bench.lanes.statistics(1)]);
  assert.notEqual(one.threadId, other.threadId);
});

it('has not started when a lane dies before it ever answered', async (t) => {
  const bench = new Bench(t, 2, [], 'no-such-lane');
  await assert.rejects(bench.lanes.started, /^SystemError: lane [01] died: .*no-such-lane/s);
});

it('keeps the order of what it is told, and tells the settings first', async (t) => {
  const bench = new Bench(t);
  for (let n = 0; n < 1000; n++) bench.lanes.post(0, datagram(n));
  bench.lanes.post(0, command('end'));
  const numbers = Array.from({ length: 1000 }, (_, n) => String(n));
  assert.deepEqual(await bench.until(0, 'end'), ['general 3', 'credentials', ...numbers, 'end']);
});

it('gives every lane a thread of its own', async (t) => {
  const bench = new Bench(t, 3);
  const statistics = await Promise.all([0, 1, 2].map((lane) => bench.lanes.statistics(lane)));
  assert.deepEqual(
    statistics.map(({ lane }) => lane),
    [0, 1, 2],
  );
  assert.equal(new Set(statistics.map(({ threadId }) => threadId)).size, 3);
});

it("serves a lane's timers", async (t) => {
  const bench = new Bench(t);
  bench.lanes.post(0, command('alarm'));
  await bench.until(0, 'alarm');
});

it('timer overflow: a deadline years away does not make the lane spin', async (t) => {
  const bench = new Bench(t, 2);
  bench.lanes.post(0, command('far'));
  await bench.until(0, 'far');
  // Twenty milliseconds pass on the other lane.
  bench.lanes.post(1, command('alarm'));
  await bench.until(1, 'alarm');
  bench.lanes.post(0, command('turns'));
  const said = await bench.until(0, 'turns');
  assert.ok(Number.parseInt(said.at(-2) ?? '', 10) <= 3, said.at(-2));
});

it('starts a lane again that dies, whatever it dies of', async (t) => {
  for (const how of ['exit', 'die', 'kill']) {
    const bench = new Bench(t);
    if (how === 'kill') await bench.kill(0);
    else bench.lanes.post(0, command(how));
    const said = await bench.until(0, 'takeOver');
    assert.deepEqual(said.slice(said.lastIndexOf('general 3')), ['general 3', 'credentials', 'takeOver'], how);
    assert.deepEqual(bench.lost, [0], how);
    assert.match(bench.lines[0] ?? '', /^error lane 0 died: .*; starting it again$/, how);
  }
});

it('tells a relaunched lane settings, its peers and takeOver before what is posted on its loss', async (t) => {
  const bench = new Bench(t, 1, ['a', 'b', 'gone']);
  bench.ports.set('a', 1).set('b', 2).set('c', 3);
  bench.onLost = (lane) => {
    bench.lanes.ensurePeer(lane, 'c');
    bench.lanes.post(lane, { kind: 'cancel', request: 9 });
  };
  await bench.kill(0);
  const said = await bench.until(0, 'cancel 9');
  const news = said.slice(said.lastIndexOf('general 3'));
  assert.deepEqual(news, ['general 3', 'credentials', 'peer a 1', 'peer b 2', 'takeOver', 'peer c 3', 'cancel 9']);
});

it('tells a relaunched lane of the capture that runs, after takeOver', async (t) => {
  const bench = new Bench(t);
  bench.lanes.capture({ withKeys: true });
  bench.lanes.post(0, command('exit'));
  bench.onLost = (lane) => bench.lanes.post(lane, command('again'));
  const said = await bench.until(0, 'again');
  assert.deepEqual(said.slice(said.indexOf('takeOver')), ['takeOver', 'capture true true', 'again']);
});

it('tells a relaunched lane of no capture that has ended', async (t) => {
  const bench = new Bench(t);
  bench.lanes.capture({ withKeys: true });
  bench.lanes.capture(undefined);
  bench.lanes.post(0, command('exit'));
  bench.onLost = (lane) => bench.lanes.post(lane, command('again'));
  const said = await bench.until(0, 'again');
  assert.deepEqual(said.slice(said.indexOf('takeOver')), ['takeOver', 'again']);
});

it('leaves the other lanes alone when one dies', async (t) => {
  const bench = new Bench(t, 2);
  const before = await bench.lanes.statistics(1);
  await bench.kill(0);
  await bench.until(0, 'takeOver');
  assert.equal((await bench.lanes.statistics(1)).threadId, before.threadId);
  assert.deepEqual(bench.lost, [0]);
});

it('hands out no late effects of a dead lane', async (t) => {
  const bench = new Bench(t);
  const { threadId } = await bench.lanes.statistics(0);
  const thread = bench.lanes.threads.find((one) => one.threadId === threadId);
  bench.onLost = () => {
    bench.said[0]?.push('lost');
    bench.lanes.post(0, command('end'));
  };
  for (let n = 0; bench.lost.length === 0; n++) {
    for (let i = 0; i < 50; i++) bench.lanes.post(0, datagram(n));
    if (n === 50) void thread?.terminate();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  const said = await bench.until(0, 'end');
  assert.deepEqual(said.slice(said.indexOf('lost')), ['lost', 'general 3', 'credentials', 'takeOver', 'end']);
});

it('fails the calls that wait for a lane that dies', async (t) => {
  const bench = new Bench(t);
  const { threadId } = await bench.lanes.statistics(0);
  void bench.lanes.threads.find((thread) => thread.threadId === threadId)?.terminate();
  const call = bench.lanes.statistics(0);
  await assert.rejects(call, (fault) => fault instanceof SystemError && /^lane 0 died: /.test(fault.message));
  await bench.until(0, 'takeOver');
  assert.equal((await bench.lanes.statistics(0)).lane, 0);
});

it('fails a call that is not answered in time', async () => {
  const policies = { general: () => general, credentials: () => NO_CREDENTIALS, peer: () => undefined };
  const link = new LaneLink(4, policies, () => undefined);
  await assert.rejects(link.statistics(1), /^SystemError: lane 4 did not answer \(statistics\) within 1 ms$/);
  link.close(new SystemError('over'));
});

it('poison packet: does not crash-loop, the second death in a row waits', async (t) => {
  const bench = new Bench(t);
  bench.onLost = (lane) => {
    if (bench.lost.length < 3) bench.lanes.post(lane, command('exit'));
  };
  bench.lanes.post(0, command('exit'));
  await bench.until(0, 'takeOver');
  assert.deepEqual(
    bench.lines.map((line) => line.replace(/.*; /, '')),
    ['starting it again', 'starting it again in 250 ms', 'starting it again in 500 ms'],
  );
});

it('goes on after a fault inside an exchange', async (t) => {
  const bench = new Bench(t);
  bench.lanes.post(0, command('throw'));
  bench.lanes.post(0, command('end'));
  const said = await bench.until(0, 'end');
  assert.match(said.join('\n'), /lane 0: refused dropped, internal fault: RangeError: thrown in a step/);
  assert.deepEqual(bench.lost, []);
});

it('sends a policy once, and again when it has changed', async (t) => {
  const bench = new Bench(t);
  bench.ports.set('a', 1);
  assert.equal(bench.lanes.ensurePeer(0, 'a'), true);
  assert.equal(bench.lanes.ensurePeer(0, 'a'), true);
  bench.ports.set('a', 2);
  bench.lanes.peerChanged('a');
  bench.lanes.peerChanged('other');
  bench.lanes.post(0, command('end'));
  assert.deepEqual(await bench.until(0, 'end'), ['general 3', 'credentials', 'peer a 1', 'peer a 2', 'end']);
});

it('tells the lanes of a peer that is gone, and knows no policy for it any more', async (t) => {
  const bench = new Bench(t);
  bench.ports.set('a', 1);
  bench.lanes.ensurePeer(0, 'a');
  bench.ports.delete('a');
  bench.lanes.peerChanged('a');
  bench.lanes.generalChanged();
  assert.deepEqual(await bench.until(0, 'peerGone a'), [
    'general 3',
    'credentials',
    'peer a 1',
    'general 3',
    'peerGone a',
  ]);
  assert.equal(bench.lanes.ensurePeer(0, 'a'), false);
});

it('stops after everything that was posted, and hands out the last effects', async (t) => {
  const bench = new Bench(t, 2);
  for (let n = 0; n < 500; n++) for (const lane of [0, 1]) bench.lanes.post(lane, datagram(n));
  await bench.lanes.stop();
  for (const said of bench.said) assert.equal(said.at(-1), '499');
  assert.deepEqual([bench.lanes.threads.length, bench.lost.length], [0, 0]);
});

it('stops while a lane waits to be started again', async (t) => {
  const bench = new Bench(t);
  const waiting = new Promise<void>((resolve) => {
    bench.onLost = () => (bench.lost.length === 2 ? resolve() : bench.lanes.post(0, command('exit')));
  });
  bench.lanes.post(0, command('exit'));
  await waiting;
  await bench.lanes.stop();
  assert.equal(bench.lost.length, 2);
});
