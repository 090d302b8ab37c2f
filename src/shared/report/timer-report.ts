/** The `timer_report` lines: what will happen and when, the soonest first, by the original's names. */
import { pointer } from './pointers.ts';

export type TimerName =
  | 'connection_checker'
  | 'exchange_free_aux'
  | 'message_send_expire'
  | 'sa_soft_expire'
  | 'sa_hard_expire';

/** Timers by the second they are due in: there may be hundreds of thousands, but seconds are few. */
export class TimerList {
  readonly #now: number;
  readonly #bySecond = new Map<number, string[]>();

  /** ms */
  constructor(now: number) {
    this.#now = now;
  }

  /** `number`: of whatever the timer belongs to; unique together with the name. `at` in ms; 0: there is none. */
  add(name: TimerName, number: number, at: number): void {
    if (at === 0) return;
    const seconds = Math.max(0, Math.floor(at / 1000) - Math.floor(this.#now / 1000));
    const at16 = pointer('timer', number * 8 + ORDER.indexOf(name));
    const line = `timer_report: event ${name}(${at16}) scheduled in ${seconds} seconds`;
    const others = this.#bySecond.get(seconds);
    if (others === undefined) this.#bySecond.set(seconds, [line]);
    else others.push(line);
  }

  *lines(): Generator<string, void> {
    const seconds = Float64Array.from(this.#bySecond.keys()).sort();
    for (const second of seconds) yield* this.#bySecond.get(second) ?? [];
  }
}

const ORDER: readonly TimerName[] = [
  'connection_checker',
  'exchange_free_aux',
  'message_send_expire',
  'sa_soft_expire',
  'sa_hard_expire',
];
