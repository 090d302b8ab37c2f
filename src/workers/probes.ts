/** Asking a peer whether it lives, RFC 3706: R-U-THERE until something authentic comes back, or often enough. When to ask is main's to say. */
import { areYouTherePayload, type News } from '../shared/exchange/informational.ts';
import { whoWords } from '../shared/log/who.ts';
import { cookieBytes, cookiesOf, type Established, type IsakmpSa } from './isakmp-sa.ts';
import { arm, disarm, type LaneContext } from './lane-context.ts';
import { fieldsOf, say } from './lane-log.ts';
import { sendInformational } from './outgoing.ts';

/** Main has seen no traffic of this peer since `quietSince` (ms). What came over IKE since then is an answer, too. */
export const probe = (lane: LaneContext, sa: IsakmpSa, quietSince: number): void => {
  const { established } = sa;
  if (established === undefined || established.probe !== undefined) return;
  if (established.heardAt >= quietSince) {
    lane.effects.push({ kind: 'peerAlive', isakmp: cookiesOf(sa), heardAt: established.heardAt });
    return;
  }
  const sequence = established.probes === undefined ? firstSequence(lane) : (established.probes + 1) % 2 ** 32;
  established.probes = sequence;
  established.probe = { sequence, sent: 0 };
  ask(lane, sa, established);
};

/** RFC 3706 §6.2: not to be guessed, and with room above it. */
const firstSequence = ({ random }: LaneContext): number => {
  const [high = 0, low = 0] = random(2);
  return ((high & 0x7f) << 8) | low;
};

/** A repetition has the number of what it repeats: a late answer to any of them counts. */
const ask = (lane: LaneContext, sa: IsakmpSa, { probe: running }: Established): void => {
  if (running === undefined) return;
  running.sent++;
  sendInformational(lane, sa, [areYouTherePayload(cookieBytes(sa), running.sequence)]);
  arm(lane, sa, lane.now() + REPEAT_AFTER, { name: 'probe', sa, phase2: undefined });
};

/** No answer so far. */
export const probeUnanswered = (lane: LaneContext, sa: IsakmpSa): void => {
  const { established } = sa;
  if (established?.probe === undefined) return;
  if (established.probe.sent < MOST_PROBES) {
    ask(lane, sa, established);
    return;
  }
  established.probe = undefined;
  const seconds = (MOST_PROBES * REPEAT_AFTER) / 1000;
  say(
    lane,
    sa,
    'peer-dead',
    `peer does not answer: ${whoWords(fieldsOf(sa))}: no answer to ${MOST_PROBES} R-U-THERE in ${seconds} s: its SAs are deleted`,
  );
  lane.effects.push({ kind: 'peerDead', isakmp: cookiesOf(sa) });
};

/** Something authentic has come, whatever it is: the peer lives. */
export const heard = (lane: LaneContext, sa: IsakmpSa): void => {
  const { established } = sa;
  if (established === undefined) return;
  established.heardAt = lane.now();
  if (established.probe === undefined) return;
  established.probe = undefined;
  disarm(lane, sa, 'probe');
  lane.effects.push({ kind: 'peerAlive', isakmp: cookiesOf(sa), heardAt: established.heardAt });
};

/** An answer to something that was not asked last may have been held back by somebody while the peer died: it proves nothing. */
export const isLateAnswer = ({ probes }: Established, news: News): boolean =>
  news.kind === 'iAmHere' && news.sequence !== probes;

export const refuseAnswer = (
  lane: LaneContext,
  sa: IsakmpSa,
  { probes, authentic }: Established,
  sequence: number,
): void => {
  if (!authentic.take(lane.now())) return;
  const text = `dpd_handle_notify: got bad ACK seqno ${sequence}, expected ${probes ?? 0}` as const;
  say(lane, sa, 'dpd-bad-sequence', text);
};

const MOST_PROBES = 5;
/** ms. */
const REPEAT_AFTER = 5_000;
