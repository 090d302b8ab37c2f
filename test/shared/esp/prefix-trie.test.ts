import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { InvariantError } from '../../../src/shared/errors.ts';
import { beginsWith, PrefixTrie } from '../../../src/shared/esp/prefix-trie.ts';

/** Few different bytes, so that prefixes often lie within each other. */
const address = fc.array(fc.constantFrom(0, 1, 127, 128, 192, 255), { minLength: 4, maxLength: 4 });
const prefix = fc.tuple(address, fc.nat(32));

const nameOf = (bytes: readonly number[], length: number): string =>
  bytes
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('')
    .slice(0, length);

describe('prefix trie', () => {
  it('finds what contains a prefix, and what lies within it', () => {
    fc.assert(
      fc.property(fc.array(prefix, { maxLength: 40 }), prefix, (members, [bytes, length]) => {
        const trie = new PrefixTrie<string>();
        const names = new Set(members.map(([member, size]) => nameOf(member, size)));
        for (const [member, size] of members) trie.set(Uint8Array.from(member), size, nameOf(member, size));
        const asked = nameOf(bytes, length);
        const inside = [...names].filter((name) => name.startsWith(asked));
        const around = [...names].filter((name) => asked.startsWith(name) && name !== asked);
        const found = (values: Iterable<string>): readonly string[] => [...values].sort();
        assert.deepEqual(found(trie.within(Uint8Array.from(bytes), length)), inside.sort());
        assert.deepEqual(found(trie.overlapping(Uint8Array.from(bytes), length)), [...inside, ...around].sort());
      }),
    );
  });

  it('agrees with a list of prefixes, whatever is added and removed', () => {
    const steps = fc.array(fc.tuple(prefix, fc.boolean()), { maxLength: 60 });
    fc.assert(
      fc.property(steps, fc.array(address, { maxLength: 20 }), (moves, probes) => {
        const trie = new PrefixTrie<string>();
        const list = new Map<string, string>();
        moves.forEach(([[bytes, length], isAdded], index) => {
          const name = nameOf(bytes, length);
          if (isAdded) {
            trie.set(Uint8Array.from(bytes), length, `value ${index}`);
            list.set(name, `value ${index}`);
          } else {
            trie.delete(Uint8Array.from(bytes), length);
            list.delete(name);
          }
          assert.equal(trie.size, list.size);
          assert.equal(trie.get(Uint8Array.from(bytes), length), list.get(name));
        });
        for (const bytes of probes) {
          const found: string[] = [];
          trie.collect(Uint8Array.from([9, ...bytes]), 1, found);
          const bits = nameOf(bytes, 32);
          const expected = [...list].filter(([name]) => bits.startsWith(name));
          expected.sort(([a], [b]) => a.length - b.length);
          assert.deepEqual(
            found,
            expected.map(([, value]) => value),
          );
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('takes addresses of 16 bytes', () => {
    const trie = new PrefixTrie<number>();
    const host = new Uint8Array(16).fill(0xab);
    trie.set(host, 128, 128);
    trie.set(host, 0, 0);
    const found: number[] = [];
    trie.collect(host, 0, found);
    assert.deepEqual(found, [0, 128]);
    assert.throws(() => trie.set(host, 129, 1), InvariantError);
  });

  it('compares the bits of a prefix and no more', () => {
    assert.ok(beginsWith(Uint8Array.of(10, 0x8f), 0, Uint8Array.of(10, 0x80), 12));
    assert.ok(!beginsWith(Uint8Array.of(10, 0x8f), 0, Uint8Array.of(10, 0x80), 13));
    assert.ok(beginsWith(Uint8Array.of(1, 2), 0, Uint8Array.of(3, 4), 0));
  });
});
