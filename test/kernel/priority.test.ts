import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Breadth, LAST_PRIORITY, priorityOf } from '../../src/kernel/priority.ts';

const ends = fc
  .tuple(
    fc.constantFrom(0, 6, 17),
    fc.array(fc.record({ prefixLength: fc.integer({ min: 0, max: 128 }), port: fc.constantFrom(0, 80, 500) }), {
      minLength: 2,
      maxLength: 2,
    }),
  )
  .map(([protocol, both]) => both.map((end) => ({ ...end, protocol })));

/** Whether everything that `inner` lets through passes `outer` as well, and less. */
const isWithin = (inner: Breadth, outer: Breadth): boolean =>
  inner.prefixLength >= outer.prefixLength &&
  (outer.protocol === 0 || inner.protocol === outer.protocol) &&
  (outer.port === 0 || inner.port === outer.port);

describe('the order of policies', () => {
  it('puts a flow before every flow that it lies within', () => {
    fc.assert(
      fc.property(ends, ends, ([local, remote], [outerLocal, outerRemote]) => {
        assert.ok(local && remote && outerLocal && outerRemote);
        const isInner = isWithin(local, outerLocal) && isWithin(remote, outerRemote);
        const isOuter = isWithin(outerLocal, local) && isWithin(outerRemote, remote);
        if (isInner && !isOuter) assert.ok(priorityOf(local, remote) < priorityOf(outerLocal, outerRemote));
      }),
    );
  });

  it('is decided by prefixes first, then by the protocol, then by ports', () => {
    const any = { protocol: 0, port: 0 };
    const net = { prefixLength: 24, ...any };
    const order = [
      priorityOf({ prefixLength: 25, ...any }, net),
      priorityOf({ prefixLength: 24, protocol: 6, port: 80 }, { prefixLength: 24, protocol: 6, port: 80 }),
      priorityOf({ prefixLength: 24, protocol: 6, port: 0 }, { prefixLength: 24, protocol: 6, port: 80 }),
      priorityOf({ prefixLength: 24, protocol: 6, port: 0 }, { prefixLength: 24, protocol: 6, port: 0 }),
      priorityOf(net, net),
    ];
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      order,
    );
    assert.equal(new Set(order).size, order.length);
  });

  it('leaves room on both sides', () => {
    const widest = { prefixLength: 0, protocol: 0, port: 0 };
    const narrowest = { prefixLength: 128, protocol: 6, port: 80 };
    assert.ok(priorityOf(widest, widest) < LAST_PRIORITY);
    assert.ok(priorityOf(narrowest, narrowest) > 0);
  });

  it('refuses prefixes that no address has', () => {
    const long = { prefixLength: 200, protocol: 0, port: 0 };
    assert.throws(() => priorityOf(long, long), { name: 'InvariantError', message: 'prefixes of 400 bits in all' });
  });
});
