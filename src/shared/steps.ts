/** Long work as a generator: it stops between its steps, so that whoever runs it decides when something else gets its turn. */

/** `yield` ends a step, which takes a millisecond or less; `return` answers. */
export type Steps<T> = Generator<void, T, void>;

/** Runs all steps without a break: for programs that have nothing else to do. */
export const atOnce = <T>(steps: Steps<T>): T => {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
};
