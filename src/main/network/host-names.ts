/** Names of hosts in the configuration, resolved by the system. Nobody waits long for an answer: it is there for the next attempt. */
import { lookup } from 'node:dns/promises';
import { parseAddress } from '../../shared/address.ts';
import type { AddressBook, HostAnswer } from '../../shared/config/address-book.ts';
import { codeOf } from '../privileged/system-fault.ts';

export interface HostNamesOptions {
  readonly book: Pick<AddressBook, 'setHost'>;
  /** Never rejects. */
  readonly resolve: (name: string) => Promise<HostAnswer>;
  /** ms on a monotonic clock. */
  readonly now: () => number;
  /** Calls back after some ms; the answer cancels. */
  readonly schedule: (milliseconds: number, callback: () => void) => () => void;
}

export class HostNames {
  readonly #options: HostNamesOptions;
  /** When each name was answered last. */
  #answered = new Map<string, number>();
  readonly #asked = new Map<string, Promise<void>>();
  /** Names that wait for their turn. */
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(options: HostNamesOptions) {
    this.#options = options;
  }

  /** Looks up what was not looked up in the last minute. Resolves when all answers are in the address book, or after a while without. */
  async learn(names: Iterable<string>): Promise<void> {
    const { now, schedule } = this.#options;
    const due = Array.from(new Set(names)).filter(
      (name) => now() - (this.#answered.get(name) ?? -TIME_TO_LIVE) >= TIME_TO_LIVE,
    );
    if (due.length === 0) return;
    let cancel: (() => void) | undefined;
    const patience = new Promise<void>((resolve) => {
      cancel = schedule(PATIENCE, resolve);
    });
    await Promise.race([Promise.all(due.map((name) => this.#ask(name))), patience]);
    cancel?.();
  }

  /** At a reload: all names are looked up anew when they are next wanted, and those that nobody wants any more are forgotten. */
  forget(): void {
    this.#answered = new Map();
  }

  #ask(name: string): Promise<void> {
    const running = this.#asked.get(name);
    if (running !== undefined) return running;
    const question = this.#turn()
      .then(() => this.#options.resolve(name))
      .then((answer) => {
        this.#options.book.setHost(name, answer);
        this.#answered.set(name, this.#options.now());
      })
      .finally(() => {
        this.#asked.delete(name);
        this.#running--;
        this.#queue.shift()?.();
      });
    this.#asked.set(name, question);
    return question;
  }

  /** Resolves when fewer than AT_A_TIME others are being looked up. */
  async #turn(): Promise<void> {
    if (this.#running >= AT_A_TIME) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#running++;
  }
}

/** Asks the system, /etc/hosts and all. */
export const resolveHost = async (name: string): Promise<HostAnswer> => {
  try {
    const found = (await lookup(name, { all: true, order: 'verbatim' })).flatMap(
      ({ address }) => parseAddress(address)?.text ?? [],
    );
    return found.length > 0 ? { kind: 'addresses', addresses: found } : { kind: 'failed', reason: 'no address' };
  } catch (fault) {
    return {
      kind: 'failed',
      reason: REASONS.get(codeOf(fault) ?? '') ?? codeOf(fault) ?? 'the name cannot be looked up',
    };
  }
};

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOTFOUND', 'no such host (ENOTFOUND)'],
  ['EAI_AGAIN', 'no name server answers (EAI_AGAIN)'],
]);
/** The system's resolver holds a thread of the pool, of which there are four, for as long as name servers are silent. */
const AT_A_TIME = 2;
/** ms for which an answer counts. The system does not tell how long it may. */
const TIME_TO_LIVE = 60_000;
/** ms */
const PATIENCE = 2000;
