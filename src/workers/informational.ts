/** Protected informational exchanges under an established ISAKMP SA. */
import { ExchangeType, NotifyType } from '../shared/constants/isakmp.ts';
import { ProtocolError } from '../shared/errors.ts';
import { openMessage } from '../shared/exchange/envelope.ts';
import { hereIAmPayload, INFORMATIONAL, type News, readNews } from '../shared/exchange/informational.ts';
import { checkMessageHash } from '../shared/exchange/quick-mode.ts';
import type { LaneEvent } from '../shared/threads/contract.ts';
import type { Header } from '../shared/wire/message.ts';
import { capture } from './capture.ts';
import { complain, linesOf, reasonOf } from './complaints.ts';
import { cookieBytes, cookiesOf, type Established, type IsakmpSa } from './isakmp-sa.ts';
import type { LaneContext } from './lane-context.ts';
import { say } from './lane-log.ts';
import { isFreshMessageId, rememberMessageId } from './message-ids.ts';
import { protectedEnvelope, sendInformational } from './outgoing.ts';
import { refusedByPeer } from './peer-refusals.ts';
import { setupOf } from './phase2.ts';
import { heard, isLateAnswer, refuseAnswer } from './probes.ts';
import { hearFrom } from './retransmission.ts';
import { follow } from './roaming.ts';
import { dropSa } from './sa-life.ts';

type Datagram = Extract<LaneEvent, { readonly kind: 'datagram' }>;

/** Believed once its hash has been checked, and once only (CVE-2019-10155; replays). */
export const receiveInformational = (
  lane: LaneContext,
  sa: IsakmpSa,
  established: Established,
  { path, bytes }: Datagram,
  header: Header,
): void => {
  const { messageId } = header;
  if (!isFreshMessageId(established, messageId)) return;
  const { protection } = protectedEnvelope(sa, established, ExchangeType.INFO, messageId);
  const opened = openMessage(protection, bytes, header, INFORMATIONAL);
  if (opened.kind === 'refused') {
    const lines = linesOf(2, { ...opened, actions: [] });
    complain(lane, { path, header, notify: opened.fault.notify, sa, lines, why: reasonOf(2, opened) });
    return;
  }
  const news = attempt(() => {
    checkMessageHash(setupOf(lane, sa, established, messageId), opened.message, []);
    return readNews(opened.message, cookieBytes(sa));
  });
  const isAuthentic = !(news instanceof ProtocolError) || news.notify !== NotifyType.INVALID_HASH_INFORMATION;
  if (isAuthentic) {
    rememberMessageId(lane, sa, established, messageId);
    hearFrom(lane, sa);
    follow(lane, sa, established, path);
    capture(lane, path, false, opened.message.clear);
  }
  if (!(news instanceof ProtocolError)) {
    if (!news.some((item) => isLateAnswer(established, item))) heard(lane, sa);
    for (const item of news) take(lane, sa, established, item);
    return;
  }
  const refused = { stage: 'step', fault: news, actions: [] } as const;
  const [lines, why] = [linesOf(2, refused), reasonOf(2, refused)];
  complain(lane, { path, header, notify: news.notify, sa, isAuthentic, lines, why });
};

const attempt = (read: () => readonly News[]): readonly News[] | ProtocolError => {
  try {
    return read();
  } catch (fault) {
    if (fault instanceof ProtocolError) return fault;
    throw fault;
  }
};

const take = (lane: LaneContext, sa: IsakmpSa, established: Established, news: News): void => {
  switch (news.kind) {
    case 'ipsecDeleted':
      lane.effects.push({
        kind: 'retire',
        isakmp: cookiesOf(sa),
        peer: sa.policy.name,
        remoteIdentity: established.remoteIdentity,
        protocolId: news.protocolId,
        spis: news.spis,
      });
      return;
    case 'isakmpDeleted':
      dropSa(lane, sa, 'deletedByPeer');
      return;
    case 'initialContact':
      lane.effects.push({ kind: 'initialContact', isakmp: cookiesOf(sa) });
      return;
    case 'areYouThere':
      answerDeadPeerDetection(lane, sa, established, news.sequence);
      return;
    case 'error':
      refusedByPeer(lane, sa, established, news.notify, news.spi);
      return;
    case 'iAmHere':
      if (isLateAnswer(established, news)) refuseAnswer(lane, sa, established, news.sequence);
      return;
    case 'status':
      return;
  }
};

/** RFC 3706 §5.4-5.5: answered always, but not to old sequence numbers nor to the same one again and again. */
const answerDeadPeerDetection = (lane: LaneContext, sa: IsakmpSa, established: Established, sequence: number): void => {
  const last = established.deadPeerDetection;
  const repetitions = last?.sequence === sequence ? last.repetitions + 1 : 0;
  if (last !== undefined && (sequence < last.sequence || repetitions >= MOST_REPETITIONS)) {
    const text = `dpd_handle_notify: bad R_U_THERE seqno ${sequence} <= ${last.sequence}` as const;
    if (established.authentic.take(lane.now())) say(lane, sa, 'dpd-bad-sequence', text);
    return;
  }
  established.deadPeerDetection = { sequence, repetitions };
  sendInformational(lane, sa, [hereIAmPayload(cookieBytes(sa), sequence)]);
};

const MOST_REPETITIONS = 5;
