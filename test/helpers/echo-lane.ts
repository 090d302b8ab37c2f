/**
 * A lane for tests, in the real thread shell, with echoing instead of exchanges. Every event is answered by one effect, in order: a datagram by
 * itself, all else by a log record that names it. The reason of a `refused` event is a command.
 */
import type { MessagePort } from 'node:worker_threads';
import type { LaneEffect, LaneEvent, LaneExchanges, LaneStart } from '../../src/shared/threads/contract.ts';
import { monotonicNow, runLane } from '../../src/workers/lane-thread.ts';
import type { Core } from '../../src/workers/turns.ts';
import { recordOf } from './log-record.ts';

export const lane = (start: LaneStart<MessagePort, unknown, unknown>): Promise<void> => runLane(start, new EchoCore());

class EchoCore implements Core {
  readonly diffieHellman = 0;
  readonly counts = { isakmpSas: 0, halfOpen: 0, phase2Exchanges: 0 };
  #effects: LaneEffect[] = [];
  #alarm: number | undefined;
  #turns = 0;

  handle(event: LaneEvent): void {
    if (event.kind === 'refused') this.#obey(event.reason);
    this.#effects.push(
      event.kind === 'datagram' ? { kind: 'send', path: event.path, bytes: event.bytes.slice() } : said(wordsOf(event)),
    );
  }

  weigh(event: LaneEvent): 'fast' | 'slow' {
    return event.kind === 'startPhase1' ? 'slow' : 'fast';
  }

  advance(): void {
    this.#turns++;
    if (this.#alarm === undefined || this.#alarm > monotonicNow()) return;
    this.#alarm = undefined;
    this.#effects.push(said('alarm'));
  }

  nextDeadline(): number | undefined {
    return this.#alarm;
  }

  exchanges(): LaneExchanges {
    return { exchanges: [], omitted: 0 };
  }

  takeEffects(): readonly LaneEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #obey(command: string): void {
    if (command === 'throw') throw new RangeError('thrown in a step');
    if (command === 'exit') process.exit(7);
    if (command === 'alarm') this.#alarm = monotonicNow() + 20;
    if (command === 'far') this.#alarm = monotonicNow() + 2 ** 40;
    if (command === 'turns') this.#effects.push(said(`${this.#turns} turns`));
    if (command === 'die') {
      setImmediate(() => {
        throw new RangeError('thrown outside of a step');
      });
    }
  }
}

const said = (text: string): LaneEffect => ({
  kind: 'log',
  record: recordOf(text),
});

const wordsOf = (event: LaneEvent): string => {
  if (event.kind === 'peer') return `peer ${event.policy.name} ${event.policy.port}`;
  if (event.kind === 'peerGone') return `peerGone ${event.name}`;
  if (event.kind === 'general') return `general ${event.policy.retransmits}`;
  if (event.kind === 'startPhase1' || event.kind === 'cancel') return `${event.kind} ${event.request}`;
  if (event.kind === 'installed') return `installed ${event.exchange}`;
  if (event.kind === 'capture') return `capture ${event.isOn} ${event.withKeys}`;
  return event.kind === 'refused' ? event.reason : event.kind;
};
