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

  /** Rejects where nothing comes. */
  next(milliseconds = 10_000): Promise<T> {
    const one = this.#queue.shift();
    if (one !== undefined) return Promise.resolve(one);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('nothing came')), milliseconds);
      this.#takers.push((found) => {
        clearTimeout(timer);
        resolve(found);
      });
    });
  }

  forget(): void {
    this.#queue = [];
  }
}
