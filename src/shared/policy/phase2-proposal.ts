/** What we offer and accept in quick mode: RFC 2407 §4.4-4.5, RFC 2409 §5.5, attribute order and numbering as isakmpd sends them. */
import { IpsecAttribute, SITUATION_IDENTITY_ONLY } from '../constants/ipsec-doi.ts';
import { Doi } from '../constants/isakmp.ts';
import type { Attribute, Proposal, SecurityAssociation } from '../wire/payloads.ts';
import type { Phase2Transform, Suite } from './peer-policy.ts';
import { comparePhase2 } from './phase2-comparison.ts';
import { fitSuite, type Leniency, type Phase2Choice, type Picked } from './phase2-fit.ts';
import { spiBytes } from './spi.ts';
import { type Comparison, lifetimeAttributes } from './transform-attributes.ts';

/** Our SPI for each protocol of each suite, drawn before the offer is made: spis[suite][protocol]. */
export type OfferedSpis = readonly (readonly number[])[];

/** The SA payload that offers these suites: a suite is a proposal number from 1, its protocols share it, transforms count from 1. */
export const offerPhase2 = (suites: readonly Suite[], spis: OfferedSpis): SecurityAssociation => ({
  doi: Doi.IPSEC,
  situation: SITUATION_IDENTITY_ONLY,
  proposals: suites.flatMap(({ protocols }, suite) =>
    protocols.map(({ protocolId, transforms }, protocol) => ({
      proposalNumber: suite + 1,
      protocolId,
      spi: spiBytes(spis[suite]?.[protocol] ?? 0),
      transforms: transforms.map((transform, index) => ({
        transformNumber: index + 1,
        transformId: transform.transformId,
        attributes: attributesOf(transform),
      })),
    })),
  ),
});

const attributesOf = ({ lifetimes, encapsulation, authentication, group, keyLength }: Phase2Transform): Attribute[] => [
  ...lifetimeAttributes(lifetimes, IpsecAttribute),
  { type: IpsecAttribute.ENCAPSULATION_MODE, value: encapsulation },
  ...(authentication === undefined ? [] : [{ type: IpsecAttribute.AUTHENTICATION_ALGORITHM, value: authentication }]),
  ...(group === undefined ? [] : [{ type: IpsecAttribute.GROUP_DESCRIPTION, value: group }]),
  ...(keyLength === undefined ? [] : [{ type: IpsecAttribute.KEY_LENGTH, value: keyLength.offered }]),
];

export type Phase2Selection =
  | { readonly kind: 'chosen'; readonly choice: Phase2Choice; readonly picked: readonly Picked[] }
  | { readonly kind: 'none'; readonly comparisons: readonly Comparison[] };

/**
 * Responder: the peer's proposals in the peer's order, each against our suites in ours. `suites` undefined: anything that this
 * program can do is accepted (Check-suites=no) as far as `leniency` goes. `permits` has the last word about each candidate.
 */
export const choosePhase2 = (
  offer: SecurityAssociation,
  suites: readonly Suite[] | undefined,
  leniency: Leniency,
  permits: (choice: Phase2Choice) => boolean = () => true,
): Phase2Selection => {
  for (const group of byNumber(offer.proposals)) {
    for (const suite of suites ?? [undefined]) {
      const fit = fitSuite(group, suite, leniency);
      if (fit !== undefined && permits(fit.choice))
        return { kind: 'chosen', choice: fit.choice, picked: fit.picked.map(copyOf) };
    }
  }
  return { kind: 'none', comparisons: comparePhase2(offer, suites ?? []) };
};

/** The answer to an offer: the chosen transforms as they came, with our SPIs. */
export const answerPhase2 = (picked: readonly Picked[], spis: readonly number[]): SecurityAssociation => ({
  doi: Doi.IPSEC,
  situation: SITUATION_IDENTITY_ONLY,
  proposals: picked.map(({ proposalNumber, protocolId, transform }, index) => ({
    proposalNumber,
    protocolId,
    spi: spiBytes(spis[index] ?? 0),
    transforms: [transform],
  })),
});

/** Out of the datagram: the answer is sent only after the kernel has the inbound SA. */
const copyOf = ({ proposalNumber, protocolId, transform }: Picked): Picked => ({
  proposalNumber,
  protocolId,
  transform: {
    ...transform,
    attributes: transform.attributes.map(({ type, value }) => ({
      type,
      value: typeof value === 'number' ? value : value.slice(),
    })),
  },
});

/** Proposals of one number stand for one offer (RFC 2408 §4.2); the reader has made sure that numbers do not decrease. */
const byNumber = (proposals: readonly Proposal[]): readonly (readonly Proposal[])[] => {
  const groups: Proposal[][] = [];
  let last: number | undefined;
  for (const proposal of proposals) {
    if (proposal.proposalNumber === last) groups.at(-1)?.push(proposal);
    else groups.push([proposal]);
    last = proposal.proposalNumber;
  }
  return groups;
};

/**
 * Initiator: which of the offered suites the answer chose. It must hold one transform for every protocol of that suite, equal
 * to an offered one (a shorter lifetime is taken). Answers the choice and our SPIs in its order.
 */
export const matchPhase2Answer = (
  answer: SecurityAssociation,
  suites: readonly Suite[],
  spis: OfferedSpis,
): { readonly choice: Phase2Choice; readonly spis: readonly number[] } | undefined => {
  const groups = byNumber(answer.proposals);
  const [group] = groups;
  if (group === undefined || groups.length !== 1) return undefined;
  if (group.some((proposal) => proposal.transforms.length !== 1)) return undefined;
  for (const [index, suite] of suites.entries()) {
    // What we offered is what our configuration allows.
    const fit = fitSuite(group, asOffered(suite), ALL);
    const ours = spis[index];
    if (fit === undefined || ours === undefined) continue;
    const order = fit.choice.protocols.map(({ protocolId }) =>
      suite.protocols.findIndex((p) => p.protocolId === protocolId),
    );
    return { choice: fit.choice, spis: order.map((at) => ours[at] ?? 0) };
  }
  return undefined;
};

const ALL: Leniency = { legacyCrypto: true, inUdp: true };

/** A suite narrowed to exactly what its offer said: key length as offered, lifetime at most as offered. */
const asOffered = (suite: Suite): Suite => ({
  name: suite.name,
  protocols: suite.protocols.map((protocol) => ({
    ...protocol,
    transforms: protocol.transforms.map((transform) => ({
      ...transform,
      keyLength: transform.keyLength && exactly(transform.keyLength.offered),
      lifetimes: transform.lifetimes.map(({ type, duration }) => ({
        type,
        duration: duration === 'ANY' ? duration : { ...duration, most: duration.offered },
      })),
    })),
  })),
});
const exactly = (value: number) => ({ offered: value, least: value, most: value });
