/** How long to wait before trying again: nothing the first time a peer deletes what was up, then exponentially longer, with jitter, up to a limit. */

/** The strikes of one connection or peer. They are forgiven once it has been up for a while, not at once: a peer that deletes each new SA would be hammered. */
export class BackOff {
  #strikes = 0;
  #upSince: number | undefined;

  /** It is up. */
  succeeded(now: number): void {
    this.#upSince ??= now;
  }

  /** An attempt failed: milliseconds to wait. `random` is from [0, 1). */
  failed(now: number, checkIntervalSeconds: number, random: number): number {
    return this.#strike(now, checkIntervalSeconds, random, 1);
  }

  /** The peer deleted what was up: milliseconds to wait, 0 the first time. */
  deletedByPeer(now: number, checkIntervalSeconds: number, random: number): number {
    return this.#strike(now, checkIntervalSeconds, random, 2);
  }

  /** The operator asked: earlier failures do not count. */
  reset(): void {
    this.#strikes = 0;
    this.#upSince = undefined;
  }

  #strike(now: number, checkIntervalSeconds: number, random: number, free: number): number {
    if (this.#upSince !== undefined && now - this.#upSince >= FORGIVEN_AFTER_MS) this.#strikes = 0;
    this.#upSince = undefined;
    this.#strikes++;
    if (this.#strikes < free) return 0;
    const delay = Math.min(
      FIRST_MS * 2 ** Math.min(this.#strikes - free, MOST_DOUBLINGS),
      longest(checkIntervalSeconds),
    );
    return Math.round(delay * (0.5 + random / 2));
  }
}

/** Five connection checks, but between one minute and five. */
const longest = (checkIntervalSeconds: number): number =>
  Math.min(Math.max(checkIntervalSeconds * 5000, 60_000), 300_000);

const FIRST_MS = 2000;
const MOST_DOUBLINGS = 16;
const FORGIVEN_AFTER_MS = 60_000;
