/** What a lane tells main while a capture runs: each new message in clear, once, and the keys of its ISAKMP SAs if main wants them. */
import type { Received } from '../shared/exchange/run.ts';
import type { LaneEvent, Path } from '../shared/threads/contract.ts';
import { type IsakmpSa, keyOf } from './isakmp-sa.ts';
import type { LaneContext } from './lane-context.ts';

type Switch = Extract<LaneEvent, { readonly kind: 'capture' }>;

/** A capture begins or ends; the keys of the ISAKMP SAs that are there are handed out at once. */
export const switchCapture = (lane: LaneContext, { isOn, withKeys }: Switch): void => {
  lane.isCapturing = isOn;
  lane.capturesKeys = isOn && withKeys;
  if (lane.capturesKeys) for (const sa of lane.sas.all()) captureKey(lane, sa);
};

/** A message that is sent for the first time, or was received and accepted; `bytes`: header and payloads in clear. */
export const capture = (lane: LaneContext, path: Path, isSent: boolean, bytes: Uint8Array): void => {
  if (lane.isCapturing) lane.effects.push({ kind: 'captured', path, isSent, bytes });
};

export const captureReceived = (lane: LaneContext, path: Path, received: Received): void => {
  if (received.kind === 'accepted') capture(lane, path, false, received.message.clear);
};

/** The SA has a key now, or still none. */
export const captureKey = (lane: LaneContext, sa: IsakmpSa): void => {
  const key = lane.capturesKeys ? keyOf(sa) : undefined;
  if (key === undefined) return;
  // The key itself stays: of a Buffer, slice() would be no copy.
  lane.effects.push({ kind: 'captureKey', initiatorCookie: sa.initiatorCookie, key: Uint8Array.from(key) });
};
