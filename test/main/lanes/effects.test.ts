import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createEffects } from '../../../src/main/lanes/effects.ts';
import type { LaneEffect } from '../../../src/shared/threads/contract.ts';
import { recordOf } from '../../helpers/log-record.ts';

it('sends, prints and hands the rest to the supervisor, in order', () => {
  const done: string[] = [];
  const carryOut = createEffects({
    trustReview: { established: () => {} },
    network: { send: (path, bytes) => void done.push(`send ${bytes.length} to ${path.remote.address}`) },
    log: { write: (record) => void done.push(`log ${record.text}`) },
    capture: {
      record: ({ bytes }) => void done.push(`capture ${bytes.length}`),
      recordKey: (_cookie, key) => void done.push(`key ${key.join(' ')}`),
    },
    supervisor: { laneEffect: (lane, effect) => void done.push(`${effect.kind} of lane ${lane}`) },
    faults: { dropped: (_what, fault) => assert.fail(String(fault)) },
  });
  const end = { address: '192.0.2.1', port: 500 };
  const record = recordOf('up');
  const key = Uint8Array.of(7, 8, 9);
  const effects: readonly LaneEffect[] = [
    { kind: 'phase1Resumed', isakmp: 'x' },
    { kind: 'send', path: { local: end, remote: end, encapsulated: false }, bytes: new Uint8Array(5) },
    {
      kind: 'captured',
      path: { local: end, remote: end, encapsulated: false },
      isSent: true,
      bytes: new Uint8Array(4),
    },
    { kind: 'captureKey', initiatorCookie: new Uint8Array(8), key },
    { kind: 'log', record },
    { kind: 'phase1Gone', isakmp: 'x', why: 'expired' },
  ];
  carryOut(3, effects);
  assert.deepEqual(done, [
    'phase1Resumed of lane 3',
    'send 5 to 192.0.2.1',
    'capture 4',
    'key 7 8 9',
    'log up',
    'phase1Gone of lane 3',
  ]);
  assert.deepEqual(key, new Uint8Array(3));
});

it('erases a key even when it cannot be written', () => {
  const key = Uint8Array.of(7, 8, 9);
  const carryOut = createEffects({
    trustReview: { established: () => {} },
    network: { send: () => {} },
    log: { write: () => {} },
    capture: {
      record: () => {},
      recordKey: () => {
        throw new RangeError('no');
      },
    },
    supervisor: { laneEffect: () => {} },
    faults: { dropped: () => {} },
  });
  carryOut(0, [{ kind: 'captureKey', initiatorCookie: new Uint8Array(8), key }]);
  assert.deepEqual(key, new Uint8Array(3));
});

it('threats "poison packet": an effect that fails is dropped and told of, the next ones are carried out', () => {
  const done: string[] = [];
  const carryOut = createEffects({
    trustReview: { established: () => {} },
    network: { send: () => {} },
    log: { write: () => {} },
    capture: { record: () => {}, recordKey: () => {} },
    supervisor: {
      laneEffect: (_lane, effect) => {
        if (effect.kind === 'phase1Resumed') throw new RangeError('poison');
        done.push(effect.kind);
      },
    },
    faults: { dropped: (what, fault) => done.push(`${what} dropped: ${fault}`) },
  });
  carryOut(0, [
    { kind: 'phase1Resumed', isakmp: 'x' },
    { kind: 'phase1Expiring', isakmp: 'x' },
  ]);
  assert.deepEqual(done, ['phase1Resumed dropped: RangeError: poison', 'phase1Expiring']);
});
