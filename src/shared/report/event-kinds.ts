/** What can be subscribed to over the status socket. */
export const EVENT_KINDS = [
  'phase1-up',
  'phase1-down',
  'phase1-failed',
  'phase2-up',
  'phase2-down',
  'phase2-failed',
  'reconfigured',
] as const;
