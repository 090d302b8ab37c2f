/** The algorithms of the matrix and what each of the three daemons calls them. */

export type Cipher = '3des' | 'aes128' | 'aes256';
export type Hash = 'sha1' | 'sha256' | 'sha384' | 'sha512';
export type Group = 2 | 5 | 14 | 15 | 16 | 19 | 20 | 21;

interface Names {
  /** Part of the name of a generated transform of isakmpd.conf(5). */
  readonly isakmpd: string;
  /** Keyword of a swanctl.conf proposal. */
  readonly charon: string;
  /** Keyword of ike= and phase2alg= in ipsec.conf. */
  readonly pluto: string;
}

export const CIPHERS: Readonly<Record<Cipher, Names>> = {
  '3des': { isakmpd: '3DES', charon: '3des', pluto: '3des' },
  aes128: { isakmpd: 'AES-128', charon: 'aes128', pluto: 'aes128' },
  aes256: { isakmpd: 'AES-256', charon: 'aes256', pluto: 'aes256' },
};

export const HASHES: Readonly<Record<Hash, Names>> = {
  sha1: { isakmpd: 'SHA', charon: 'sha1', pluto: 'sha1' },
  sha256: { isakmpd: 'SHA2-256', charon: 'sha256', pluto: 'sha2_256' },
  sha384: { isakmpd: 'SHA2-384', charon: 'sha384', pluto: 'sha2_384' },
  sha512: { isakmpd: 'SHA2-512', charon: 'sha512', pluto: 'sha2_512' },
};

export const GROUPS: Readonly<Record<Group, Names>> = {
  2: { isakmpd: 'GRP2', charon: 'modp1024', pluto: 'modp1024' },
  5: { isakmpd: 'GRP5', charon: 'modp1536', pluto: 'modp1536' },
  14: { isakmpd: 'GRP14', charon: 'modp2048', pluto: 'modp2048' },
  15: { isakmpd: 'GRP15', charon: 'modp3072', pluto: 'modp3072' },
  16: { isakmpd: 'GRP16', charon: 'modp4096', pluto: 'modp4096' },
  19: { isakmpd: 'GRP19', charon: 'ecp256', pluto: 'dh19' },
  20: { isakmpd: 'GRP20', charon: 'ecp384', pluto: 'dh20' },
  21: { isakmpd: 'GRP21', charon: 'ecp521', pluto: 'dh21' },
};

/** How `S` names the ESP algorithms: encryption, its key bytes, authentication, its key bytes (isakmpd.fifo `S`). */
export const ESP_LISTING: Readonly<Record<Cipher | Hash, { readonly name: string; readonly keyBytes: number }>> = {
  '3des': { name: '3DES', keyBytes: 24 },
  aes128: { name: 'AES (CBC)', keyBytes: 16 },
  aes256: { name: 'AES (CBC)', keyBytes: 32 },
  sha1: { name: 'HMAC-SHA1', keyBytes: 20 },
  sha256: { name: 'HMAC-SHA2-256', keyBytes: 32 },
  sha384: { name: 'HMAC-SHA2-384', keyBytes: 48 },
  sha512: { name: 'HMAC-SHA2-512', keyBytes: 64 },
};
