/**
 * How many phase 1 negotiations strangers may leave half-open with us, and how much memory with them: in all, and from one network. Room
 * is made by the oldest that has not yet shown that its address receives our replies, then by the oldest of the others (threats: half-open flood).
 */
import { parseAddress } from '../shared/address.ts';
import { hex, type IsakmpSa } from './isakmp-sa.ts';

/** A network: a /24 or a /48. A site behind one address has to fit as well. */
const MOST_OF_ONE_NETWORK = 1024;
const MOST_OF_ALL = 8192;
/** Bytes of the peer's messages and of ours that are kept for one: some offers are larger, then there is room for fewer (decisions 3.11). */
const BYTES_EACH = 1024;

export class HalfOpenLimit {
  readonly #all = new Crowd();
  readonly #byNetwork = new Map<string, Crowd>();
  readonly #byteSizes = new Map<IsakmpSa, number>();

  get size(): number {
    return this.#byteSizes.size;
  }

  /** Takes in a new one that keeps so many bytes; answers those that have to go for it. */
  admit(sa: IsakmpSa, bytes: number): readonly IsakmpSa[] {
    const network = networkOf(sa);
    const neighbours = this.#byNetwork.get(network) ?? new Crowd();
    this.#byNetwork.set(network, neighbours);
    const leaving: IsakmpSa[] = [];
    const makeRoom = (crowd: Crowd, most: number): void => {
      for (let oldest = crowd.tooMany(most, bytes); oldest !== undefined; oldest = crowd.tooMany(most, bytes)) {
        this.release(oldest);
        leaving.push(oldest);
      }
    };
    makeRoom(neighbours, MOST_OF_ONE_NETWORK);
    makeRoom(this.#all, MOST_OF_ALL);
    // `release` forgets a network that has become empty.
    this.#byNetwork.set(network, neighbours);
    this.#byteSizes.set(sa, bytes);
    for (const crowd of [this.#all, neighbours]) crowd.add(sa, bytes);
    return leaving;
  }

  /** Its message 3 has come: its address is real. */
  prove(sa: IsakmpSa): void {
    if (!this.#byteSizes.has(sa)) return;
    for (const crowd of [this.#all, this.#byNetwork.get(networkOf(sa))]) crowd?.prove(sa);
  }

  /** It is established or has ended. */
  release(sa: IsakmpSa): void {
    const bytes = this.#byteSizes.get(sa);
    if (bytes === undefined) return;
    this.#byteSizes.delete(sa);
    const network = networkOf(sa);
    const neighbours = this.#byNetwork.get(network);
    for (const crowd of [this.#all, neighbours]) crowd?.remove(sa, bytes);
    if (neighbours?.size === 0) this.#byNetwork.delete(network);
  }
}

/** Half-open SAs in the order they came. */
class Crowd {
  readonly #unproven = new Set<IsakmpSa>();
  /** Made when it is needed: a flood from everywhere has a crowd of one in each network. */
  #proven: Set<IsakmpSa> | undefined;
  #bytes = 0;

  get size(): number {
    return this.#unproven.size + (this.#proven?.size ?? 0);
  }

  /** The first to go if another one of so many bytes came, while there would be more than `most`, or more bytes than so many may keep. */
  tooMany(most: number, bytes: number): IsakmpSa | undefined {
    if (this.size < most && this.#bytes + bytes <= most * BYTES_EACH) return undefined;
    const [oldest] = this.#unproven.size > 0 ? this.#unproven : (this.#proven ?? []);
    return oldest;
  }

  add(sa: IsakmpSa, bytes: number): void {
    this.#unproven.add(sa);
    this.#bytes += bytes;
  }

  prove(sa: IsakmpSa): void {
    if (!this.#unproven.delete(sa)) return;
    this.#proven ??= new Set();
    this.#proven.add(sa);
  }

  remove(sa: IsakmpSa, bytes: number): void {
    if (this.#unproven.delete(sa) || this.#proven?.delete(sa) === true) this.#bytes -= bytes;
  }
}

/** Path changes of port alone do not change it: phase 1 belongs to one address. */
const networkOf = ({ path }: IsakmpSa): string => {
  const address = parseAddress(path.remote.address);
  return address === undefined ? '' : hex(address.bytes.subarray(0, address.family === 4 ? 3 : 6));
};
