/** IKE fragments that arrive, and the message when it is whole. Strangers leave nothing here: a fragment has to name an ISAKMP SA (CVE-2013-6076). */
import { compareBytes } from '../shared/address.ts';
import { ProtocolError } from '../shared/errors.ts';
import { LogClass } from '../shared/log/classes.ts';
import type { LaneEvent } from '../shared/threads/contract.ts';
import { isFragment, readFragment } from '../shared/wire/fragments.ts';
import { type Header, readHeader } from '../shared/wire/message.ts';
import { REASSEMBLY_TIME, type Reassembled } from '../shared/wire/reassembly.ts';
import { dropQuietly } from './complaints.ts';
import { reassembledWords } from './debug-words.ts';
import type { IsakmpSa } from './isakmp-sa.ts';
import { arm, type LaneContext } from './lane-context.ts';
import { fieldsOf, trace } from './lane-log.ts';

type Datagram = Extract<LaneEvent, { readonly kind: 'datagram' }>;

interface Whole {
  readonly bytes: Uint8Array;
  readonly header: Header;
}

/** Takes in a fragment under the cookies of `sa`; answers the message if that was the last one it waited for. */
export const receiveFragment = (
  lane: LaneContext,
  sa: IsakmpSa,
  { path, bytes }: Datagram,
  header: Header,
): Whole | undefined => {
  // Until it is authenticated the negotiation belongs to one address.
  if (sa.established === undefined && path.remote.address !== sa.path.remote.address) return undefined;
  const outcome = orRefused(() => {
    if (!sa.policy.fragmentation) return { kind: 'refused', reason: 'Flags=no-fragmentation' };
    return lane.reassembly.add(sa, path.remote.address, readFragment(bytes, header), lane.now());
  });
  if (outcome.kind === 'incomplete' && sa.timers.fragments === 0) armExpiry(lane, sa, lane.now() + REASSEMBLY_TIME);
  if (outcome.kind === 'incomplete') return undefined;
  const whole = outcome.kind === 'whole' ? wholeOf(outcome.message, header) : outcome.reason;
  if (typeof whole !== 'string') {
    trace(lane, LogClass.MESSAGE, 70, reassembledWords, whole.header);
    return whole;
  }
  dropQuietly(lane, path, 'message-dropped', `message_recv: fragment dropped: ${whole}`, fieldsOf(sa));
  return undefined;
};

const orRefused = (work: () => Reassembled): Reassembled => {
  try {
    return work();
  } catch (fault) {
    if (!(fault instanceof ProtocolError)) throw fault;
    return { kind: 'refused', reason: fault.message };
  }
};

/** The message must be one of the exchange whose cookies its fragments had. Answers why it is not, in words. */
const wholeOf = (bytes: Uint8Array, { initiatorCookie, responderCookie }: Header): Whole | string => {
  try {
    const header = readHeader(bytes);
    const isOfThisSa =
      compareBytes(header.initiatorCookie, initiatorCookie) === 0 &&
      compareBytes(header.responderCookie, responderCookie) === 0;
    if (!isOfThisSa) return 'the message in it has other cookies';
    if (isFragment(header)) return 'the message in it is a fragment again';
    return { bytes, header };
  } catch (fault) {
    if (!(fault instanceof ProtocolError)) throw fault;
    return fault.message;
  }
};

/** The timer: what has waited too long is forgotten, and the rest waited for. */
export const expireFragments = (lane: LaneContext, sa: IsakmpSa): void => {
  const next = lane.reassembly.expire(sa, lane.now());
  if (next !== undefined) armExpiry(lane, sa, next);
};

const armExpiry = (lane: LaneContext, sa: IsakmpSa, at: number): void =>
  arm(lane, sa, at, { name: 'fragments', sa, phase2: undefined });
