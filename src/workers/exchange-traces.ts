/** Debug records of what an exchange was given and what it made of it, the same for both phases. */
import { AuthenticationMethod } from '../shared/constants/oakley.ts';
import type { Protection } from '../shared/exchange/effects.ts';
import type { Received } from '../shared/exchange/run.ts';
import { isPrinted, LogClass } from '../shared/log/classes.ts';
import { suitesAcross } from '../shared/policy/encapsulation.ts';
import type { PeerPolicy } from '../shared/policy/peer-policy.ts';
import { comparePhase1, UNSUPPORTED } from '../shared/policy/phase1-comparison.ts';
import { comparePhase2 } from '../shared/policy/phase2-comparison.ts';
import type { Comparison, Difference } from '../shared/policy/transform-attributes.ts';
import type { NatTraversal } from '../shared/threads/contract.ts';
import { HEADER_SIZE } from '../shared/wire/message.ts';
import { cipherWords, payloadWords, stepWords } from './debug-words.ts';
import type { IsakmpSa, Phase2 } from './isakmp-sa.ts';
import { type LaneLog, trace } from './lane-log.ts';

/** The message that was taken or refused. `protection`: what it was decrypted with, if it was encrypted. */
export const traceReceived = (lane: LaneLog, protection: Protection | undefined, received: Received): void => {
  if (received.kind !== 'accepted' && received.kind !== 'refused') return;
  const { message } = received;
  if (message === undefined) return;
  if (message.encrypted && protection !== undefined) {
    trace(lane, LogClass.CRYPTO, 70, cipherWords, 'decrypt', protection, message.header.length - HEADER_SIZE);
  }
  trace(lane, LogClass.MESSAGE, 50, payloadWords, 'parse', message.kinds);
};

export const traceStep = (lane: LaneLog, sa: IsakmpSa, phase2: Phase2 | undefined, from: string, to: string): void =>
  trace(lane, LogClass.EXCHANGE, 40, stepWords, sa, phase2, from, to);

/** Each transform that the peer offers, or has chosen of ours, against each of the peer section's. */
export const tracePhase1Offer = (lane: LaneLog, { transforms }: PeerPolicy, received: Received): void => {
  const offer = offerIn(lane, received);
  if (offer !== undefined) traceComparisons(lane, comparePhase1(offer, transforms, EVERY_METHOD), received);
};

/** What lacks a key is said when it is refused. */
const EVERY_METHOD: ReadonlySet<number> = new Set(Object.values(AuthenticationMethod));

/** The same for a quick mode, as soon as its connection is known. */
export const tracePhase2Offer = (
  lane: LaneLog,
  { connections }: PeerPolicy,
  { connection: name }: Phase2,
  nat: NatTraversal | undefined,
  received: Received,
): void => {
  const offer = offerIn(lane, received);
  const suites = connections.find((one) => one.name === name)?.suites;
  if (offer !== undefined && suites !== undefined) {
    traceComparisons(lane, comparePhase2(offer, suitesAcross(nat, suites)), received);
  }
};

const offerIn = ({ levels }: LaneLog, received: Received) => {
  if (!isPrinted(levels, LogClass.NEGOTIATION, COMPARISONS)) return undefined;
  return received.kind === 'accepted' || received.kind === 'refused' ? received.message?.sa?.value : undefined;
};

const traceComparisons = (lane: LaneLog, comparisons: readonly Comparison[], { kind }: Received): void => {
  for (const one of comparisons)
    trace(lane, LogClass.NEGOTIATION, COMPARISONS, comparisonWords, one, kind === 'accepted');
};

/** Where all attributes agree the comparison blames what is left, because it is made for refusals; when something was chosen there is nothing to blame. */
const comparisonWords = ({ offered, acceptedName, accepted, differences }: Comparison, isAccepted: boolean): string => {
  const real = differences.filter((difference) => !isAccepted || !isLeftOver(difference));
  const outcome = real.map(({ attribute, got, expected }) => `${attribute}: got ${got}, expected ${expected}`);
  return `message_negotiate_sa: ${offered} against ${acceptedName} (${accepted}): ${outcome.join('; ') || 'acceptable'}`;
};

const isLeftOver = (difference: Difference): boolean => difference === UNSUPPORTED || difference.attribute === 'suite';

const COMPARISONS = 50;
