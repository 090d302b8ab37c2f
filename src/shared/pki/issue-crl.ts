/** CRLs (RFC 5280 section 5.1) of a CA of our own: complete ones, each the successor of the one before. */
import type { KeyObject } from 'node:crypto';
import type { Certificate } from '../x509/certificate.ts';
import { integer, sequence, time } from '../x509/der-build.ts';
import { readDer } from '../x509/der-element.ts';
import { REVOCATION_REASONS } from '../x509/revocation-list.ts';
import { authorityKeyIdentifier, crlNumber, reasonCode, taggedExtensions } from './extensions.ts';
import { keyIdentifierOfAuthority } from './issue-certificate.ts';
import { signedDer } from './sign-der.ts';

export interface RevokedCertificate {
  /** The INTEGER's bytes as hex digits. */
  readonly serialNumber: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** One of REVOCATION_REASONS; undefined: none is given. */
  readonly reason: string | undefined;
}

/** Times are in ms since 1970. */
export interface CrlWish {
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly number: bigint;
  readonly revoked: readonly RevokedCertificate[];
}

/** DER of a CRL by `authority`, whose private key is `key`. */
export const issueCrl = (wish: CrlWish, authority: Certificate, key: KeyObject): Uint8Array => {
  const entries = wish.revoked.map(({ serialNumber, at, reason }) => {
    const code = REVOCATION_REASONS.indexOf(reason ?? '');
    // Section 5.3.1: unspecified is told by saying nothing.
    const extensions = code > 0 ? [sequence(reasonCode(code))] : [];
    return sequence(integer(Buffer.from(serialNumber, 'hex')), time(at), ...extensions);
  });
  const number = wish.number.toString(16);
  const extensions = [
    authorityKeyIdentifier(keyIdentifierOfAuthority(authority)),
    crlNumber(Buffer.from(number.length % 2 === 0 ? number : `0${number}`, 'hex')),
  ];
  return signedDer(
    (algorithm) =>
      sequence(
        integer(VERSION_2),
        algorithm,
        readDer(authority.subject.der, 'issuer'),
        time(wish.thisUpdate),
        time(wish.nextUpdate),
        // Section 5.1.2.6: an empty list is left out.
        ...(entries.length === 0 ? [] : [sequence(...entries)]),
        taggedExtensions(0, extensions),
      ),
    key,
  );
};

const VERSION_2 = Uint8Array.of(1);
