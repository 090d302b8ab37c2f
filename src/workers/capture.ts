/** What a lane tells main of its messages while a capture runs: each new one in clear, once. */
import type { Received } from '../shared/exchange/run.ts';
import type { Path } from '../shared/threads/contract.ts';
import type { LaneContext } from './lane-context.ts';

/** A message that is sent for the first time, or was received and accepted; `bytes`: header and payloads in clear. */
export const capture = (lane: LaneContext, path: Path, isSent: boolean, bytes: Uint8Array): void => {
  if (lane.isCapturing) lane.effects.push({ kind: 'captured', path, isSent, bytes });
};

export const captureReceived = (lane: LaneContext, path: Path, received: Received): void => {
  if (received.kind === 'accepted') capture(lane, path, false, received.message.clear);
};
