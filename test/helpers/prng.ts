/** Fast repeatable randomness: sfc32 (Chris Doty-Humphrey), good enough to stand in for keys and weather in simulations. */

export class Prng {
  readonly #state: Uint32Array;

  constructor(seed: number) {
    this.#state = Uint32Array.of(0x9e3779b9, seed, seed ^ 0x243f6a88, 1);
    for (let i = 0; i < 12; i++) this.word();
  }

  /** An unsigned 32-bit number. */
  word(): number {
    const [a = 0, b = 0, c = 0, counter = 0] = this.#state;
    const sum = (a + b + counter) >>> 0;
    this.#state[0] = b ^ (b >>> 9);
    this.#state[1] = c + (c << 3);
    this.#state[2] = ((c << 21) | (c >>> 11)) + sum;
    this.#state[3] = counter + 1;
    return sum;
  }

  bytes(size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    for (let i = 0; i < size; i += 4) {
      const word = this.word();
      for (let j = 0; j < 4 && i + j < size; j++) bytes[i + j] = word >>> (8 * j);
    }
    return bytes;
  }

  /** low <= x < high */
  between(low: number, high: number): number {
    return low + ((high - low) * this.word()) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.word() < probability * 2 ** 32;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.word() % choices.length] ?? choices[0];
  }
}
