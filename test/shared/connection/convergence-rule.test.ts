/** The rule of two pairs, alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareNonces, converge } from '../../../src/shared/connection/convergence.ts';

const nonce = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const older = { startedAt: 100, establishedAt: 200, lowestNonce: nonce(5, 5) };

test('a pair begun after the other was complete replaces it, whatever the nonces', () => {
  assert.equal(converge(older, { startedAt: 200, establishedAt: 300, lowestNonce: nonce(1, 1) }), 'replaces');
  assert.equal(converge(older, { startedAt: 250, establishedAt: 300, lowestNonce: nonce(9, 9) }), 'replaces');
});

test('of two simultaneous pairs the one with the lowest nonce loses, RFC 7296 section 2.8.1', () => {
  assert.equal(converge(older, { startedAt: 199, establishedAt: 300, lowestNonce: nonce(5, 4) }), 'loses');
  assert.equal(converge(older, { startedAt: 199, establishedAt: 300, lowestNonce: nonce(5, 6) }), 'wins');
});

test('both ends find for the same pair, in whatever order the two were complete', () => {
  const x = { startedAt: 0, lowestNonce: nonce(3) };
  const y = { startedAt: 0, lowestNonce: nonce(4) };
  assert.equal(converge({ ...x, establishedAt: 10 }, { ...y, establishedAt: 20 }), 'wins');
  assert.equal(converge({ ...y, establishedAt: 10 }, { ...x, establishedAt: 20 }), 'loses');
});

test('nonces are compared byte by byte, and of two equal beginnings the shorter is the lower', () => {
  assert.ok(compareNonces(nonce(1, 2), nonce(1, 3)) < 0);
  assert.ok(compareNonces(nonce(2), nonce(1, 9, 9)) > 0);
  assert.ok(compareNonces(nonce(1), nonce(1, 0)) < 0);
  assert.equal(compareNonces(nonce(1), nonce(1)), 0);
});
