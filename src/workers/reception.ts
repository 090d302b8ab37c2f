/** The reception checks of a datagram in their order (RFC 2408 §5.2, behaviour of isakmpd), and whom it is for. */
import { ExchangeType, exchangeName, HeaderFlag, NotifyType, PayloadType } from '../shared/constants/isakmp.ts';
import { ProtocolError } from '../shared/errors.ts';
import { LogClass } from '../shared/log/classes.ts';
import type { Texts } from '../shared/log/events.ts';
import { notice } from '../shared/log/records.ts';
import type { LaneEvent } from '../shared/threads/contract.ts';
import { isFragment } from '../shared/wire/fragments.ts';
import { type Header, readHeader } from '../shared/wire/message.ts';
import { complain, dropQuietly } from './complaints.ts';
import { receivedWords } from './debug-words.ts';
import { receiveFragment } from './fragments.ts';
import { receiveInformational } from './informational.ts';
import { hex, type IsakmpSa, isZero } from './isakmp-sa.ts';
import type { LaneContext } from './lane-context.ts';
import { trace, turnTo, turnToMessage } from './lane-log.ts';
import { hearNotify, hearUnreadable } from './peer-refusals.ts';
import { answerPhase1, receivePhase1, repeatPhase1 } from './phase1.ts';
import { receiveQuickMode } from './phase2.ts';

type Datagram = Extract<LaneEvent, { readonly kind: 'datagram' }>;

export const receiveDatagram = (lane: LaneContext, event: Datagram): void => {
  const header = headerOf(event.bytes);
  turnToMessage(lane, event.path, header);
  if (header === undefined) {
    dropQuietly(lane, event.path, 'message-dropped', 'message_recv: bad message length');
    return;
  }
  trace(lane, LogClass.MESSAGE, 70, receivedWords, event.path, header);
  receiveMessage(lane, event, header);
};

const receiveMessage = (lane: LaneContext, event: Datagram, header: Header): void => {
  const exact: Datagram =
    event.bytes.length === header.length ? event : { ...event, bytes: event.bytes.subarray(0, header.length) };
  const versionFault = faultOfVersion(header);
  if (versionFault !== undefined) {
    // First of all: an IKEv2 header means nothing else by our reading.
    refuse(lane, exact, header, undefined, versionFault);
  } else if (isFragment(header)) receivePiece(lane, exact, header);
  else if (isZero(header.responderCookie)) receiveFirst(lane, exact, header);
  else receiveFurther(lane, exact, header);
};

const headerOf = (bytes: Uint8Array): Header | undefined => {
  try {
    return readHeader(bytes);
  } catch (fault) {
    if (fault instanceof ProtocolError) return undefined;
    throw fault;
  }
};

/** What is wrong with a header: the notify that the sender is owed, isakmpd's line, and what it usually means. */
interface HeaderFault {
  readonly notify: NotifyType;
  readonly line: Texts['message-dropped'];
  readonly why?: string;
}

const faultOfVersion = ({ majorVersion, minorVersion }: Header): HeaderFault | undefined => {
  if (majorVersion !== 1) {
    const line = `message_recv: invalid version major ${majorVersion}` as const;
    const why = `it speaks IKE version ${majorVersion}, this daemon IKEv1 only; set it to IKEv1`;
    return { notify: NotifyType.INVALID_MAJOR_VERSION, line, why };
  }
  if (minorVersion !== 0) {
    return { notify: NotifyType.INVALID_MINOR_VERSION, line: `message_recv: invalid version minor ${minorVersion}` };
  }
  return undefined;
};

/** What the header alone disqualifies. */
const faultOf = ({ responderCookie, nextPayload, exchangeType, flags, messageId }: Header): HeaderFault | undefined => {
  if (nextPayload > PayloadType.NAT_OA && nextPayload < FIRST_PRIVATE_PAYLOAD) {
    const line =
      `message_recv: invalid payload type ${nextPayload} in ISAKMP header (check passphrases, if applicable and in Phase 1)` as const;
    return { notify: NotifyType.INVALID_PAYLOAD_TYPE, line };
  }
  const isFirst = isZero(responderCookie);
  const isPhase2 = exchangeType >= ExchangeType.QUICK_MODE;
  if (exchangeType === ExchangeType.NONE || isReserved(exchangeType) || (isFirst && isPhase2)) {
    return { notify: NotifyType.INVALID_EXCHANGE_TYPE, line: `message_recv: invalid exchange type ${exchangeType}` };
  }
  if ((flags & ~KNOWN_FLAGS) !== 0) {
    return { notify: NotifyType.INVALID_FLAGS, line: `message_recv: invalid flags ${flags}` };
  }
  if (isFirst && messageId !== 0 && exchangeType !== ExchangeType.INFO) {
    return { notify: NotifyType.INVALID_MESSAGE_ID, line: `message_recv: invalid message id ${messageId}` };
  }
  return undefined;
};

const FIRST_PRIVATE_PAYLOAD = 128;
const KNOWN_FLAGS = HeaderFlag.ENCRYPTION | HeaderFlag.COMMIT | HeaderFlag.AUTHENTICATION;
/** RFC 2408 §3.1: 6-31 are for ISAKMP's future use; 6 became the transaction exchange. */
const isReserved = (type: number): boolean => type > ExchangeType.TRANSACTION && type < ExchangeType.QUICK_MODE;

/** No responder cookie yet: a first message, the same again, or somebody's cleartext opinion of ours. */
const receiveFirst = (lane: LaneContext, event: Datagram, header: Header): void => {
  const known = lane.sas.findExchange(header.initiatorCookie);
  if (known !== undefined) turnTo(lane, known);
  const fault = faultOf(header);
  if (fault !== undefined) refuse(lane, event, header, undefined, fault);
  else if (isZero(header.initiatorCookie)) refuseCookies(lane, event, header);
  else if (header.exchangeType === ExchangeType.INFO) {
    if (known !== undefined && !isEncrypted(header)) hearNotify(lane, known, event, header);
  } else if (known !== undefined) repeatPhase1(lane, known, event);
  else if (isPhase1(header)) answerPhase1(lane, event, header);
  else refuse(lane, event, header, undefined, unsupported(header));
};

/** What else the header of a fragment says is not its message's: that is judged when it is whole. Nobody is told what was wrong with a fragment. */
const receivePiece = (lane: LaneContext, event: Datagram, header: Header): void => {
  const sa = saOf(lane, header);
  if (sa === undefined) {
    const { initiatorCookie, responderCookie } = header;
    const text =
      `message_recv: fragment under unknown cookies ${hex(initiatorCookie)} ${hex(responderCookie)}` as const;
    dropQuietly(lane, event.path, 'message-dropped', text);
    return;
  }
  turnTo(lane, sa);
  const whole = receiveFragment(lane, sa, event, header);
  if (whole === undefined) return;
  turnToMessage(lane, event.path, whole.header);
  receiveMessage(lane, { ...event, bytes: whole.bytes }, whole.header);
};

const saOf = (lane: LaneContext, header: Header): IsakmpSa | undefined =>
  lane.sas.find(hex(header.initiatorCookie) + hex(header.responderCookie)) ?? ownWaiting(lane, header);

const receiveFurther = (lane: LaneContext, event: Datagram, header: Header): void => {
  const sa = saOf(lane, header);
  if (sa === undefined) {
    if (lane.now() >= lane.silentUntil) refuseCookies(lane, event, header);
    return;
  }
  turnTo(lane, sa);
  const fault = faultOf(header);
  if (fault !== undefined) refuse(lane, event, header, sa, fault);
  else if (isPhase1(header)) receiveForPhase1(lane, sa, event, header);
  else if (header.exchangeType === ExchangeType.INFO) receiveInfo(lane, sa, event, header);
  else if (header.exchangeType === ExchangeType.QUICK_MODE) receiveForQuickMode(lane, sa, event, header);
  else refuse(lane, event, header, sa, unsupported(header));
};

const receiveForPhase1 = (lane: LaneContext, sa: IsakmpSa, event: Datagram, header: Header): void => {
  const isOfIts = header.messageId === 0 && header.exchangeType === sa.policy.exchangeType;
  if (isOfIts) receivePhase1(lane, sa, event, header);
  else refuse(lane, event, header, sa, NO_EXCHANGE);
};

const receiveInfo = (lane: LaneContext, sa: IsakmpSa, event: Datagram, header: Header): void => {
  if (!isEncrypted(header)) hearNotify(lane, sa, event, header);
  else if (sa.established !== undefined) receiveInformational(lane, sa, sa.established, event, header);
  else hearUnreadable(lane, sa, event);
};

const receiveForQuickMode = (lane: LaneContext, sa: IsakmpSa, event: Datagram, header: Header): void => {
  if (sa.established !== undefined) receiveQuickMode(lane, sa, sa.established, event, header);
  // An encrypted one has overtaken the last message of phase 1, and will come again.
  else if (!isEncrypted(header)) refuse(lane, event, header, sa, NO_EXCHANGE);
};

const isEncrypted = ({ flags }: Header): boolean => (flags & HeaderFlag.ENCRYPTION) !== 0;

const isPhase1 = ({ exchangeType }: Header): boolean =>
  exchangeType === ExchangeType.ID_PROT || exchangeType === ExchangeType.AGGRESSIVE;

/** Our own first message's answer brings the responder cookie. */
const ownWaiting = (lane: LaneContext, header: Header): IsakmpSa | undefined => {
  const sa = lane.sas.findExchange(header.initiatorCookie);
  return sa?.role === 'initiator' && isZero(sa.responderCookie) ? sa : undefined;
};

const NO_EXCHANGE: HeaderFault = {
  notify: NotifyType.PAYLOAD_MALFORMED,
  line: 'message_recv: no exchange',
  why: 'nothing is under way that it could belong to: it comes too late, or of another exchange type than was agreed',
};

const unsupported = ({ exchangeType }: Header): HeaderFault => ({
  notify: NotifyType.UNSUPPORTED_EXCHANGE_TYPE,
  line: `message_recv: unsupported exchange type ${exchangeType}`,
  why: `exchange type ${exchangeName(exchangeType)} is not there; switch off what needs it on the peer (TRANSACTION: mode config, XAUTH)`,
});

const refuseCookies = (lane: LaneContext, event: Datagram, header: Header): void => {
  const { initiatorCookie, responderCookie } = header;
  const line = `message_recv: invalid cookie(s) ${hex(initiatorCookie)} ${hex(responderCookie)}` as const;
  const why =
    'it uses an ISAKMP SA that is not here (any more); it begins anew when it notices, or when its SA is deleted';
  refuse(lane, event, header, undefined, { notify: NotifyType.INVALID_COOKIE, line, why });
};

const refuse = (
  lane: LaneContext,
  { path, peer }: Datagram,
  header: Header,
  sa: IsakmpSa | undefined,
  { notify, line, why }: HeaderFault,
): void =>
  complain(lane, { path, header, notify, sa, why, lines: [notice('message-dropped', line)], fields: { peer } });
