import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCertificate } from '../../../src/shared/x509/certificate.ts';
import { CertificateError } from '../../../src/shared/x509/certificate-error.ts';
import { certificatesOfPkcs7 } from '../../../src/shared/x509/pkcs7.ts';
import { parseRevocationList } from '../../../src/shared/x509/revocation-list.ts';
import { timeText } from '../../../src/shared/x509/time.ts';

test('any bytes are a certificate, a CRL or PKCS #7, or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      for (const read of [parseCertificate, parseRevocationList, certificatesOfPkcs7]) {
        assert.throws(() => read(bytes), CertificateError);
      }
    }),
  );
});

test('every second from 1950 to 9999 is told as the calendar has it', () => {
  const seconds = fc.integer({ min: Date.UTC(1950, 0) / 1000, max: Date.UTC(9999, 11, 31, 23, 59, 59) / 1000 });
  fc.assert(
    fc.property(seconds, (at) => {
      assert.equal(timeText(at * 1000), new Date(at * 1000).toISOString().replace('T', ' ').replace('.000Z', ' UTC'));
    }),
  );
});
