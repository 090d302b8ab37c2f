/** What a lane says of its exchanges in a report. */
import { ExchangeType } from '../shared/constants/isakmp.ts';
import type { Conversation } from '../shared/exchange/run.ts';
import type { LaneExchange, LaneExchanges, Role } from '../shared/threads/contract.ts';
import { cookiesOf, type IsakmpSa, type Phase2, type Timed } from './isakmp-sa.ts';
import type { LaneContext } from './lane-context.ts';

/** The first exchanges, phase 1 before the phase 2 of the same SA; thousands of strangers' do not make the answer larger. */
export const listExchanges = (lane: LaneContext): LaneExchanges => {
  const exchanges: LaneExchange[] = [];
  let omitted = 0;
  const add = (list: () => LaneExchange): void => {
    if (exchanges.length < MOST_LISTED) exchanges.push(list());
    else omitted++;
  };
  for (const sa of lane.sas.all()) {
    const { conversation, established } = sa;
    if (conversation !== undefined) add(() => phase1Exchange(lane, sa, conversation));
    for (const phase2 of established?.phase2.values() ?? []) add(() => phase2Exchange(lane, sa, phase2));
  }
  return { exchanges, omitted };
};

const phase1Exchange = (lane: LaneContext, sa: IsakmpSa, conversation: Conversation): LaneExchange => ({
  phase: 1,
  number: sa.row?.slot ?? 0,
  name: sa.policy.name,
  role: sa.role,
  exchangeType: conversation.exchangeType,
  step: stepOf(conversation, sa.role),
  cookies: cookiesOf(sa),
  messageId: 0,
  path: sa.path,
  ...deadlinesOf(lane, sa),
});

const phase2Exchange = (lane: LaneContext, sa: IsakmpSa, phase2: Phase2): LaneExchange => {
  const role = phase2.request === 0 ? 'responder' : 'initiator';
  const { conversation, exchange, connection, messageId } = phase2;
  return {
    phase: 2,
    number: exchange,
    name: connection,
    role,
    exchangeType: conversation.exchangeType,
    step: stepOf(conversation, role),
    cookies: cookiesOf(sa),
    messageId,
    path: sa.path,
    ...deadlinesOf(lane, phase2),
  };
};

/** Each message is answered by the next one, up to the last. */
const stepOf = ({ seen, exchangeType }: Conversation, role: Role): number => {
  const messages = exchangeType === ExchangeType.ID_PROT ? 6 : 3;
  return Math.min(messages, 2 * seen.length + (role === 'initiator' ? 1 : 0));
};

const deadlinesOf = ({ wheel }: LaneContext, { timers }: Timed): Pick<LaneExchange, 'endsAt' | 'repeatsAt'> => ({
  endsAt: wheel.deadlineOf(timers.exchangeEnd) ?? 0,
  repeatsAt: wheel.deadlineOf(timers.repeat) ?? 0,
});

const MOST_LISTED = 4096;
