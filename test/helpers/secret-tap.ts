/**
 * Loaded before the daemon with `node --import` by a test: writes down every secret that passes through node:crypto in this thread (HMAC keys and
 * results, cipher keys, private Diffie-Hellman values, shared secrets), one a line in hex, into `secrets.<thread>` of the working directory. The
 * program itself has no way to do that.
 */

import crypto from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { threadId } from 'node:worker_threads';
import { derContent } from '../../src/shared/crypto/der.ts';

const FILE = `secrets.${threadId}`;

const note = (secret: unknown): void => {
  if (secret instanceof Uint8Array) appendFileSync(FILE, `${Buffer.from(secret).toString('hex')}\n`);
};

/** Replaces `name` of `owner` by a function that notes what goes in or comes out of it, and may do more with what comes out. */
const tap = (
  owner: object,
  name: string,
  what: 'argument' | 'result' | 'neither',
  more: (result: unknown) => void = () => {},
): void => {
  const original: unknown = Reflect.get(owner, name);
  if (typeof original !== 'function') throw new RangeError(`there is no ${name} to listen to`);
  Object.defineProperty(owner, name, {
    configurable: true,
    value: (...list: unknown[]): unknown => {
      if (what === 'argument') note(list[0]);
      const result: unknown = Reflect.apply(original, owner, list);
      if (what === 'result') note(result);
      more(result);
      return result;
    },
  });
};

const tapExchange = (made: unknown): void => {
  if (typeof made !== 'object' || made === null) return;
  tap(made, 'setPrivateKey', 'argument');
  tap(made, 'computeSecret', 'result');
};

/** The private value of an imported key: `d` of an EC key; of a Diffie-Hellman key the INTEGER in the OCTET STRING that ends its PKCS#8 (RFC 5208 §5). */
const noteImported = (made: unknown): void => {
  if (!(made instanceof crypto.KeyObject)) throw new TypeError('createPrivateKey made no key');
  if (made.asymmetricKeyType === 'ec') {
    note(Buffer.from(made.export({ format: 'jwk' }).d ?? '', 'base64url'));
    return;
  }
  const der = made.export({ format: 'der', type: 'pkcs8' });
  const version = derContent(der, derContent(der, 0).start);
  const algorithm = derContent(der, version.end);
  const integer = derContent(der, derContent(der, algorithm.end).start);
  note(der.subarray(der[integer.start] === 0 ? integer.start + 1 : integer.start, integer.end));
};

/** HMACs are made of two hashes (RFC 2104 §2): the key fills the first block up with zeros, changed by these bytes. */
const INNER = 0x36;
const OUTER = 0x5c;
const BLOCKS: Readonly<Record<string, number>> = { md5: 64, sha1: 64, sha256: 64, sha384: 128, sha512: 128 };

/** The key of the HMAC that a hash of `data` is half of; undefined where it is none. */
const keyIn = (data: Uint8Array, block: number, pad: number): Uint8Array | undefined => {
  if (data.length < block || data[block - 1] !== pad) return undefined;
  const key = data.subarray(0, block).map((byte) => byte ^ pad);
  return key.subarray(0, key.findLastIndex((byte) => byte !== 0) + 1);
};

const tapHash = (): void => {
  const original = crypto.hash;
  const listening = (name: string, data: Uint8Array, ...more: readonly unknown[]): unknown => {
    const result: unknown = Reflect.apply(original, crypto, [name, data, ...more]);
    const block = BLOCKS[name] ?? data.length + 1;
    note(keyIn(data, block, INNER));
    if (keyIn(data, block, OUTER) !== undefined) note(result);
    return result;
  };
  Object.defineProperty(crypto, 'hash', { configurable: true, value: listening });
};

tapHash();
tap(crypto, 'createSecretKey', 'argument');
tap(crypto, 'createPrivateKey', 'neither', noteImported);
tap(crypto, 'diffieHellman', 'result');
tap(crypto, 'createHmac', 'result', (made) => {
  if (typeof made === 'object' && made !== null) tap(made, 'digest', 'result');
});
tap(crypto, 'createECDH', 'result', tapExchange);
tap(crypto, 'createDiffieHellman', 'result', tapExchange);
syncBuiltinESMExports();
