/** Timers that run when a test says so. */

export interface VirtualTimers {
  schedule(milliseconds: number, callback: () => void): () => void;
  /** Runs what is due within so many ms, in order. */
  advance(milliseconds: number): void;
  readonly size: number;
}

export const virtualTimers = (): VirtualTimers => {
  let now = 0;
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  return {
    schedule: (milliseconds, callback) => {
      const timer = { at: now + milliseconds, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance: (milliseconds) => {
      const end = now + milliseconds;
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        timers.delete(next);
        now = next.at;
        next.callback();
      }
      now = end;
    },
    get size() {
      return timers.size;
    },
  };
};
