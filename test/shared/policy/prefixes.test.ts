/** Identities as prefixes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAddress } from '../../../src/shared/address.ts';
import { identityFromText } from '../../../src/shared/policy/identity.ts';
import { prefixesOf } from '../../../src/shared/policy/prefixes.ts';

const textsOf = (identity: string): readonly string[] | undefined =>
  prefixesOf(identityFromText(identity))?.map(({ address, prefixLength }) => `${address}/${prefixLength}`);

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ['10.0.0.1', ['10.0.0.1/32']],
  ['10.1.2.3/255.255.0.0', ['10.1.0.0/16']],
  ['0.0.0.0/0.0.0.0', ['0.0.0.0/0']],
  ['10.0.0.0-10.0.0.255', ['10.0.0.0/24']],
  ['10.0.0.1-10.0.0.6', ['10.0.0.1/32', '10.0.0.2/31', '10.0.0.4/31', '10.0.0.6/32']],
  ['0.0.0.0-255.255.255.255', ['0.0.0.0/0']],
  ['2001:db8::/ffff:ffff::', ['2001:db8::/32']],
  ['2001:db8::1-2001:db8::2', ['2001:db8::1/128', '2001:db8::2/128']],
  ['::/::', ['::/0']],
];

for (const [identity, prefixes] of CASES) {
  test(`${identity} is ${prefixes.join(', ')}`, () => assert.deepEqual(textsOf(identity), prefixes));
}

test('names have no prefixes', () => assert.equal(textsOf('gate.example.org'), undefined));

test('protocol and port go with every prefix', () => {
  const prefixes = prefixesOf({ ...identityFromText('10.0.0.1-10.0.0.2'), protocol: 17, port: 53 });
  assert.deepEqual(
    prefixes?.map(({ protocol, port }) => [protocol, port]),
    [
      [17, 53],
      [17, 53],
    ],
  );
});

test('the prefixes of a range follow each other without gap or overlap, and there are at most 62', () => {
  const word = fc.nat({ max: 0xffffffff });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const [first, last] = [Math.min(a, b), Math.max(a, b)];
      let next = first;
      const prefixes = prefixesOf(identityFromText(`${quad(first)}-${quad(last)}`)) ?? [];
      for (const { address, prefixLength } of prefixes) {
        assert.equal(address, quad(next));
        assert.equal(next % 2 ** (32 - prefixLength), 0);
        next += 2 ** (32 - prefixLength);
      }
      assert.equal(next, last + 1);
      assert.ok(prefixes.length <= 62);
    }),
  );
});

const quad = (word: number): string => {
  const text = [24, 16, 8, 0].map((shift) => (word >>> shift) & 255).join('.');
  assert.ok(parseAddress(text));
  return text;
};
