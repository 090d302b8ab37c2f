/** How an offered quick mode transform differs from one that we accept, in words of isakmpd.conf(5). */
import {
  AhTransform,
  AuthenticationAlgorithm,
  EncapsulationMode,
  EspTransform,
  IpsecAttribute,
  ProtocolId,
} from '../constants/ipsec-doi.ts';
import { GroupDescription, nameOf } from '../constants/oakley.ts';
import { keymatSizes } from '../exchange/keymat.ts';
import type { SecurityAssociation } from '../wire/payloads.ts';
import { isInUdp, isTransport, standardMode } from './encapsulation.ts';
import { needsLegacyPhase2 } from './legacy.ts';
import type { Phase2Transform, Suite } from './peer-policy.ts';
import {
  agreeLifetimes,
  type Comparison,
  type Difference,
  isDifference,
  type OfferedAttributes,
  readAttributes,
} from './transform-attributes.ts';

const transformTable = (protocolId: number): Readonly<Record<string, number>> =>
  protocolId === ProtocolId.IPSEC_AH ? AhTransform : EspTransform;

/** Everything but lifetimes. An absent encapsulation mode is no difference: RFC 2407 §4.5 leaves its default to the host. */
export const differences = (
  protocolId: number,
  transformId: number,
  offered: OfferedAttributes,
  ours: Phase2Transform,
): readonly Difference[] => {
  const found: Difference[] = [];
  if (transformId !== ours.transformId) {
    const table = transformTable(protocolId);
    found.push({
      attribute: 'TRANSFORM_ID',
      got: nameOf(table, transformId),
      expected: nameOf(table, ours.transformId),
    });
  }
  const encapsulation = offered.values.get(IpsecAttribute.ENCAPSULATION_MODE) ?? ours.encapsulation;
  const [theirMode, ourMode] = [encapsulation, ours.encapsulation].map(standardMode);
  differ(found, 'ENCAPSULATION_MODE', EncapsulationMode, theirMode, ourMode);
  const authentication = offered.values.get(IpsecAttribute.AUTHENTICATION_ALGORITHM);
  differ(found, 'AUTHENTICATION_ALGORITHM', AuthenticationAlgorithm, authentication, ours.authentication);
  const group = offered.values.get(IpsecAttribute.GROUP_DESCRIPTION);
  differ(found, 'GROUP_DESCRIPTION', GroupDescription, group, ours.group);
  const keyLength = keyLengthDifference(protocolId, offered, ours);
  if (keyLength !== undefined) found.push(keyLength);
  for (const type of offered.values.keys()) {
    if (!KNOWN.has(type)) found.push({ attribute: `attribute ${type}`, got: 'a value', expected: 'none' });
  }
  return found;
};

const keyLengthDifference = (
  protocolId: number,
  offered: OfferedAttributes,
  { transformId, authentication, keyLength: range }: Phase2Transform,
): Difference | undefined => {
  const given = offered.values.get(IpsecAttribute.KEY_LENGTH);
  if (range !== undefined) {
    const bits = given ?? 128;
    if (bits >= range.least && bits <= range.most) return undefined;
    const expected = range.least === range.most ? `${range.least}` : `${range.least} to ${range.most}`;
    return { attribute: 'KEY_LENGTH', got: String(bits), expected };
  }
  if (given === undefined) return undefined;
  // A transform of ours without key length means the cipher's usual one.
  const usual = keymatSizes(protocolId, transformId, undefined, authentication)?.encryption;
  if (keymatSizes(protocolId, transformId, given, authentication)?.encryption === usual) return undefined;
  return { attribute: 'KEY_LENGTH', got: String(given), expected: 'nothing' };
};

const KNOWN: ReadonlySet<number> = new Set([
  IpsecAttribute.ENCAPSULATION_MODE,
  IpsecAttribute.AUTHENTICATION_ALGORITHM,
  IpsecAttribute.GROUP_DESCRIPTION,
  IpsecAttribute.KEY_LENGTH,
]);

const differ = (
  found: Difference[],
  attribute: string,
  table: Readonly<Record<string, number>>,
  got: number | undefined,
  expected: number | undefined,
): void => {
  if (got === expected) return;
  const word = (value: number | undefined): string => (value === undefined ? 'none' : nameOf(table, value));
  found.push({ attribute, got: word(got), expected: word(expected) });
};

/** Every offered transform against every one of ours for the same protocol, up to a bound: the offer is hostile input. */
export const comparePhase2 = (offer: SecurityAssociation, suites: readonly Suite[]): readonly Comparison[] => {
  const comparisons: Comparison[] = [];
  for (const { protocolId, transforms } of offer.proposals) {
    for (const { transformId, attributes } of transforms) {
      const offered = readAttributes(attributes, IpsecAttribute);
      for (const ours of acceptedFor(protocolId, suites)) {
        if (comparisons.length === MAX_COMPARISONS) return comparisons;
        comparisons.push(compare(protocolId, transformId, offered, ours));
      }
    }
  }
  return comparisons.length > 0 ? comparisons : compareProtocols(offer, suites);
};

/** Nothing is offered for a protocol that we have: AH for ESP. */
const compareProtocols = (offer: SecurityAssociation, suites: readonly Suite[]): readonly Comparison[] => {
  const [suite] = suites;
  const [ours] = suite?.protocols ?? [];
  const [transform] = ours?.transforms ?? [];
  const [theirs] = offer.proposals;
  const [wish] = theirs?.transforms ?? [];
  if (
    suite === undefined ||
    ours === undefined ||
    transform === undefined ||
    theirs === undefined ||
    wish === undefined
  )
    return [];
  const offered = readAttributes(wish.attributes, IpsecAttribute);
  const [got, expected] = [theirs, ours].map(({ protocolId }) => nameOf(ProtocolId, protocolId));
  return [
    {
      offered: words(theirs.protocolId, wish.transformId, offered.values),
      acceptedName: suite.name,
      accepted: wordsOfOurs(ours.protocolId, transform),
      differences: [{ attribute: 'PROTOCOL_ID', got: got ?? '', expected: expected ?? '' }],
      remedy: remedyFor(theirs.protocolId, wish.transformId, offered.values, transform),
      isWeak: isWeak(theirs.protocolId, wish.transformId, offered),
    },
  ];
};

interface Accepted {
  readonly suite: string;
  readonly transform: Phase2Transform;
}

const acceptedFor = (protocolId: number, suites: readonly Suite[]): readonly Accepted[] =>
  suites.flatMap((suite) =>
    suite.protocols
      .filter((protocol) => protocol.protocolId === protocolId)
      .flatMap((protocol) => protocol.transforms.map((transform) => ({ suite: suite.name, transform }))),
  );

const compare = (protocolId: number, transformId: number, offered: OfferedAttributes, ours: Accepted): Comparison => {
  const found = [...differences(protocolId, transformId, offered, ours.transform)];
  const lifetimes = agreeLifetimes(offered.lifetimes, ours.transform.lifetimes);
  if (isDifference(lifetimes)) found.push(lifetimes);
  if (offered.fault !== undefined)
    found.push({ attribute: 'transform', got: offered.fault, expected: 'a readable one' });
  if (found.length === 0) found.push({ attribute: 'suite', got: 'its protocols', expected: `those of ${ours.suite}` });
  return {
    offered: words(protocolId, transformId, offered.values),
    acceptedName: ours.suite,
    accepted: wordsOfOurs(protocolId, ours.transform),
    differences: found,
    remedy: remedyFor(protocolId, transformId, offered.values, ours.transform),
    isWeak: isWeak(protocolId, transformId, offered),
  };
};

/** What a connection offers, in words: ESP AES-128/HMAC_SHA2_256/MODP_2048/TUNNEL. */
export const suiteWords = (suites: readonly Suite[]): readonly string[] =>
  suites.flatMap(({ protocols }) =>
    protocols.flatMap(({ protocolId, transforms }) => transforms.map((ours) => wordsOfOurs(protocolId, ours))),
  );

const wordsOfOurs = (protocolId: number, ours: Phase2Transform): string => {
  const values = new Map([[IpsecAttribute.ENCAPSULATION_MODE as number, ours.encapsulation]]);
  if (ours.authentication !== undefined) values.set(IpsecAttribute.AUTHENTICATION_ALGORITHM, ours.authentication);
  if (ours.group !== undefined) values.set(IpsecAttribute.GROUP_DESCRIPTION, ours.group);
  if (ours.keyLength !== undefined) values.set(IpsecAttribute.KEY_LENGTH, ours.keyLength.offered);
  return words(protocolId, ours.transformId, values);
};

const words = (protocolId: number, transformId: number, values: ReadonlyMap<number, number>): string => {
  const bits = values.get(IpsecAttribute.KEY_LENGTH);
  const authentication = values.get(IpsecAttribute.AUTHENTICATION_ALGORITHM);
  const group = values.get(IpsecAttribute.GROUP_DESCRIPTION);
  const mode = values.get(IpsecAttribute.ENCAPSULATION_MODE);
  return [
    `${protocolId === ProtocolId.IPSEC_AH ? 'AH' : 'ESP'} ${nameOf(transformTable(protocolId), transformId)}${bits === undefined ? '' : `-${bits}`}`,
    authentication === undefined ? 'no authentication' : nameOf(AuthenticationAlgorithm, authentication),
    group === undefined ? 'no PFS' : nameOf(GroupDescription, group),
    mode === undefined ? 'no mode' : nameOf(EncapsulationMode, mode),
  ].join('/');
};

const isWeak = (protocolId: number, transformId: number, { values }: OfferedAttributes): boolean =>
  needsLegacyPhase2(
    protocolId,
    transformId,
    values.get(IpsecAttribute.AUTHENTICATION_ALGORITHM),
    values.get(IpsecAttribute.GROUP_DESCRIPTION),
  );

/** No name helps against a NAT that only one of the two ends sees. */
const remedyFor = (
  protocolId: number,
  transformId: number,
  values: ReadonlyMap<number, number>,
  ours: Phase2Transform,
): string | undefined => {
  const mode = standardMode(values.get(IpsecAttribute.ENCAPSULATION_MODE) ?? ours.encapsulation);
  return isInUdp(mode) === isInUdp(standardMode(ours.encapsulation))
    ? generatedSuite(protocolId, transformId, values)
    : undefined;
};

/** The generated suite name (isakmpd.conf(5)) that stands for an offer: what the operator can add to accept it. */
const generatedSuite = (
  protocolId: number,
  transformId: number,
  values: ReadonlyMap<number, number>,
): string | undefined => {
  const isAh = protocolId === ProtocolId.IPSEC_AH;
  const cipher = isAh ? '' : CIPHER_TOKENS.get(transformId);
  const authentication = values.get(IpsecAttribute.AUTHENTICATION_ALGORITHM);
  const hash = authentication === undefined ? '' : AUTHENTICATION_TOKENS.get(authentication);
  if (cipher === undefined || hash === undefined) return undefined;
  const bits = SIZED.has(cipher) ? `-${values.get(IpsecAttribute.KEY_LENGTH) ?? 128}` : '';
  const mode = standardMode(values.get(IpsecAttribute.ENCAPSULATION_MODE) ?? EncapsulationMode.TUNNEL);
  const transport = isTransport(mode) ? '-TRP' : '';
  const group = values.get(IpsecAttribute.GROUP_DESCRIPTION);
  return `QM-${isAh ? 'AH' : 'ESP'}${transport}${cipher}${bits}${hash}${group === undefined ? '' : `-PFS-GRP${group}`}-SUITE`;
};

const CIPHER_TOKENS: ReadonlyMap<number, string> = new Map([
  [EspTransform['3DES'], '-3DES'],
  [EspTransform.CAST, '-CAST'],
  [EspTransform.BLOWFISH, '-BLF'],
  [EspTransform.AES, '-AES'],
  [EspTransform.AES_CTR, '-AESCTR'],
  [EspTransform.AES_GCM_16, '-AESGCM'],
  [EspTransform.AES_GMAC, '-AESGMAC'],
  [EspTransform.NULL, '-NULL'],
]);
const SIZED: ReadonlySet<string> = new Set(['-AES', '-AESCTR', '-AESGCM', '-AESGMAC']);
const AUTHENTICATION_TOKENS: ReadonlyMap<number, string> = new Map([
  [AuthenticationAlgorithm.HMAC_MD5, '-MD5'],
  [AuthenticationAlgorithm.HMAC_SHA, '-SHA'],
  [AuthenticationAlgorithm.HMAC_RIPEMD, '-RIPEMD'],
  [AuthenticationAlgorithm.HMAC_SHA2_256, '-SHA2-256'],
  [AuthenticationAlgorithm.HMAC_SHA2_384, '-SHA2-384'],
  [AuthenticationAlgorithm.HMAC_SHA2_512, '-SHA2-512'],
]);
const MAX_COMPARISONS = 64;
