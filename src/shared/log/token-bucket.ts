/** How many lines per second strangers may cause: a token bucket on the daemon's monotonic clock. */

/** `burst` lines at once, then `perSecond`. */
export interface TokenRate {
  readonly burst: number;
  readonly perSecond: number;
}

/** A bucket that starts full. */
export class TokenBucket {
  readonly #rate: TokenRate;
  #tokens: number;
  #filledAt = Number.NEGATIVE_INFINITY;

  constructor(rate: TokenRate) {
    this.#rate = rate;
    this.#tokens = rate.burst;
  }

  /** Takes a token if there is one. `now` in ms; a clock that goes back adds nothing. */
  take(now: number): boolean {
    const elapsed = Math.max(0, now - this.#filledAt);
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + (elapsed * this.#rate.perSecond) / 1000);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
