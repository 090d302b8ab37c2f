/** The message ids of phase 2 under one ISAKMP SA: each is good for one exchange, whoever began it (decisions 3.7). */
import { whoWords } from '../shared/log/who.ts';
import { cookiesOf, type Established, type IsakmpSa } from './isakmp-sa.ts';
import { arm, type LaneContext, nonZeroRandom } from './lane-context.ts';
import { fieldsOf, say } from './lane-log.ts';

/** A message id that this ISAKMP SA has not used. */
export const freshMessageId = (lane: LaneContext, { usedMessageIds }: Established): number => {
  for (;;) {
    const bytes = nonZeroRandom(lane, 4);
    const id = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
    if (!usedMessageIds.has(id)) return id;
  }
};

/** Whether a message with this id may begin an exchange. */
export const isFreshMessageId = ({ usedMessageIds }: Established, messageId: number): boolean =>
  messageId !== 0 && usedMessageIds.size < MOST_MESSAGE_IDS && !usedMessageIds.has(messageId);

/**
 * The memory is bounded not by forgetting but by the life of the SA: it is to be renewed when there are many ids, and ends
 * when there are too many.
 */
export const rememberMessageId = (
  lane: LaneContext,
  sa: IsakmpSa,
  established: Established,
  messageId: number,
): void => {
  const { usedMessageIds } = established;
  const before = usedMessageIds.size;
  usedMessageIds.add(messageId);
  if (usedMessageIds.size === before) return;
  if (usedMessageIds.size === MANY_MESSAGE_IDS) lane.effects.push({ kind: 'phase1Expiring', isakmp: cookiesOf(sa) });
  if (usedMessageIds.size !== MOST_MESSAGE_IDS) return;
  say(
    lane,
    sa,
    'message-ids',
    `ISAKMP SA of ${whoWords(fieldsOf(sa))} has seen ${MOST_MESSAGE_IDS} exchanges: it ends`,
  );
  arm(lane, sa, lane.now(), { name: 'hard', sa, phase2: undefined });
};

const MANY_MESSAGE_IDS = 10_000;
const MOST_MESSAGE_IDS = 20_000;
