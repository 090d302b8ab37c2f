/** SipHash-2-4 (Aumasson and Bernstein, 2012): the keyed hash that routes datagrams, in 32-bit halves because BigInt would allocate per message. */
import { InvariantError } from './errors.ts';

/** A 128-bit key as four 32-bit words: low and high half of k0, low and high half of k1. */
export interface SipKey {
  readonly words: Uint32Array;
}

/** Takes 16 bytes, as the paper numbers them (little-endian halves). Throws InvariantError for any other length. */
export const sipKey = (bytes: Uint8Array): SipKey => {
  if (bytes.length !== 16) throw new InvariantError(`a SipHash key has 16 bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return { words: Uint32Array.from([0, 4, 8, 12], (offset) => view.getUint32(offset, true)) };
};

/** The low 32 bits of SipHash-2-4, unsigned. Never throws; any length of input. */
export const siphash = (key: SipKey, bytes: Uint8Array): number => {
  initialise(key.words);
  const whole = bytes.length & ~7;
  for (let offset = 0; offset < whole; offset += 8) {
    absorb(littleEndian(bytes, offset, 4), littleEndian(bytes, offset + 4, 4));
  }
  // The last word: what is left of the input, zeros, and the length modulo 256 in the top byte.
  const rest = bytes.length - whole;
  const low = littleEndian(bytes, whole, Math.min(rest, 4));
  const high = littleEndian(bytes, whole + 4, Math.max(rest - 4, 0));
  absorb(low, high | (bytes.length << 24));
  word(V2, 0, 0xff);
  rounds(4);
  return (at(V0) ^ at(V1) ^ at(V2) ^ at(V3)) >>> 0;
};

const initialise = (key: Uint32Array): void => {
  state.set(INITIAL);
  for (const variable of [V0, V2]) word(variable, key[1] ?? 0, key[0] ?? 0);
  for (const variable of [V1, V3]) word(variable, key[3] ?? 0, key[2] ?? 0);
};

const absorb = (low: number, high: number): void => {
  word(V3, high, low);
  rounds(2);
  word(V0, high, low);
};

/** XORs a 64-bit word into one of the four variables. */
const word = (variable: number, high: number, low: number): void => {
  state[variable] = at(variable) ^ low;
  state[variable + 1] = at(variable + 1) ^ high;
};

const littleEndian = (bytes: Uint8Array, offset: number, count: number): number => {
  let value = 0;
  for (let i = 0; i < count; i++) value |= (bytes[offset + i] ?? 0) << (8 * i);
  return value;
};

const at = (index: number): number => state[index] ?? 0;

const carry = (sum: number, addend: number): number => (sum >>> 0 < addend >>> 0 ? 1 : 0);

/** SipRound, section 2.2 of the paper. `a` to `d` are v0 to v3; `l` and `h` their low and high halves. */
const rounds = (count: number): void => {
  let [al, ah, bl, bh] = [at(V0), at(V0 + 1), at(V1), at(V1 + 1)];
  let [cl, ch, dl, dh] = [at(V2), at(V2 + 1), at(V3), at(V3 + 1)];
  for (let i = 0; i < count; i++) {
    let kept: number;
    al = (al + bl) | 0; // v0 += v1; v1 <<<= 13; v1 ^= v0; v0 <<<= 32
    ah = (ah + bh + carry(al, bl)) | 0;
    kept = bl;
    bl = ((bl << 13) | (bh >>> 19)) ^ al;
    bh = ((bh << 13) | (kept >>> 19)) ^ ah;
    kept = al;
    al = ah;
    ah = kept;

    cl = (cl + dl) | 0; // v2 += v3; v3 <<<= 16; v3 ^= v2
    ch = (ch + dh + carry(cl, dl)) | 0;
    kept = dl;
    dl = ((dl << 16) | (dh >>> 16)) ^ cl;
    dh = ((dh << 16) | (kept >>> 16)) ^ ch;

    al = (al + dl) | 0; // v0 += v3; v3 <<<= 21; v3 ^= v0
    ah = (ah + dh + carry(al, dl)) | 0;
    kept = dl;
    dl = ((dl << 21) | (dh >>> 11)) ^ al;
    dh = ((dh << 21) | (kept >>> 11)) ^ ah;

    cl = (cl + bl) | 0; // v2 += v1; v1 <<<= 17; v1 ^= v2; v2 <<<= 32
    ch = (ch + bh + carry(cl, bl)) | 0;
    kept = bl;
    bl = ((bl << 17) | (bh >>> 15)) ^ cl;
    bh = ((bh << 17) | (kept >>> 15)) ^ ch;
    kept = cl;
    cl = ch;
    ch = kept;
  }
  state[V0] = al;
  state[V0 + 1] = ah;
  state[V1] = bl;
  state[V1 + 1] = bh;
  state[V2] = cl;
  state[V2 + 1] = ch;
  state[V3] = dl;
  state[V3 + 1] = dh;
};

/** Where each variable's low half lies in the state; its high half follows. */
const [V0, V1, V2, V3] = [0, 2, 4, 6];

/** "somepseudorandomlygeneratedbytes", low halves first. */
const INITIAL = [0x70736575, 0x736f6d65, 0x6e646f6d, 0x646f7261, 0x6e657261, 0x6c796765, 0x79746573, 0x74656462];

/** One state for all calls of this thread: a call runs to its end, so calls never interleave. */
const state = new Int32Array(8);
