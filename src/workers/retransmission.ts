/** Sending what an exchange wants sent, and sending it again while nothing comes back. Exponential back-off with jitter. */

import type { Action, Conversation } from '../shared/exchange/run.ts';
import type { IsakmpSa, Phase2 } from './isakmp-sa.ts';
import { arm, disarm, type LaneContext } from './lane-context.ts';
import { send, sendAgain } from './outgoing.ts';

/** Sends a new message of an exchange and arms its repetition. */
export const sendMessage = (
  lane: LaneContext,
  sa: IsakmpSa,
  phase2: Phase2 | undefined,
  { bytes, clear, repeat, payloads }: Extract<Action, { readonly kind: 'datagram' }>,
): void => {
  send(lane, sa, { bytes, clear }, phase2?.conversation.protection ?? sa.conversation?.protection, payloads);
  if (repeat === 'timer') armRepeat(lane, sa, phase2, 1);
  else disarm(lane, phase2 ?? sa, 'repeat');
};

/** The peer has our message, or what came makes it pointless. */
export const stopRepeating = (lane: LaneContext, sa: IsakmpSa, phase2: Phase2 | undefined): void =>
  disarm(lane, phase2 ?? sa, 'repeat');

/** Something authentic has come: the peer has all of our phase 1, and is no less than we believe it to be. */
export const hearFrom = (lane: LaneContext, sa: IsakmpSa): void => {
  stopRepeating(lane, sa, undefined);
  sa.hearsay = undefined;
};

/** Sends the last message again; answers false when it has been sent often enough. */
export const repeatMessage = (
  lane: LaneContext,
  sa: IsakmpSa,
  phase2: Phase2 | undefined,
  conversation: Conversation,
): boolean => {
  const { lastSent, transmissions } = conversation;
  if (lastSent === undefined || transmissions > lane.general.retransmits) return false;
  conversation.transmissions = transmissions + 1;
  sendAgain(lane, sa, lastSent);
  armRepeat(lane, sa, phase2, transmissions + 1);
  return true;
};

const armRepeat = (lane: LaneContext, sa: IsakmpSa, phase2: Phase2 | undefined, transmissions: number): void => {
  const wait = Math.min(FIRST_WAIT * 2 ** (transmissions - 1), LONGEST_WAIT) * jitter(lane);
  arm(lane, phase2 ?? sa, lane.now() + wait, { name: 'repeat', sa, phase2 });
};

/** 0.9 to 1.1: peers that lost their link together must not come back in step. */
const jitter = (lane: LaneContext): number => 0.9 + 0.2 * ((lane.random(1)[0] ?? 0) / 255);

/** ms. */
const FIRST_WAIT = 2_000;
const LONGEST_WAIT = 32_000;
