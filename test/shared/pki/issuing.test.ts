/** What is made here is read back by our own reader as what was meant, at every length and every date. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { issueAuthority } from '../../../src/shared/pki/issue-certificate.ts';
import { issueCrl } from '../../../src/shared/pki/issue-crl.ts';
import { nameFromText } from '../../../src/shared/policy/distinguished-name.ts';
import { parseCertificate } from '../../../src/shared/x509/certificate.ts';
import { integer, namedBits, time } from '../../../src/shared/x509/der-build.ts';
import { derOf, readDer, readInteger, readNamedBits } from '../../../src/shared/x509/der-element.ts';
import { parseRevocationList, REVOCATION_REASONS } from '../../../src/shared/x509/revocation-list.ts';
import { verifySignature } from '../../../src/shared/x509/signature.ts';
import { readTime } from '../../../src/shared/x509/time.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const subject = nameFromText('/C=SE/CN=CA') ?? new Uint8Array();
const seconds = fc.integer({ min: Date.UTC(1950, 0) / 1000, max: Date.UTC(9999, 0) / 1000 });

test('times read back to the second', () => {
  const reads = (milliseconds: number): void =>
    assert.equal(readTime(readDer(derOf(time(milliseconds)), 'time'), 'time'), milliseconds);
  for (const edge of [Date.UTC(2049, 11, 31, 23, 59, 59), Date.UTC(2050, 0), Date.UTC(1950, 0), 0]) reads(edge);
  fc.assert(fc.property(seconds, (second) => reads(second * 1000)));
});

test('times are UTCTime up to 2049 and GeneralizedTime from 2050 on', () => {
  assert.equal(Buffer.from(derOf(time(Date.UTC(2049, 11, 31, 23, 59, 59)))).toString('latin1', 2), '491231235959Z');
  assert.equal(Buffer.from(derOf(time(Date.UTC(2050, 0)))).toString('latin1', 2), '20500101000000Z');
});

test('numbers are positive and in their shortest form', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), (magnitude) => {
      const read = readInteger(readDer(derOf(integer(magnitude)), 'number'), 0x02, 'number');
      assert.equal(
        BigInt(`0x${Buffer.from(read).toString('hex')}`),
        BigInt(`0x${Buffer.from(magnitude).toString('hex')}`),
      );
      assert.ok((read[0] ?? 0) < 0x80);
      assert.ok(read.length === 1 || read[0] !== 0 || (read[1] ?? 0) >= 0x80);
    }),
  );
});

test('named bits read back', () => {
  for (let bits = 1; bits < 0x100; bits++) {
    assert.equal(readNamedBits(readDer(derOf(namedBits(bits)), 'bits'), 0x03, 'bits'), bits);
  }
});

const authority = parseCertificate(
  issueAuthority({ serialNumber: Uint8Array.of(1), notBefore: 0, notAfter: 1000 }, subject, privateKey),
);
const positive = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => {
  // As a certificate would have it: first bit 0, no byte too many.
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return Buffer.from(bytes).toString('hex');
});
const reason = fc.constantFrom(
  undefined,
  ...REVOCATION_REASONS.filter((name) => !['unspecified', 'unknown'].includes(name)),
);

test('CRLs of any length read back as they were meant', () => {
  const entry = fc.record(
    { serialNumber: positive, at: seconds.map((second) => second * 1000), reason },
    { noNullPrototype: true },
  );
  const entries = fc.uniqueArray(entry, { maxLength: 40, selector: ({ serialNumber }) => serialNumber });
  fc.assert(
    fc.property(entries, fc.bigInt({ min: 0n, max: 1n << 150n }), (revoked, number) => {
      const list = parseRevocationList(
        issueCrl({ thisUpdate: 0, nextUpdate: 1000, number, revoked }, authority, privateKey),
      );
      assert.equal(list.number, number);
      assert.deepEqual(
        [...list.revocations].map(([key, { at, reason: read }]) => ({
          serialNumber: key.split(' ')[0],
          at,
          reason: read,
        })),
        revoked,
      );
      assert.ok(authority.publicKey && verifySignature(list, authority.publicKey));
    }),
    { numRuns: 50 },
  );
});
