/** What a quick mode wants done on a lane, and how it ends. */
import { ProtocolId } from '../shared/constants/ipsec-doi.ts';
import { InvariantError } from '../shared/errors.ts';
import { deletePayload, errorPayload } from '../shared/exchange/informational.ts';
import type { Action } from '../shared/exchange/run.ts';
import { BROKEN_OFF_QUICK_MODE, SILENT_KERNEL, silenceToQuickMode } from '../shared/exchange/silence.ts';
import { LogClass } from '../shared/log/classes.ts';
import { quickModeFields } from '../shared/log/who.ts';
import type { Agreement } from '../shared/threads/contract.ts';
import { endedWords, ipsecKeyWords, ipsecSaWords } from './debug-words.ts';
import { cookiesOf, type IsakmpSa, type Phase2 } from './isakmp-sa.ts';
import type { LaneContext } from './lane-context.ts';
import { say, trace } from './lane-log.ts';
import { sendInformational } from './outgoing.ts';
import { sendMessage } from './retransmission.ts';
import { endPhase2, withHearsay } from './sa-life.ts';

export const perform = (lane: LaneContext, sa: IsakmpSa, phase2: Phase2, actions: readonly Action[]): void => {
  const { exchange } = phase2;
  for (const action of actions) {
    switch (action.kind) {
      case 'datagram':
        sendMessage(lane, sa, phase2, action);
        break;
      case 'log':
        lane.effects.push(action);
        break;
      case 'offered':
        phase2.spis = action.spis;
        break;
      case 'phase2Started':
        phase2.connection = action.connection;
        lane.effects.push({ kind: 'phase2Started', exchange, isakmp: cookiesOf(sa), connection: action.connection });
        break;
      case 'install':
        phase2.spis = action.agreement.protocols.flatMap(({ spiIn, spiOut }) => [spiIn, spiOut]);
        trace(lane, LogClass.CRYPTO, 40, ipsecKeyWords, action.agreement);
        lane.effects.push({ kind: 'install', exchange, agreement: action.agreement, sas: action.sas });
        break;
      case 'phase2Established':
        settle(lane, sa, phase2, action.agreement);
        break;
      case 'deleteSpis':
        sendInformational(lane, sa, [deletePayload(action.protocolId, action.spis)]);
        break;
      case 'failed':
        fail(lane, sa, phase2, action);
        break;
      case 'phase1Established':
        throw new InvariantError(`quick mode asks for ${action.kind}`);
    }
  }
};

const fail = (
  lane: LaneContext,
  sa: IsakmpSa,
  phase2: Phase2,
  { notify, about, failure }: Extract<Action, { readonly kind: 'failed' }>,
): void => {
  if (notify !== 0) {
    const payload = errorPayload(notify, about?.protocolId ?? ProtocolId.ISAKMP, about?.spi ?? new Uint8Array(0));
    sendInformational(lane, sa, [payload]);
  }
  endPhase2(lane, sa, phase2, failure);
};

/** Agreed and installed. The exchange stays until Exchange-max-time to answer duplicates. */
const settle = (lane: LaneContext, sa: IsakmpSa, phase2: Phase2, agreement: Agreement): void => {
  phase2.isSettled = true;
  trace(lane, LogClass.SA, 10, ipsecSaWords, agreement);
  trace(lane, LogClass.EXCHANGE, 10, endedWords, sa, phase2, undefined);
  const { exchange, request } = phase2;
  const suffix = request === 0 ? ' (as responder)' : '';
  const fields = quickModeFields({ connection: agreement.connection, messageId: phase2.messageId });
  const text =
    `isakmpd: quick mode done${suffix}: src: ${sa.path.local.address} dst: ${sa.path.remote.address}` as const;
  say(lane, sa, 'phase2-established', text, fields);
  lane.effects.push({ kind: 'phase2Established', exchange, request, agreement });
};

/** Exchange-max-time is over: a finished quick mode need not answer duplicates any more, an unfinished one has failed. */
export const endQuickMode = (lane: LaneContext, sa: IsakmpSa, phase2: Phase2): void => {
  const isPeers = PEERS_TURN.has(phase2.conversation.exchange.tag);
  const late = phase2.request === 0 ? BROKEN_OFF_QUICK_MODE : 'the peer has not finished it within Exchange-max-time';
  endPhase2(lane, sa, phase2, withHearsay(sa, { cause: 'timeout', reason: isPeers ? late : SILENT_KERNEL }));
};

/** The states that wait for a message; the others wait for the kernel. */
const PEERS_TURN: ReadonlySet<string> = new Set(['awaitAnswer', 'awaitProof']);

/** Nobody answers a quick mode. */
export const giveUpPhase2 = (lane: LaneContext, sa: IsakmpSa, phase2: Phase2): void => {
  if (phase2.isSettled) return;
  const { address, port } = sa.path.remote;
  const name = phase2.connection;
  const text =
    `transport_send_messages: giving up on exchange ${name}, no response from peer ${address}:${port}` as const;
  // What the peer began it could begin as often as it likes.
  if (phase2.request !== 0 || sa.established?.authentic.take(lane.now()) === true) {
    say(lane, sa, 'no-answer', text, quickModeFields(phase2));
  }
  const silence = sa.hearsay === undefined ? silenceToQuickMode(name) : '';
  const reason = phase2.request === 0 ? BROKEN_OFF_QUICK_MODE : `no response from peer ${address}:${port}${silence}`;
  endPhase2(lane, sa, phase2, withHearsay(sa, { cause: 'timeout', reason }));
};
