/** How an offered phase 1 transform differs from one that we accept, in words of isakmpd.conf(5). */
import {
  AuthenticationMethod,
  EncryptionAlgorithm,
  GroupDescription,
  HashAlgorithm,
  nameOf,
  OakleyAttribute,
} from '../constants/oakley.ts';
import { cipherSpec } from '../crypto/cipher.ts';
import { groupSpec } from '../crypto/dh.ts';
import { isSignatureMethod } from '../crypto/signature.ts';
import type { SecurityAssociation } from '../wire/payloads.ts';
import { needsLegacyPhase1 } from './legacy.ts';
import type { Phase1Transform } from './peer-policy.ts';
import {
  agreeLifetimes,
  type Comparison,
  type Difference,
  isDifference,
  type OfferedAttributes,
  readAttributes,
} from './transform-attributes.ts';

const COMPARED = [
  {
    type: OakleyAttribute.ENCRYPTION_ALGORITHM,
    name: 'ENCRYPTION_ALGORITHM',
    table: EncryptionAlgorithm,
    of: (t: Phase1Transform) => t.encryption,
  },
  {
    type: OakleyAttribute.HASH_ALGORITHM,
    name: 'HASH_ALGORITHM',
    table: HashAlgorithm,
    of: (t: Phase1Transform) => t.hash,
  },
  {
    type: OakleyAttribute.AUTHENTICATION_METHOD,
    name: 'AUTHENTICATION_METHOD',
    table: AuthenticationMethod,
    of: (t: Phase1Transform) => t.authentication,
  },
  {
    type: OakleyAttribute.GROUP_DESCRIPTION,
    name: 'GROUP_DESCRIPTION',
    table: GroupDescription,
    of: (t: Phase1Transform) => t.group,
  },
] as const;

/** Attributes besides those compared, the key length and lifetimes make a transform unacceptable: we do not know what they ask. */
const KNOWN: ReadonlySet<number> = new Set([...COMPARED.map((row) => row.type), OakleyAttribute.KEY_LENGTH]);

/** Everything but lifetimes. */
export const differences = (offered: OfferedAttributes, ours: Phase1Transform): readonly Difference[] => {
  const found: Difference[] = [];
  for (const { type, name, table, of } of COMPARED) {
    const got = offered.values.get(type);
    const expected = of(ours);
    if (got === expected || (got !== undefined && expected === 'ANY')) continue;
    found.push({
      attribute: name,
      got: got === undefined ? 'nothing' : nameOf(table, got),
      expected: expected === 'ANY' ? expected : nameOf(table, expected),
    });
  }
  const keyLength = keyLengthDifference(offered, ours);
  if (keyLength !== undefined) found.push(keyLength);
  for (const type of offered.values.keys()) {
    if (!KNOWN.has(type)) found.push({ attribute: `attribute ${type}`, got: 'a value', expected: 'none' });
  }
  return found;
};

const keyLengthDifference = (offered: OfferedAttributes, ours: Phase1Transform): Difference | undefined => {
  const given = offered.values.get(OakleyAttribute.KEY_LENGTH);
  const { encryption, keyLength: range } = ours;
  if (range === undefined) {
    // A transform of ours without key length means the cipher's usual one.
    if (given === undefined || encryption === 'ANY') return undefined;
    const usual = cipherSpec(encryption, undefined);
    if (usual === undefined || cipherSpec(encryption, given) === usual) return undefined;
    return { attribute: 'KEY_LENGTH', got: String(given), expected: `nothing (${usual.keySize * 8})` };
  }
  // RFC 2409 appendix A asks for KEY_LENGTH with ciphers of several lengths; peers that leave it out mean 128 bits.
  const bits = given ?? 128;
  if (bits >= range.least && bits <= range.most) return undefined;
  const expected = range.least === range.most ? String(range.least) : `${range.least} to ${range.most}`;
  return { attribute: 'KEY_LENGTH', got: given === undefined ? 'nothing (128)' : String(given), expected };
};

/** Every offered transform against every one of ours, up to a bound: the offer is hostile input. */
export const comparePhase1 = (
  offer: SecurityAssociation,
  accepted: readonly Phase1Transform[],
  methods: ReadonlySet<number>,
): readonly Comparison[] => {
  const comparisons: Comparison[] = [];
  for (const { transforms } of offer.proposals) {
    for (const transform of transforms) {
      const offered = readAttributes(transform.attributes, OakleyAttribute);
      for (const ours of accepted) {
        if (comparisons.length === MAX_COMPARISONS) return comparisons;
        comparisons.push(compare(offered, ours, methods));
      }
    }
  }
  return comparisons;
};

const compare = (offered: OfferedAttributes, ours: Phase1Transform, methods: ReadonlySet<number>): Comparison => {
  const found = [...differences(offered, ours)];
  const lifetimes = agreeLifetimes(offered.lifetimes, ours.lifetimes);
  if (isDifference(lifetimes)) found.push(lifetimes);
  if (offered.fault !== undefined)
    found.push({ attribute: 'transform', got: offered.fault, expected: 'a readable one' });
  if (found.length === 0) found.push(withoutKey(offered, methods) ?? (isWeak(offered) ? TOO_WEAK : UNSUPPORTED));
  return {
    offered: phase1Words(offered.values),
    acceptedName: ours.name,
    accepted: wordsOf(ours),
    differences: found,
    remedy: generatedName(offered.values),
    isWeak: isWeak(offered),
  };
};

const phase1Words = (values: ReadonlyMap<number, number>): string => {
  const word = (type: number, table: Readonly<Record<string, number>>): string => {
    const value = values.get(type);
    return value === undefined ? '?' : nameOf(table, value);
  };
  const bits = values.get(OakleyAttribute.KEY_LENGTH);
  const encryption =
    word(OakleyAttribute.ENCRYPTION_ALGORITHM, EncryptionAlgorithm) + (bits === undefined ? '' : `-${bits}`);
  const rest = COMPARED.slice(1).map(({ type, table }) => word(type, table));
  return [encryption, ...rest].join('/');
};

/** A transform of ours in words: AES_CBC-128/SHA2_256/PRE_SHARED/MODP_2048. */
export const wordsOf = (ours: Phase1Transform): string => {
  const name = (table: Readonly<Record<string, number>>, value: number | 'ANY'): string =>
    value === 'ANY' ? value : nameOf(table, value);
  const { keyLength } = ours;
  const bits =
    keyLength === undefined
      ? ''
      : keyLength.least === keyLength.most
        ? `-${keyLength.least}`
        : `-${keyLength.least}:${keyLength.most}`;
  return [
    name(EncryptionAlgorithm, ours.encryption) + bits,
    name(HashAlgorithm, ours.hash),
    name(AuthenticationMethod, ours.authentication),
    name(GroupDescription, ours.group),
  ].join('/');
};

/** The generated transform name (isakmpd.conf(5)) that stands for an offer: what the operator can add to accept it. */
const generatedName = (values: ReadonlyMap<number, number>): string | undefined => {
  const encryption = ENCRYPTION_TOKENS.get(values.get(OakleyAttribute.ENCRYPTION_ALGORITHM) ?? 0);
  const hash = HASH_TOKENS.get(values.get(OakleyAttribute.HASH_ALGORITHM) ?? 0);
  const group = values.get(OakleyAttribute.GROUP_DESCRIPTION);
  if (encryption === undefined || hash === undefined || group === undefined || groupSpec(group) === undefined)
    return undefined;
  const method = METHOD_TOKENS.get(values.get(OakleyAttribute.AUTHENTICATION_METHOD) ?? 0);
  if (method === undefined) return undefined;
  const bits = encryption === 'AES' ? `-${values.get(OakleyAttribute.KEY_LENGTH) ?? 128}` : '';
  return `${encryption}${bits}-${hash}-GRP${group}${method}`;
};

const METHOD_TOKENS: ReadonlyMap<number, string> = new Map([
  [AuthenticationMethod.PRE_SHARED, ''],
  [AuthenticationMethod.RSA_SIG, '-RSA_SIG'],
]);

const ENCRYPTION_TOKENS: ReadonlyMap<number, string> = new Map([
  [EncryptionAlgorithm.BLOWFISH_CBC, 'BLF'],
  [EncryptionAlgorithm['3DES_CBC'], '3DES'],
  [EncryptionAlgorithm.CAST_CBC, 'CAST'],
  [EncryptionAlgorithm.AES_CBC, 'AES'],
]);
const HASH_TOKENS: ReadonlyMap<number, string> = new Map([
  [HashAlgorithm.MD5, 'MD5'],
  [HashAlgorithm.SHA, 'SHA'],
  [HashAlgorithm.SHA2_256, 'SHA2-256'],
  [HashAlgorithm.SHA2_384, 'SHA2-384'],
  [HashAlgorithm.SHA2_512, 'SHA2-512'],
]);
const isWeak = ({ values }: OfferedAttributes): boolean =>
  needsLegacyPhase1({
    encryption: values.get(OakleyAttribute.ENCRYPTION_ALGORITHM) ?? 0,
    group: values.get(OakleyAttribute.GROUP_DESCRIPTION) ?? 0,
  });

/** It would fit, but we could not sign. */
const withoutKey = ({ values }: OfferedAttributes, methods: ReadonlySet<number>): Difference | undefined => {
  const method = values.get(OakleyAttribute.AUTHENTICATION_METHOD) ?? 0;
  if (!isSignatureMethod(method) || methods.has(method)) return undefined;
  return {
    attribute: 'AUTHENTICATION_METHOD',
    got: nameOf(AuthenticationMethod, method),
    expected: 'a method that we have a private key for (Private-key)',
  };
};

const TOO_WEAK: Difference = {
  attribute: 'transform',
  got: 'algorithms that are too weak',
  expected: 'better ones, or Legacy-crypto=yes',
};
/** What is to be said where nothing else differs. */
export const UNSUPPORTED: Difference = {
  attribute: 'transform',
  got: 'algorithms',
  expected: 'ones that this program has',
};
/** The offer is hostile input: 255 transforms against a handful of ours is more than anyone reads. */
const MAX_COMPARISONS = 64;
