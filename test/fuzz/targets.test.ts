/** A few inputs of each target of `npm run fuzz`, which tries more: no fault, and mutants of every kind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../helpers/prng.ts';
import { TARGETS } from './targets.ts';

/** Mutants that get past the first checks have to be there: what is tested is more than a parser's first line. */
const LEAST: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  certificate: { unread: 500, read: 50 },
  crl: { unread: 500, read: 50 },
  pkcs7: { unread: 500, read: 50 },
  'x509-payload': { 'refused (unknown)': 100, 'refused (certificate)': 50, proven: 50 },
  keynote: { unread: 100, read: 100 },
  // Some changes are in comments, in white space of a signature, or take a credential away that is not needed.
  'keynote-payload': { unread: 50, refused: 500, proven: 1 },
  policy: { 'read, 2 of 2 permitted': 100, 'read, 1 of 2 permitted': 50, 'read in part, 0 of 2 permitted': 20 },
};

test('every target is tried', () => {
  assert.deepEqual(
    Object.keys(LEAST),
    TARGETS.map(({ name }) => name),
  );
});

for (const { name, about, skip, prepare } of TARGETS) {
  test(`hostile ${about}: npm run fuzz -- ${name}`, { skip }, () => {
    const fuzz = prepare();
    const outcomes: Record<string, number> = {};
    for (let seed = 1; seed <= INPUTS; seed++) {
      const outcome = fuzz(new Prng(seed));
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
    for (const [outcome, least] of Object.entries(LEAST[name] ?? {})) {
      assert.ok((outcomes[outcome] ?? 0) >= least, JSON.stringify(outcomes));
    }
  });
}

const INPUTS = 1500;
