/** CRLs that the openssl tool made. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { refusedFor, taken } from '../../helpers/certificate-paths.ts';
import { CA, NEEDS_OPENSSL, opensslPki } from '../../helpers/openssl-pki.ts';

describe('a path with CRLs', NEEDS_OPENSSL, () => {
  const pki = opensslPki();
  after(pki.remove);
  const root = pki.certificate({ subject: '/CN=root', extensions: CA });
  const sub = pki.certificate({ subject: '/CN=sub', issuer: root, extensions: CA });
  const gate = pki.certificate({ subject: '/C=SE/CN=gate', issuer: sub });
  const trust = { trusted: [root], untrusted: [sub] };
  const crl = pki.crl(sub, [{ of: gate, reason: 'keyCompromise' }]);
  const other = pki.certificate({ subject: '/CN=other gate', issuer: sub });
  const old = { last: '250101000000Z', next: '250201000000Z' };

  it('is refused for the revoked certificate, no other', () => {
    refusedFor(
      gate,
      { ...trust, crls: [crl] },
      /^certificate of \/C=SE\/CN=gate: revoked on 2026-01-01 00:00:00 UTC \(keyCompromise\) by the CRL of \/CN=sub$/,
    );
    taken(other, { ...trust, crls: [crl] });
  });

  it('is refused below a CA whose only CRL has expired, unless stale ones are accepted, with a warning', () => {
    const stale = pki.crl(sub, [{ of: gate }], old);
    refusedFor(
      other,
      { ...trust, crls: [stale] },
      /the CRL of \/CN=sub has expired: a new one was due on 2025-02-01 00:00:00 UTC; load a new one/,
    );
    const settings = { acceptStaleLists: true };
    assert.match(
      taken(other, { ...trust, crls: [stale], settings }).warnings.join(),
      /the CRL of \/CN=sub has expired/,
    );
    refusedFor(gate, { ...trust, crls: [stale], settings }, /revoked/);
  });

  it('goes by the newest CRL where an old one is there too', () => {
    const stale = pki.crl(sub, [{ of: other }], old);
    taken(other, { ...trust, crls: [stale, crl] });
    refusedFor(gate, { ...trust, crls: [stale, crl] }, /revoked/);
  });

  it('is taken below a CA without CRL, unless they are required of every CA', () => {
    taken(other, { ...trust, crls: [crl] });
    const settings = { requireRevocationList: true };
    refusedFor(
      other,
      { ...trust, crls: [crl], settings },
      /certificate of \/CN=sub: no CRL of \/CN=root that tells of it is loaded/,
    );
    taken(other, { ...trust, crls: [crl, pki.crl(root, [])], settings });
  });

  it('is refused where somebody else signed the CRL in the name of the CA', () => {
    const impostor = pki.certificate({ subject: '/CN=sub', extensions: CA });
    refusedFor(
      other,
      { ...trust, crls: [pki.crl(impostor, [])] },
      /the CRL of \/CN=sub was not signed by a certificate of that name/,
    );
    // A CRL by the right one is there as well: the foreign one does no harm.
    taken(other, { ...trust, crls: [pki.crl(impostor, [{ of: other }]), crl] });
  });
});
