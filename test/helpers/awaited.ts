/** What comes some time: taken in order, waited for. */
export class Awaited<T> {
  #queue: T[] = [];
  #takers: ((one: T) => void)[] = [];

  get waiting(): number {
    return this.#queue.length;
  }

  put(one: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#queue.push(one);
    else taker(one);
  }

  /** Rejects where nothing comes: what somebody else fails to send leaves no other sign. The time is only taken by a test that fails, or that expects nothing. */
  next(milliseconds = 10_000): Promise<T> {
    const one = this.#queue.shift();
    if (one !== undefined) return Promise.resolve(one);
    return new Promise((resolve, reject) => {
      const taker = (found: T): void => {
        clearTimeout(timer);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.#takers = this.#takers.filter((one) => one !== taker);
        reject(new Error(`nothing came in ${milliseconds} ms`));
      }, milliseconds);
      this.#takers.push(taker);
    });
  }

  forget(): void {
    this.#queue = [];
  }
}
