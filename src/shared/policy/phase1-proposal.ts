/** What we offer and accept in phase 1: RFC 2409 §5 and appendix A, attribute order and numbering as isakmpd sends them. */
import { ProtocolId, SITUATION_IDENTITY_ONLY } from '../constants/ipsec-doi.ts';
import { Doi } from '../constants/isakmp.ts';
import { AuthenticationMethod, KEY_IKE, OakleyAttribute } from '../constants/oakley.ts';
import { cipherSpec } from '../crypto/cipher.ts';
import { groupSpec } from '../crypto/dh.ts';
import { hashSize } from '../crypto/prf.ts';
import { isSignatureMethod } from '../crypto/signature.ts';
import type { Attribute, Proposal, SecurityAssociation, Transform } from '../wire/payloads.ts';
import { needsLegacyPhase1 } from './legacy.ts';
import type { NumberRange, PeerPolicy, Phase1Transform } from './peer-policy.ts';
import { comparePhase1, differences, UNSUPPORTED, wordsOf } from './phase1-comparison.ts';
import {
  type AgreedLifetimes,
  agreeLifetimes,
  type Comparison,
  type Difference,
  isDifference,
  lifetimeAttributes,
  type OfferedAttributes,
  readAttributes,
} from './transform-attributes.ts';

/** What phase 1 agreed on: RFC numbers, key length in bits. */
export interface Phase1Choice {
  readonly encryption: number;
  readonly keyLength: number | undefined;
  readonly hash: number;
  readonly authentication: number;
  readonly group: number;
  readonly lifetimes: AgreedLifetimes;
}

/**
 * The SA payload that offers these transforms, numbered from 0. Those with an `ANY` or with something that this program does not
 * have cannot be offered and are left out; undefined when none is left.
 */
export const offerPhase1 = (transforms: readonly Phase1Transform[]): SecurityAssociation | undefined => {
  const offered = transforms.flatMap((ours) => offeredAttributes(ours) ?? []).slice(0, MOST_OFFERED);
  if (offered.length === 0) return undefined;
  return {
    doi: Doi.IPSEC,
    situation: SITUATION_IDENTITY_ONLY,
    proposals: [
      {
        proposalNumber: 1,
        protocolId: ProtocolId.ISAKMP,
        spi: NO_SPI,
        transforms: offered.map(({ attributes }, index) => ({
          transformNumber: index,
          transformId: KEY_IKE,
          attributes,
        })),
      },
    ],
  };
};

interface Offered {
  readonly attributes: readonly Attribute[];
}

const offeredAttributes = (transform: Phase1Transform): Offered | undefined => {
  const { encryption, hash, authentication, group, keyLength } = transform;
  if (encryption === 'ANY' || hash === 'ANY' || authentication === 'ANY' || group === 'ANY') return undefined;
  if (!isSupported(encryption, keyLength?.offered, hash, authentication, group)) return undefined;
  return {
    attributes: [
      { type: OakleyAttribute.ENCRYPTION_ALGORITHM, value: encryption },
      { type: OakleyAttribute.HASH_ALGORITHM, value: hash },
      { type: OakleyAttribute.AUTHENTICATION_METHOD, value: authentication },
      { type: OakleyAttribute.GROUP_DESCRIPTION, value: group },
      ...lifetimeAttributes(transform.lifetimes, OakleyAttribute),
      ...(keyLength === undefined ? [] : [{ type: OakleyAttribute.KEY_LENGTH, value: keyLength.offered }]),
    ],
  };
};

/** Whether this program can do it at all. */
const isSupported = (
  encryption: number,
  keyLength: number | undefined,
  hash: number,
  authentication: number,
  group: number,
): boolean =>
  (authentication === AuthenticationMethod.PRE_SHARED || isSignatureMethod(authentication)) &&
  cipherSpec(encryption, keyLength) !== undefined &&
  hashSize(hash) !== undefined &&
  groupSpec(group) !== undefined;

export type Phase1Selection =
  | { readonly kind: 'chosen'; readonly choice: Phase1Choice; readonly answer: SecurityAssociation }
  | { readonly kind: 'none'; readonly comparisons: readonly Comparison[] };

/**
 * Responder: the peer's transforms in the peer's order; the first that satisfies any of ours wins and is answered as it came.
 * `methods`: how we can prove who we are (AuthenticationMethod). `publicSize`: only groups with public values of so many bytes (aggressive mode: the peer's is there already). Comparisons are
 * made only when nothing fits.
 */
export const choosePhase1 = (
  offer: SecurityAssociation,
  { transforms: accepted, legacyCrypto }: Pick<PeerPolicy, 'transforms' | 'legacyCrypto'>,
  methods: ReadonlySet<number>,
  publicSize?: number,
): Phase1Selection => {
  for (const proposal of offer.proposals) {
    if (proposal.protocolId !== ProtocolId.ISAKMP) continue;
    for (const transform of proposal.transforms) {
      const choice = firstMatch(transform, accepted);
      if (choice === undefined || !methods.has(choice.authentication)) continue;
      if ((!legacyCrypto && needsLegacyPhase1(choice)) || !hasSize(choice.group, publicSize)) continue;
      return { kind: 'chosen', choice, answer: answerWith(proposal, transform) };
    }
  }
  return { kind: 'none', comparisons: comparePhase1(offer, accepted, methods) };
};

const hasSize = (group: number, publicSize: number | undefined): boolean =>
  publicSize === undefined || groupSpec(group)?.publicSize === publicSize;

const answerWith = (proposal: Proposal, transform: Transform): SecurityAssociation => ({
  doi: Doi.IPSEC,
  situation: SITUATION_IDENTITY_ONLY,
  proposals: [{ ...proposal, transforms: [transform] }],
});

const firstMatch = (transform: Transform, accepted: readonly Phase1Transform[]): Phase1Choice | undefined => {
  if (transform.transformId !== KEY_IKE) return undefined;
  const offered = readAttributes(transform.attributes, OakleyAttribute);
  if (offered.fault !== undefined) return undefined;
  for (const ours of accepted) {
    const choice = match(offered, ours);
    if (!isDifference(choice)) return choice;
  }
  return undefined;
};

const match = (offered: OfferedAttributes, ours: Phase1Transform): Phase1Choice | Difference => {
  const [first] = differences(offered, ours);
  if (first !== undefined) return first;
  const lifetimes = agreeLifetimes(offered.lifetimes, ours.lifetimes);
  if (isDifference(lifetimes)) return lifetimes;
  return choiceOf(offered, lifetimes) ?? UNSUPPORTED;
};

/** The numbers of an offer, if this program can do them at all. */
const choiceOf = (offered: OfferedAttributes, lifetimes: AgreedLifetimes): Phase1Choice | undefined => {
  const encryption = offered.values.get(OakleyAttribute.ENCRYPTION_ALGORITHM);
  const hash = offered.values.get(OakleyAttribute.HASH_ALGORITHM);
  const authentication = offered.values.get(OakleyAttribute.AUTHENTICATION_METHOD);
  const group = offered.values.get(OakleyAttribute.GROUP_DESCRIPTION);
  const keyLength = offered.values.get(OakleyAttribute.KEY_LENGTH);
  if (encryption === undefined || hash === undefined || authentication === undefined || group === undefined)
    return undefined;
  if (!isSupported(encryption, keyLength, hash, authentication, group)) return undefined;
  return { encryption, keyLength, hash, authentication, group, lifetimes };
};

/**
 * Initiator: the answer must be one proposal with one transform that we offered. A lifetime shorter than the offered one is
 * taken, anything else that differs is not.
 */
export const matchPhase1Answer = (
  answer: SecurityAssociation,
  offered: readonly Phase1Transform[],
): Phase1Choice | undefined => {
  const [proposal, second] = answer.proposals;
  const transform = proposal?.transforms[0];
  if (proposal === undefined || second !== undefined || transform === undefined || proposal.transforms.length !== 1)
    return undefined;
  if (proposal.protocolId !== ProtocolId.ISAKMP || transform.transformId !== KEY_IKE) return undefined;
  const got = readAttributes(transform.attributes, OakleyAttribute);
  if (got.fault !== undefined) return undefined;
  for (const ours of offered) {
    if (offeredAttributes(ours) === undefined || !sameButLifetimes(got, ours)) continue;
    const lifetimes = agreeLifetimes(got.lifetimes, offeredAsMost(ours));
    if (!isDifference(lifetimes)) return choiceOf(got, lifetimes);
  }
  return undefined;
};

const sameButLifetimes = (got: OfferedAttributes, ours: Phase1Transform): boolean =>
  differences(got, ours).length === 0 &&
  (ours.keyLength === undefined
    ? !got.values.has(OakleyAttribute.KEY_LENGTH)
    : got.values.get(OakleyAttribute.KEY_LENGTH) === ours.keyLength.offered);

/** What we offered is the most that the answer can make of it. */
const offeredAsMost = (ours: Phase1Transform): Phase1Transform['lifetimes'] =>
  ours.lifetimes.map(({ type, duration }) => ({
    type,
    duration: duration === 'ANY' ? duration : { ...duration, most: duration.offered },
  }));

/** What is offered, in words: AES_CBC-128/SHA2_256/PRE_SHARED/MODP_2048. */
export const offeredWords = (transforms: readonly Phase1Transform[]): readonly string[] =>
  transforms.flatMap((ours) => {
    const words = wordsOf({ ...ours, keyLength: ours.keyLength && onlyOffered(ours.keyLength) });
    return offeredAttributes(ours) === undefined ? [] : [words];
  });

const onlyOffered = ({ offered }: NumberRange): NumberRange => ({ offered, least: offered, most: offered });

/** Transform numbers are bytes. */
const MOST_OFFERED = 255;
const NO_SPI = new Uint8Array(0);
