/** Which log records a peer can cause as often as it likes to send packets. */

/** Event names of such records. A part that logs a new kind of them adds its name here. */
export const PEER_TRIGGERED: ReadonlySet<string> = new Set([
  'message-dropped',
  'refusal',
  'refused-by-peer',
  'peer-error',
  'dpd-bad-sequence',
  'phase1-no-key',
  'phase1-dubious-identity',
  'natt-marker',
  'phase1-no-proposal',
  'phase1-wrong-identity',
  'phase2-no-proposal',
  'phase2-wrong-ids',
  'send-failed',
]);
