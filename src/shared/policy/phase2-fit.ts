/** Whether a proposal of a quick mode and a suite go together, protocol by protocol and transform by transform. RFC 2407 §4.4-4.5, RFC 2408 §4.2. */
import { EncapsulationMode, IpsecAttribute } from '../constants/ipsec-doi.ts';
import { keymatSizes } from '../exchange/keymat.ts';
import type { Proposal, Transform } from '../wire/payloads.ts';
import { isInUdp, standardMode } from './encapsulation.ts';
import { needsLegacyPhase2 } from './legacy.ts';
import type { Phase2Transform, Suite, SuiteProtocol } from './peer-policy.ts';
import { differences } from './phase2-comparison.ts';
import { spiNumber } from './spi.ts';
import {
  type AgreedLifetimes,
  agreeLifetimes,
  isDifference,
  type OfferedAttributes,
  readAttributes,
} from './transform-attributes.ts';

/** One protocol of what quick mode agreed on. */
export interface Phase2ProtocolChoice {
  readonly protocolId: number;
  readonly transformId: number;
  /** AuthenticationAlgorithm, undefined = none. */
  readonly authentication: number | undefined;
  /** EncapsulationMode, by the RFC's number. */
  readonly encapsulation: number;
  /** Bits. */
  readonly keyLength: number | undefined;
  readonly replayWindow: number;
  /** The SPI that came with it: the peer's. */
  readonly peerSpi: number;
}

export interface Phase2Choice {
  readonly protocols: readonly Phase2ProtocolChoice[];
  /** PFS group, undefined = none. */
  readonly group: number | undefined;
  readonly lifetimes: AgreedLifetimes;
}

/** A chosen transform as the peer offered it. */
export interface Picked {
  readonly proposalNumber: number;
  readonly protocolId: number;
  readonly transform: Transform;
}

/** An offer and a suite that go together. */
interface Fit {
  readonly choice: Phase2Choice;
  readonly picked: readonly Picked[];
}

/** What is taken where no suite says it. */
export interface Leniency {
  /** Weak algorithms as well. */
  readonly legacyCrypto: boolean;
  /** The modes in UDP, instead of the plain ones. */
  readonly inUdp: boolean;
}

/** Undefined: they do not go together. All protocols of an offer must fit those of the suite one to one, with one PFS group and one encapsulation. */
export const fitSuite = (
  offered: readonly Proposal[],
  suite: Suite | undefined,
  leniency: Leniency,
): Fit | undefined => {
  if (suite !== undefined && suite.protocols.length !== offered.length) return undefined;
  if (new Set(offered.map((proposal) => proposal.protocolId)).size !== offered.length) return undefined;
  const parts: ProtocolFit[] = [];
  for (const proposal of offered) {
    const ours = suite?.protocols.find((protocol) => protocol.protocolId === proposal.protocolId);
    if (suite !== undefined && ours === undefined) return undefined;
    const part = fitProtocol(proposal, ours, parts[0], leniency);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  const [first] = parts;
  if (first === undefined) return undefined;
  return {
    picked: parts,
    choice: {
      protocols: parts.map((part) => part.protocol),
      group: first.group,
      lifetimes: parts.map((part) => part.lifetimes).reduce(shorterOf),
    },
  };
};

interface ProtocolFit extends Picked {
  readonly protocol: Phase2ProtocolChoice;
  readonly group: number | undefined;
  readonly lifetimes: AgreedLifetimes;
}

const fitProtocol = (
  proposal: Proposal,
  ours: SuiteProtocol | undefined,
  first: ProtocolFit | undefined,
  { legacyCrypto, inUdp }: Leniency,
): ProtocolFit | undefined => {
  const peerSpi = spiNumber(proposal.spi);
  if (peerSpi === undefined) return undefined;
  const replayWindow = ours?.replayWindow ?? DEFAULT_REPLAY_WINDOW;
  const suits = (fit: ProtocolFit): boolean =>
    (ours !== undefined || isInUdp(fit.protocol.encapsulation) === inUdp) &&
    (first === undefined || goTogether(first, fit)) &&
    (legacyCrypto || !isTooWeak(fit));
  for (const transform of proposal.transforms) {
    const offered = readAttributes(transform.attributes, IpsecAttribute);
    if (offered.fault !== undefined) continue;
    for (const accepted of ours?.transforms ?? [undefined]) {
      const fit = fitTransform(proposal, transform, offered, accepted, replayWindow, peerSpi);
      if (fit !== undefined && suits(fit)) return fit;
    }
  }
  return undefined;
};

const fitTransform = (
  { protocolId, proposalNumber }: Proposal,
  transform: Transform,
  offered: OfferedAttributes,
  accepted: Phase2Transform | undefined,
  replayWindow: number,
  peerSpi: number,
): ProtocolFit | undefined => {
  if (accepted !== undefined && differences(protocolId, transform.transformId, offered, accepted).length > 0)
    return undefined;
  const lifetimes = agreeLifetimes(offered.lifetimes, accepted?.lifetimes ?? []);
  if (isDifference(lifetimes)) return undefined;
  const authentication = offered.values.get(IpsecAttribute.AUTHENTICATION_ALGORITHM);
  const keyLength = offered.values.get(IpsecAttribute.KEY_LENGTH);
  const sizes = keymatSizes(protocolId, transform.transformId, keyLength, authentication);
  if (sizes === undefined) return undefined;
  const mode = offered.values.get(IpsecAttribute.ENCAPSULATION_MODE) ?? accepted?.encapsulation;
  const encapsulation = standardMode(mode ?? EncapsulationMode.TUNNEL);
  if (encapsulation < EncapsulationMode.TUNNEL || encapsulation > EncapsulationMode.UDP_ENCAP_TRANSPORT)
    return undefined;
  return {
    proposalNumber,
    protocolId,
    transform,
    group: offered.values.get(IpsecAttribute.GROUP_DESCRIPTION),
    lifetimes,
    protocol: {
      protocolId,
      transformId: transform.transformId,
      authentication,
      encapsulation,
      keyLength,
      replayWindow,
      peerSpi,
    },
  };
};

const goTogether = (a: ProtocolFit, b: ProtocolFit): boolean =>
  a.group === b.group && a.protocol.encapsulation === b.protocol.encapsulation;

const isTooWeak = ({ protocolId, transform, protocol, group }: ProtocolFit): boolean =>
  needsLegacyPhase2(protocolId, transform.transformId, protocol.authentication, group);

const shorterOf = (a: AgreedLifetimes, b: AgreedLifetimes): AgreedLifetimes => ({
  seconds: Math.min(a.seconds, b.seconds),
  kilobytes: shorter(a.kilobytes, b.kilobytes),
  shortened: a.shortened || b.shortened,
});
/** 0 means that there is no such limit. */
const shorter = (a: number, b: number): number => (a === 0 || b === 0 ? Math.max(a, b) : Math.min(a, b));

const DEFAULT_REPLAY_WINDOW = 64;
