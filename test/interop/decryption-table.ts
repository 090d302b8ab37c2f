/** Which key decrypts which phase 1 of a capture. */
import { createHash, createHmac } from 'node:crypto';
import type { Key } from './party.ts';

/** What a capture shows in clear of one phase 1, all in hex; values of both sides one after the other, initiator first. */
export interface OpenPhase1 {
  readonly initiatorCookie: string;
  readonly responderCookie: string;
  readonly publicValues: string;
  readonly nonces: string;
}

export interface TableRow {
  readonly initiatorCookie: string;
  readonly key: string;
}

/** The key of each phase 1 that the peer finished: RFC 2409 appendix B, the first vector is hash(g^xi | g^xr), cut to the block size. */
export const fromPeer = (phase1s: readonly OpenPhase1[], keys: readonly Key[]): readonly TableRow[] =>
  phase1s.flatMap(({ initiatorCookie, publicValues }) => {
    const vectors = HASHES.map((hash) => createHash(hash).update(Buffer.from(publicValues, 'hex')).digest('hex'));
    const found = keys.find(({ iv }) => iv.length >= SHORTEST_BLOCK && vectors.some((vector) => vector.startsWith(iv)));
    return found === undefined ? [] : [{ initiatorCookie, key: found.key }];
  });

/**
 * The key that our side derives when its secret is not the peer's: RFC 2409 section 5 and appendix B for a hash that is at
 * least as long as the key. The peer still knows g^xy; it makes one agreement for each phase 1, in order.
 */
export const fromSecret = (
  phase1s: readonly OpenPhase1[],
  secret: string,
  sharedSecrets: readonly string[],
  hash: string,
  keyBytes: number,
): readonly TableRow[] =>
  phase1s
    .filter(({ responderCookie }) => /[1-9a-f]/.test(responderCookie))
    .flatMap((phase1, index) => {
      const shared = sharedSecrets[index];
      if (shared === undefined) return [];
      const prf = (key: Buffer, ...hex: readonly string[]) =>
        createHmac(hash, key)
          .update(Buffer.from(hex.join(''), 'hex'))
          .digest();
      const common = shared + phase1.initiatorCookie + phase1.responderCookie;
      const skeyid = prf(Buffer.from(secret), phase1.nonces);
      const skeyidD = prf(skeyid, common, '00');
      const skeyidA = prf(skeyid, skeyidD.toString('hex'), common, '01');
      const skeyidE = prf(skeyid, skeyidA.toString('hex'), common, '02');
      return [{ initiatorCookie: phase1.initiatorCookie, key: skeyidE.toString('hex').slice(0, keyBytes * 2) }];
    });

const HASHES = ['sha1', 'sha256', 'sha384', 'sha512'];
/** Of 3DES, in hex digits. */
const SHORTEST_BLOCK = 16;
