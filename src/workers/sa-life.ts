/** How ISAKMP SAs and quick modes end: timers, rows, keys and maps are let go together, and main is told. */
import { forgetKey } from '../shared/crypto/key-cache.ts';
import { LogClass } from '../shared/log/classes.ts';
import { whoWords } from '../shared/log/who.ts';
import type { Failure } from '../shared/threads/contract.ts';
import { deletedWords, endedWords } from './debug-words.ts';
import { cookiesOf, type IsakmpSa, type Phase2 } from './isakmp-sa.ts';
import { disarmAll, type LaneContext } from './lane-context.ts';
import { fieldsOf, say, trace } from './lane-log.ts';

/** A negotiation of phase 1 ends without result. What strangers began is told only as often as strangers may be heard. */
export const failPhase1 = (lane: LaneContext, sa: IsakmpSa, failure: Failure): void => {
  const { request, policy } = sa;
  const told = withHearsay(sa, failure);
  trace(lane, LogClass.EXCHANGE, 10, endedWords, sa, undefined, failure);
  forgetSa(lane, sa);
  if (request === 0 && !lane.strangers.take(lane.now())) return;
  if (request === 0 && failure.cause !== 'cancelled') {
    say(lane, sa, 'phase1-abandoned', `phase 1 abandoned: ${whoWords(fieldsOf(sa))}: ${told.reason}`);
  }
  lane.effects.push({ kind: 'phase1Failed', request, peer: policy.name, isakmp: cookiesOf(sa), failure: told });
};

/** The failure with what was refused, and with what was said without proof. */
export const withHearsay = ({ hearsay, refusal }: IsakmpSa, { cause, reason }: Failure): Failure => {
  const refused = refusal === undefined ? [] : [`its last message was refused: ${refusal}`];
  const said = [...refused, ...(hearsay === undefined ? [] : [hearsay])];
  return { cause, reason: said.length === 0 ? reason : `${reason} (${said.join('; ')})` };
};

/** An established SA ends; its quick modes end with it, its IPsec SAs do not. */
export const dropSa = (lane: LaneContext, sa: IsakmpSa, why: 'expired' | 'deletedByPeer' | 'deletedByUs'): void => {
  const isakmp = cookiesOf(sa);
  trace(lane, LogClass.SA, 10, deletedWords, why, sa);
  for (const phase2 of [...(sa.established?.phase2.values() ?? [])]) {
    endPhase2(lane, sa, phase2, { cause: 'cancelled', reason: 'the ISAKMP SA that protected it is gone' });
  }
  forgetSa(lane, sa);
  lane.effects.push({ kind: 'phase1Gone', isakmp, why });
};

const forgetSa = (lane: LaneContext, sa: IsakmpSa): void => {
  disarmAll(lane, sa);
  lane.halfOpenLimit.release(sa);
  lane.reassembly.forget(sa);
  lane.sas.remove(sa);
  lane.store.remove(sa);
  sa.conversation?.exchange.drop();
  sa.conversation = undefined;
  if (sa.established === undefined) return;
  const { skeyidD, skeyidA, encryptionKey } = sa.established.keys;
  for (const key of [skeyidD, skeyidA, encryptionKey]) forgetKey(key);
  sa.established = undefined;
};

/** A quick mode is over. One that had not settled has failed: main takes back what it installed. */
export const endPhase2 = (lane: LaneContext, sa: IsakmpSa, phase2: Phase2, failure: Failure): void => {
  disarmAll(lane, phase2);
  sa.established?.phase2.delete(phase2.messageId);
  lane.phase2.delete(phase2.exchange);
  phase2.conversation.exchange.drop();
  if (phase2.isSettled) return;
  phase2.isSettled = true;
  trace(lane, LogClass.EXCHANGE, 10, endedWords, sa, phase2, failure);
  lane.effects.push({
    kind: 'phase2Failed',
    exchange: phase2.exchange,
    request: phase2.request,
    isakmp: cookiesOf(sa),
    messageId: phase2.messageId,
    connection: phase2.connection,
    failure,
  });
};
