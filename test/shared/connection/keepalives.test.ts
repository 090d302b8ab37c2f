import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NatTraversal } from '../../../src/shared/threads/contract.ts';
import { ConnectionBench } from '../../helpers/connection-bench.ts';

const BEHIND: NatTraversal = { isLocalBehind: true, isRemoteBehind: false, dialect: 'rfc' };

/** When keepalives were sent, in seconds from now, and where to. */
const sentWhile = (bench: ConnectionBench, milliseconds: number): readonly string[] => {
  const sent: string[] = [];
  const begin = bench.now;
  for (let passed = 0; passed < milliseconds; passed += 1000) {
    const before = bench.effects.length;
    bench.pass(1000);
    for (const effect of bench.effects.slice(before)) {
      if (effect.kind === 'keepalive') sent.push(`${(bench.now - begin) / 1000} ${effect.path.remote.port}`);
    }
  }
  return sent;
};

test('a NAT before us is kept awake every NAT-T-Keepalive seconds from the first', () => {
  const bench = new ConnectionBench();
  bench.phase1({ nat: BEHIND });
  assert.deepEqual(sentWhile(bench, 65_000), ['20 500', '40 500', '60 500']);
});

test('a NAT before the peer is the peer’s to keep awake', () => {
  const bench = new ConnectionBench();
  bench.phase1({ nat: { ...BEHIND, isLocalBehind: false, isRemoteBehind: true } });
  assert.deepEqual(sentWhile(bench, 60_000), []);
});

test('one is enough for all SAs of a mapping, and it goes on until the last of them is gone', () => {
  const bench = new ConnectionBench();
  const [first, second] = [bench.phase1({ nat: BEHIND }), bench.phase1({ nat: BEHIND })];
  const pair = bench.quickMode({ isakmp: first, nat: BEHIND });
  assert.deepEqual(sentWhile(bench, 20_000), ['20 500']);
  for (const isakmp of [first, second]) bench.lane({ kind: 'phase1Gone', isakmp, why: 'expired' });
  assert.deepEqual(sentWhile(bench, 20_000), ['20 500'], 'the IPsec SAs need it');
  bench.peerDeletes(pair);
  assert.deepEqual(sentWhile(bench, 60_000), []);
});

test('an ISAKMP SA that has moved is kept awake where it is', () => {
  const bench = new ConnectionBench();
  const isakmp = bench.phase1({ nat: { ...BEHIND, isRemoteBehind: true } });
  const path = {
    local: { address: '192.0.2.1', port: 4500 },
    remote: { address: '10.0.0.1', port: 777 },
    encapsulated: true,
  };
  bench.lane({ kind: 'phase1Moved', isakmp, path });
  assert.deepEqual(sentWhile(bench, 20_000), ['20 777']);
});
