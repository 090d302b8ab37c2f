/** The form of the event registry. */

/** Where a record goes: ordinary lines (`fatal`: the daemon ends; `error`, `notice`), lines for -v, debug lines by class, lines of the report. */
export type Severity = 'fatal' | 'error' | 'notice' | 'verbose' | 'debug' | 'report';

/** For docs/troubleshooting.md: why the line is there, and what the operator can do. */
export interface Explanation {
  readonly cause: string;
  readonly cure: string;
}

export interface EventRow {
  readonly severity: Severity;
  /** A peer, or anybody who sends packets, can cause it as often as he likes: such lines are rationed. */
  readonly byPeer: boolean;
  /** The event's lines; `{name}` stands for whatever changes. */
  readonly lines: Readonly<Record<string, Explanation>>;
}

export type EventTable = Readonly<Record<string, EventRow>>;

/** The texts that a line with `{holes}` stands for, as a type. */
export type TextOf<Line extends string> = Line extends `${infer Before}{${string}}${infer After}`
  ? `${Before}${string}${TextOf<After>}`
  : Line;
