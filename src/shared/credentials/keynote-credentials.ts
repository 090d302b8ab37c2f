/** KeyNote credentials as phase 1 uses them: every one signed, and somebody's who has a key that the last ones license (isakmpd.policy(5)). */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Assertion, parseCredentials } from '../keynote/assertion.ts';
import { CREDENTIAL_LIMITS } from '../keynote/limits.ts';
import { constantString, licensedPrincipals } from '../keynote/policy.ts';
import { principalOf } from '../keynote/principals.ts';
import { rememberSignatures } from '../keynote/query.ts';
import { publicKeyObject, type SignatureVerdict } from '../keynote/signatures.ts';
import type { KeynoteCredentialFile } from './credential-files.ts';
import { type KeyOrFault, readKeynotePrivateKey, unfitKey } from './keys.ts';

/** As rememberSignatures makes it. */
type SignatureCheck = (signedText: string, authorizer: string, signature: string) => SignatureVerdict;

export type ReadCredentials =
  | {
      readonly kind: 'credentials';
      readonly assertions: readonly Assertion[];
      /** The RSA keys that the last credential which licenses any licenses, those that are fit for signatures of phase 1. */
      readonly keys: readonly KeyObject[];
    }
  /** One sentence. */
  | { readonly kind: 'unfit'; readonly reason: string };

/** `texts`: of one file, or of each CERT payload. Signatures are not looked at. `minimumRsaBits` as for `unfitKey`. */
export const readKeynoteCredentials = (texts: readonly Uint8Array[], minimumRsaBits: number): ReadCredentials => {
  const size = texts.reduce((sum, { length }) => sum + length, 0);
  if (size > CREDENTIAL_LIMITS.bytes)
    return unfit(`there are ${size} bytes of KeyNote credentials, ${CREDENTIAL_LIMITS.bytes} are the most`);
  const read = texts.map((text) => parseCredentials(text));
  const [fault] = read.flatMap(({ faults }) => faults);
  if (fault !== undefined) return unfit(`a KeyNote credential cannot be read: line ${fault.line}: ${fault.text}`);
  const assertions = read.flatMap((one) => one.assertions);
  if (assertions.length > CREDENTIAL_LIMITS.assertions) {
    return unfit(`there are ${assertions.length} KeyNote credentials, ${CREDENTIAL_LIMITS.assertions} are the most`);
  }
  const keys = licensedKeys(assertions);
  const reasons = keys.map((key) => unfitKey(key, minimumRsaBits));
  const fit = keys.filter((_, index) => reasons[index] === undefined);
  if (fit.length > 0) return { kind: 'credentials', assertions, keys: fit };
  return unfit(
    reasons[0] === undefined
      ? 'no KeyNote credential licenses an RSA key (rsa-hex:, rsa-base64:)'
      : `the key that the last KeyNote credential licenses cannot be used: ${reasons[0]}`,
  );
};

export interface SignatureFindings {
  /** One sentence about the first credential whose signature does not count; undefined: all do. */
  readonly unsigned: string | undefined;
  /** What is weak about those that count, one sentence each. */
  readonly weaknesses: readonly string[];
}

export const checkSignatures = (assertions: readonly Assertion[], check: SignatureCheck): SignatureFindings => {
  const weaknesses: string[] = [];
  for (const [index, assertion] of assertions.entries()) {
    const name = `KeyNote credential ${index + 1}`;
    const verdict = verdictOn(assertion, check);
    if (verdict.kind === 'refused') return { unsigned: `${name} does not count: ${verdict.reason}`, weaknesses };
    if (verdict.weakness !== undefined) weaknesses.push(`${name} is ${verdict.weakness}`);
  }
  return { unsigned: undefined, weaknesses };
};

const verdictOn = (
  { authorizer, constants, signature, signedText }: Assertion,
  check: SignatureCheck,
): SignatureVerdict => {
  if (typeof signature !== 'object') return { kind: 'refused', reason: 'it has no signature' };
  const [key, text] = [authorizer, signature].map((expression) => constantString(expression, constants));
  if (key === undefined || text === undefined)
    return { kind: 'refused', reason: 'it does not say itself who has signed it' };
  return check(signedText, key, text);
};

/** Our private key beside credentials that vouch for it. `minimumRsaBits` as for `unfitKey`. */
export const ownKeynoteKey = (
  { credentials, privateKey }: Pick<KeynoteCredentialFile, 'credentials' | 'privateKey'>,
  minimumRsaBits: number,
): KeyOrFault => {
  const own = readKeynotePrivateKey(privateKey, minimumRsaBits);
  if (own.kind === 'unfit') return { kind: 'unfit', reason: `private_key: ${own.reason}` };
  const read = readKeynoteCredentials([credentials], minimumRsaBits);
  if (read.kind === 'unfit') return read;
  const { unsigned } = checkSignatures(read.assertions, rememberSignatures(true));
  if (unsigned !== undefined) return { kind: 'unfit', reason: unsigned };
  const publicKey = createPublicKey(own.key);
  return read.keys.some((key) => key.equals(publicKey))
    ? own
    : { kind: 'unfit', reason: 'private_key is not the key that the last KeyNote credential licenses' };
};

const licensedKeys = (assertions: readonly Assertion[]): readonly KeyObject[] => {
  for (const assertion of assertions.toReversed()) {
    const keys = licensedPrincipals(assertion).flatMap(([, name]) => {
      const text = constantString(name, assertion.constants);
      return text === undefined ? [] : rsaKeysOf(text);
    });
    if (keys.length > 0) return keys.slice(0, MOST_KEYS);
  }
  return [];
};

/** None or one. */
const rsaKeysOf = (principal: string): readonly KeyObject[] => {
  const { key } = principalOf(principal);
  if (key?.kind !== 'rsa') return [];
  try {
    return [publicKeyObject(key)];
  } catch {
    // Numbers that OpenSSL takes for no key.
    return [];
  }
};

const unfit = (reason: string): ReadCredentials => ({ kind: 'unfit', reason });

/** A signature each: what a peer may cost us. */
const MOST_KEYS = 8;
