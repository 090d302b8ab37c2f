/** Debug records: one event for each class. What they say is for whoever reads the code as well; none is a contract. */
import type { EventRow, EventTable } from './row.ts';

const row = (
  cause: string,
): EventRow & {
  readonly severity: 'debug';
  readonly lines: { readonly '{text}': { readonly cause: string; readonly cure: string } };
} => ({
  severity: 'debug',
  byPeer: false,
  lines: { '{text}': { cause, cure: 'None needed; `D T` silences all classes and brings them back.' } },
});

export const DEBUG_EVENTS = {
  'debug-misc': row('Class 0: policies on their way to lanes, threads.'),
  'debug-transport': row('Class 1: sockets opened and closed; datagrams in and out, with addresses and length.'),
  'debug-message': row('Class 2: header and payloads of each message, received and sent.'),
  'debug-crypto': row('Class 3: ciphers, hashes, groups and lengths; never a value.'),
  'debug-timer': row('Class 4: timers of lanes: set, cancelled, fired.'),
  'debug-kernel': row('Class 5: what the kernel was asked, and what it answered.'),
  'debug-sa': row('Class 6: SAs created, established, replaced, expired, deleted.'),
  'debug-exchange': row('Class 7: exchanges begun, their steps, and how they ended.'),
  'debug-negotiation': row('Class 8: each transform offered against each of ours, with the outcome.'),
  'debug-policy': row('Class 9: which peer, ISAKMP SA and connection was chosen, and why.'),
  'debug-ui': row('Class 10: commands read from the FIFO.'),
} as const satisfies EventTable;
