/** Which log records a peer can cause as often as it likes to send packets. */
import { EVENTS } from './events.ts';

/** Event names of such records, from the registry. */
export const PEER_TRIGGERED: ReadonlySet<string> = new Set(
  Object.entries(EVENTS).flatMap(([name, { byPeer }]) => (byPeer ? [name] : [])),
);
