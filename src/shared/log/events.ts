/**
 * The one registry of everything that is logged. Whoever logs something new adds a row, or a line to a row, in the table of its subject in
 * `events/`: a record of an event that is not here, or with a text that fits none of the event's lines, does not compile (records.ts). Then
 * `npm run docs` writes docs/troubleshooting.md anew; a test fails while page and tables differ, or while a line stands here that no code says.
 * A text that is not known beforehand (debug dumps, messages of other tables) has a line of `{text}` alone.
 */
import { CONNECTION_EVENTS } from './events/connections.ts';
import { DAEMON_EVENTS } from './events/daemon.ts';
import { DEBUG_EVENTS } from './events/debugging.ts';
import { LIFECYCLE_EVENTS } from './events/lifecycle.ts';
import { OPERATOR_EVENTS } from './events/operator.ts';
import { PHASE1_EVENTS } from './events/phase1.ts';
import { PHASE2_EVENTS } from './events/phase2.ts';
import { RECEPTION_EVENTS } from './events/reception.ts';
import { REFUSAL_EVENTS } from './events/refusals.ts';
import type { EventTable, Severity, TextOf } from './events/row.ts';

export const EVENTS = {
  ...REFUSAL_EVENTS,
  ...RECEPTION_EVENTS,
  ...PHASE1_EVENTS,
  ...PHASE2_EVENTS,
  ...CONNECTION_EVENTS,
  ...DAEMON_EVENTS,
  ...OPERATOR_EVENTS,
  ...LIFECYCLE_EVENTS,
  ...DEBUG_EVENTS,
} as const satisfies EventTable;

/** The stable name of what happened. */
export type EventName = keyof typeof EVENTS;

/** The events that are of one of these severities. */
export type EventOf<S extends Severity> = {
  [E in EventName]: (typeof EVENTS)[E]['severity'] extends S ? E : never;
}[EventName];

/** Event name -> the texts that its records may have. */
export type Texts = { readonly [E in EventName]: TextOf<keyof (typeof EVENTS)[E]['lines'] & string> };

/** The tables under the titles they have in docs/troubleshooting.md. */
export const EVENT_SECTIONS: readonly { readonly title: string; readonly events: EventTable }[] = [
  { title: 'Negotiations that are refused or fail: the lines that explain', events: REFUSAL_EVENTS },
  { title: 'Messages that are dropped', events: RECEPTION_EVENTS },
  { title: 'Phase 1: main and aggressive mode', events: PHASE1_EVENTS },
  { title: 'Phase 2: quick mode and informational messages', events: PHASE2_EVENTS },
  { title: 'Connections', events: CONNECTION_EVENTS },
  { title: 'The daemon: sockets, threads, kernel, log', events: DAEMON_EVENTS },
  { title: 'Configuration and FIFO', events: OPERATOR_EVENTS },
  { title: 'Signals, reload, active and passive mode', events: LIFECYCLE_EVENTS },
  { title: 'Debug classes', events: DEBUG_EVENTS },
];
