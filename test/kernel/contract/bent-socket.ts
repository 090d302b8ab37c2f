/** A socket to the kernel that loses or delays what a test wants it to. */
import type { KernelSocketEvents, OpenKernelSocket } from '../../../src/kernel/kernel-socket.ts';

type Plan = 'lose' | 'hold';

export class BentSocket {
  readonly #isAnswer: (message: Uint8Array) => boolean;
  #plan: { readonly what: Plan; skip: number } | undefined;
  #held: (() => void) | undefined;
  #hasActed = false;
  /** Messages so far. */
  count = 0;

  constructor(isAnswer: (message: Uint8Array) => boolean) {
    this.#isAnswer = isAnswer;
  }

  readonly bend =
    (open: OpenKernelSocket): OpenKernelSocket =>
    (events) =>
      open({ ...events, message: (bytes) => this.#message(bytes, events) });

  /** What happens to the answer after the next `skip` ones. */
  plan(what: Plan, skip: number): void {
    this.#plan = { what, skip };
    this.#hasActed = false;
  }

  /** No more of it; answers whether it has happened. What was held comes now. */
  end(): boolean {
    this.#plan = undefined;
    this.#held?.();
    this.#held = undefined;
    return this.#hasActed;
  }

  #message(bytes: Uint8Array, events: KernelSocketEvents): void {
    this.count++;
    const plan = this.#plan;
    if (plan === undefined || !this.#isAnswer(bytes) || plan.skip-- > 0) {
      events.message(bytes);
      return;
    }
    this.#plan = undefined;
    this.#hasActed = true;
    if (plan.what === 'hold') this.#held = () => events.message(bytes);
  }
}
