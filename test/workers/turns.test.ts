import assert from 'node:assert/strict';
import { it } from 'node:test';
import { InvariantError } from '../../src/shared/errors.ts';
import { NO_ROUTE } from '../../src/shared/flow.ts';
import type { Identity } from '../../src/shared/policy/peer-policy.ts';
import type { Agreement, LaneEffect, LaneEvent, LaneExchanges } from '../../src/shared/threads/contract.ts';
import { BatchWriter, LANE_EFFECTS, LANE_EVENTS, readBatch } from '../../src/shared/threads/frames.ts';
import { type Core, Turns } from '../../src/workers/turns.ts';

const end = { address: '192.0.2.1', port: 500 };
const path = { local: end, remote: end, encapsulated: false };

/** A core whose datagrams are commands: first byte 1 = slow without Diffie-Hellman, 2 = slow with one, 3 = throws, 4 = takes 100 ms, else fast. */
class ScriptedCore implements Core {
  readonly counts = { isakmpSas: 0, halfOpen: 0, phase2Exchanges: 0 };
  diffieHellman = 0;
  clock = 0;
  handled: number[] = [];
  deadline: number | undefined;
  advanced = 0;
  advanceThrows = false;
  effects: LaneEffect[] = [];

  handle(event: LaneEvent): void {
    const [command = 0, number = 0] = event.kind === 'datagram' ? event.bytes : [];
    this.handled.push(number);
    this.clock += command === 4 ? 100 : 1;
    if (command === 2) this.diffieHellman++;
    if (command === 3) throw new InvariantError('poison');
  }

  weigh(event: LaneEvent): 'fast' | 'slow' {
    const [command = 0] = event.kind === 'datagram' ? event.bytes : [];
    return command === 1 || command === 2 ? 'slow' : 'fast';
  }

  advance(): void {
    this.advanced++;
    if (this.advanceThrows) throw new InvariantError('broken timer');
  }

  nextDeadline(): number | undefined {
    return this.deadline;
  }

  exchanges(): LaneExchanges {
    return { exchanges: [], omitted: 0 };
  }

  takeEffects(): readonly LaneEffect[] {
    return this.effects.splice(0);
  }
}

const batch = (...commands: readonly (readonly [number, number])[]): ArrayBuffer => {
  const writer = new BatchWriter<LaneEvent>(LANE_EVENTS);
  for (const command of commands) {
    writer.add({ kind: 'datagram', path, peer: '', firstContact: false, bytes: Uint8Array.from(command) });
  }
  return writer.take() ?? new ArrayBuffer(0);
};

const setUp = (): { readonly core: ScriptedCore; readonly turns: Turns } => {
  const core = new ScriptedCore();
  return { core, turns: new Turns(0, core, () => core.clock) };
};

const linesOf = (effects: ArrayBuffer | undefined): string[] =>
  effects === undefined
    ? []
    : readBatch(LANE_EFFECTS, effects).map((effect) => (effect.kind === 'log' ? effect.record.text : effect.kind));

it('takes established SAs first and one Diffie-Hellman a turn', () => {
  const { core, turns } = setUp();
  turns.accept(batch([2, 1], [0, 2], [2, 3], [0, 4]));
  turns.take();
  assert.deepEqual(core.handled, [2, 4, 1]);
  assert.equal(turns.busy, true);
  turns.accept(batch([0, 5]));
  turns.take();
  assert.deepEqual(core.handled, [2, 4, 1, 5, 3]);
  assert.equal(turns.busy, false);
});

it('goes on with slow events that took no Diffie-Hellman', () => {
  const { core, turns } = setUp();
  turns.accept(batch([1, 1], [1, 2], [2, 3], [2, 4]));
  turns.take();
  assert.deepEqual(core.handled, [1, 2, 3]);
});

it('DoS, CPU: ends a turn that takes too long, so that the port is served, and still serves both queues', () => {
  const { core, turns } = setUp();
  turns.accept(batch([4, 1], [4, 2], [1, 3], [1, 4]));
  turns.take();
  assert.deepEqual(core.handled, [1, 3, 4]);
  turns.take();
  assert.deepEqual(core.handled, [1, 3, 4, 2]);
});

it('poison packet: a fault drops that event alone and is told', () => {
  const { core, turns } = setUp();
  turns.accept(batch([0, 1], [3, 2], [0, 3]));
  const lines = linesOf(turns.take());
  assert.deepEqual(core.handled, [1, 2, 3]);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /^lane 0: datagram dropped, internal fault: InvariantError: poison at /);
});

it('poison packet: a flood of faults does not become a flood of lines', () => {
  const { core, turns } = setUp();
  turns.accept(batch(...Array.from({ length: 200 }, (): [number, number] => [3, 1])));
  let lines = 0;
  while (turns.busy) lines += linesOf(turns.take()).length;
  assert.equal(core.handled.length, 200);
  assert.equal(lines, 10);
});

it('survives what is not a batch', () => {
  const { turns } = setUp();
  turns.accept(Uint8Array.of(1, 2, 3).buffer);
  assert.match(linesOf(turns.take())[0] ?? '', /^lane 0: a batch dropped, internal fault: InvariantError/);
});

it('drops an effect that cannot be packed and sends the others', () => {
  const { core, turns } = setUp();
  const isakmp = 'x';
  core.effects = [
    { kind: 'phase1Expiring', isakmp },
    { kind: 'retire', isakmp, peer: '', remoteIdentity: '', protocolId: 1000, spis: [] },
    { kind: 'phase1Resumed', isakmp },
  ];
  const lines = linesOf(turns.take());
  assert.match(lines[1] ?? '', /^lane 0: retire dropped/);
  assert.deepEqual([lines[0], lines[2]], ['phase1Expiring', 'phase1Resumed']);
});

it('fires timers at each turn and tells when the next one is due', () => {
  const { core, turns } = setUp();
  assert.equal(turns.nextAt(), undefined);
  core.deadline = 50;
  assert.equal(turns.nextAt(), 50);
  turns.take();
  assert.equal(core.advanced, 1);
});

it('does not spin on a timer that throws', () => {
  const { core, turns } = setUp();
  core.deadline = 0;
  core.advanceThrows = true;
  turns.take();
  turns.take();
  assert.equal(core.advanced, 1);
  assert.equal(turns.nextAt(), 1000);
  core.clock = 1000;
  turns.take();
  assert.equal(core.advanced, 2);
});

it('tells once how many datagrams a full queue cost', () => {
  const { core, turns } = setUp();
  const flood = Array.from({ length: 2060 }, (): [number, number] => [2, 1]);
  turns.accept(batch(...flood));
  assert.deepEqual(linesOf(turns.take()), ['lane 0: 12 messages dropped, too many wait for their key exchange']);
  turns.accept(batch(...flood));
  assert.deepEqual(linesOf(turns.take()), []);
  core.clock += 10_000;
  assert.match(linesOf(turns.take())[0] ?? '', /^lane 0: 20\d\d messages dropped/);
});

it('finishes with every fast event and no slow one', () => {
  const { core, turns } = setUp();
  turns.accept(batch([4, 1], [4, 2], [1, 3]));
  turns.finish();
  assert.deepEqual(core.handled, [1, 2]);
});

it('lets the effects of a busy lane gather for a moment, and those of one that has nothing else to do go at once', () => {
  const { core, turns } = setUp();
  const resumed = (isakmp: string): LaneEffect => ({ kind: 'phase1Resumed', isakmp });
  turns.accept(batch([2, 1], [2, 2], [2, 3]));
  core.effects.push(resumed('a'));
  assert.equal(turns.take(), undefined);
  core.effects.push(resumed('b'));
  // A millisecond has passed since the first was packed.
  const both = readBatch(LANE_EFFECTS, turns.take() ?? assert.fail());
  assert.deepEqual(both, [resumed('a'), resumed('b')]);
  core.effects.push(resumed('c'));
  assert.deepEqual(readBatch(LANE_EFFECTS, turns.take() ?? assert.fail()), [resumed('c')]);
});

it('erases IPsec keys once they are packed, and packs them whole', () => {
  const { core, turns } = setUp();
  const keys = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5)] as const;
  const [encryptionKey, authenticationKey] = keys;
  core.effects.push({ kind: 'install', exchange: 1, agreement, sas: [{ ...sa, encryptionKey, authenticationKey }] });
  const [effect] = readBatch(LANE_EFFECTS, turns.take() ?? assert.fail());
  assert.ok(effect?.kind === 'install');
  assert.deepEqual(effect.sas[0]?.encryptionKey, Uint8Array.of(1, 2, 3));
  assert.deepEqual(effect.sas[0]?.authenticationKey, Uint8Array.of(4, 5));
  assert.deepEqual(keys, [new Uint8Array(3), new Uint8Array(2)]);
});

it('erases the key for a capture once it is packed, and packs it whole', () => {
  const { core, turns } = setUp();
  const key = Uint8Array.of(1, 2, 3);
  core.effects.push({ kind: 'captureKey', initiatorCookie: new Uint8Array(8), key });
  const [effect] = readBatch(LANE_EFFECTS, turns.take() ?? assert.fail());
  assert.ok(effect?.kind === 'captureKey');
  assert.deepEqual(effect.key, Uint8Array.of(1, 2, 3));
  assert.deepEqual(key, new Uint8Array(3));
});

const identity: Identity = { type: 1, protocol: 0, port: 0, data: Uint8Array.of(10, 0, 0, 1) };
const agreement: Agreement = {
  isakmp: '0'.repeat(32),
  peer: 'peer',
  connection: 'tunnel',
  role: 'responder',
  messageId: 1,
  path,
  localIdentity: '',
  remoteIdentity: '',
  localSelector: identity,
  remoteSelector: identity,
  peerChose: 'nothing',
  lifeSeconds: 0,
  lifeKilobytes: 0,
  group: 0,
  route: NO_ROUTE,
  startedAt: 0,
  lowestNonce: new Uint8Array(8),
  nat: undefined,
  protocols: [],
};
const sa = {
  direction: 'in',
  protocolId: 3,
  spi: 256,
  transformId: 12,
  authentication: 5,
  encapsulation: 1,
  keyLength: 128,
  source: end.address,
  destination: end.address,
  replayWindow: 64,
} as const;
