import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { LaneEvent } from '../../src/shared/threads/contract.ts';
import { LaneQueues } from '../../src/workers/queues.ts';

const end = { address: '192.0.2.1', port: 500 };
const path = { local: end, remote: end, encapsulated: false };
const datagram = (n: number): LaneEvent => ({
  kind: 'datagram',
  path,
  peer: '',
  firstContact: false,
  bytes: Uint8Array.of(n & 0xff, n >> 8),
});
const start = (request: number): LaneEvent => ({
  kind: 'startPhase1',
  request,
  peer: 'p',
  path,
  initiatorCookie: new Uint8Array(8),
  firstContact: false,
});
const slowOnes = (queues: LaneQueues): LaneEvent[] => {
  const events: LaneEvent[] = [];
  for (let event = queues.takeSlow(); event !== undefined; event = queues.takeSlow()) events.push(event);
  return events;
};

it('keeps the order of each queue', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant('put'), fc.constant('take'))), (steps) => {
      const queues = new LaneQueues({ fast: 10_000, slow: 10_000 });
      const model: LaneEvent[] = [];
      steps.forEach((step, n) => {
        if (step === 'take') assert.equal(queues.takeFast(), model.shift());
        else {
          model.push(datagram(n));
          queues.put(model.at(-1) ?? datagram(n), 'fast');
        }
        assert.equal(queues.fast, model.length);
      });
    }),
  );
});

it('keeps the order over thousands of events', () => {
  const queues = new LaneQueues({ fast: 10_000, slow: 10_000 });
  let put = 0;
  for (let round = 0; round < 5000; round++) {
    queues.put(datagram(put++), 'fast');
    queues.put(datagram(put++), 'fast');
    assert.deepEqual(queues.takeFast(), datagram(round));
  }
  assert.equal(queues.fast, 5000);
});

it('DoS, CPU: sheds the newest datagrams of a full slow queue and counts them', () => {
  const queues = new LaneQueues({ fast: 10, slow: 2 });
  const kept = [1, 2, 3, 4].map((n) => queues.put(datagram(n), 'slow'));
  assert.deepEqual(kept, [true, true, false, false]);
  assert.equal(queues.shed, 2);
  assert.deepEqual(slowOnes(queues), [datagram(1), datagram(2)]);
});

it('DoS, CPU: a full slow queue leaves the fast one alone', () => {
  const queues = new LaneQueues({ fast: 10, slow: 1 });
  queues.put(datagram(1), 'slow');
  queues.put(datagram(2), 'slow');
  assert.equal(queues.put(datagram(3), 'fast'), true);
  assert.deepEqual(queues.takeFast(), datagram(3));
});

it('never sheds what main asked for', () => {
  const queues = new LaneQueues({ fast: 1, slow: 1 });
  for (const n of [1, 2]) {
    queues.put(datagram(n), 'slow');
    queues.put(datagram(n), 'fast');
  }
  assert.equal(queues.put(start(7), 'slow'), true);
  assert.equal(queues.put({ kind: 'peerGone', name: 'p' }, 'fast'), true);
});

it('lets no cancel overtake the start that it means', () => {
  const queues = new LaneQueues({ fast: 10, slow: 10 });
  queues.put(start(7), 'slow');
  queues.put({ kind: 'cancel', request: 7 }, 'fast');
  queues.put({ kind: 'cancel', request: 8 }, 'fast');
  assert.deepEqual(queues.takeFast(), { kind: 'cancel', request: 8 });
  assert.deepEqual(slowOnes(queues), [start(7), { kind: 'cancel', request: 7 }]);
});

it('lets a cancel be fast again once its start was taken', () => {
  const queues = new LaneQueues({ fast: 10, slow: 10 });
  queues.put(start(7), 'slow');
  queues.takeSlow();
  queues.put({ kind: 'cancel', request: 7 }, 'fast');
  assert.equal(queues.fast, 1);
});

it('lets no message overtake the one before it under the same cookies', () => {
  const queues = new LaneQueues({ fast: 10, slow: 10 });
  const message = (cookie: number, last: number): LaneEvent => ({
    kind: 'datagram',
    path,
    peer: '',
    firstContact: false,
    bytes: Uint8Array.from({ length: 28 }, (_, i) => (i < 16 ? cookie : last)),
  });
  queues.put(message(1, 3), 'slow');
  queues.put(message(1, 4), 'fast');
  queues.put(message(2, 5), 'fast');
  assert.deepEqual(queues.takeFast(), message(2, 5));
  assert.deepEqual(slowOnes(queues), [message(1, 3), message(1, 4)]);
  queues.put(message(1, 6), 'fast');
  assert.deepEqual(queues.takeFast(), message(1, 6));
});

it('hands out no start while configuration that was sent ahead of it still waits', () => {
  const queues = new LaneQueues({ fast: 10, slow: 10 });
  const gone: LaneEvent = { kind: 'peerGone', name: 'p' };
  queues.put(datagram(1), 'fast');
  queues.put(gone, 'fast');
  queues.put(start(1), 'slow');
  assert.equal(queues.takeSlow(), undefined);
  assert.deepEqual(queues.takeFast(), datagram(1));
  assert.equal(queues.takeSlow(), undefined);
  assert.equal(queues.takeFast(), gone);
  assert.deepEqual(queues.takeSlow(), start(1));
});
