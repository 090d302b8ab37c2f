/** Damages messages the way attackers and broken peers do. Offsets come from a walk of its own, not from the code under test. */
import fc from 'fast-check';

/** Places in a well-formed message that are worth damaging. Offsets count from the start of the message. */
export interface Anatomy {
  /** Starts of generic headers, top level first, proposals and transforms after them. */
  readonly headers: readonly number[];
  /** How many of `headers` are top level. */
  readonly topLevel: number;
  /** Size and count bytes: SPI size, transform count, SPI count. */
  readonly counts: readonly number[];
  /** Starts of transform attributes. */
  readonly attributes: readonly number[];
}

const HEADER = 28;
const u16 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
const putU16 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = (value >> 8) & 0xff;
  bytes[at + 1] = value & 0xff;
};

/** Walks a message that is known to be good. */
const anatomy = (message: Uint8Array): Anatomy => {
  const headers: number[] = [];
  const nested: number[] = [];
  const counts: number[] = [];
  const attributes: number[] = [];
  const walkTransform = (start: number): void => {
    const end = start + u16(message, start + 2);
    for (let at = start + 8; at < end; ) {
      attributes.push(at);
      at += (message[at] ?? 0) & 0x80 ? 4 : 4 + u16(message, at + 2);
    }
  };
  const walkChain = (from: number, end: number, visit: (start: number) => void): void => {
    for (let at = from; at < end; at += u16(message, at + 2)) {
      nested.push(at);
      visit(at);
    }
  };
  const walkProposal = (start: number): void => {
    counts.push(start + 6, start + 7);
    walkChain(start + 8 + (message[start + 6] ?? 0), start + u16(message, start + 2), walkTransform);
  };
  for (let type = message[16] ?? 0, at = HEADER; type !== 0; ) {
    const end = at + u16(message, at + 2);
    headers.push(at);
    if (type === 1) walkChain(at + 12, end, walkProposal);
    if (type === 11) counts.push(at + 9);
    if (type === 12) counts.push(at + 9, at + 10, at + 11);
    type = message[at] ?? 0;
    at = end;
  }
  return { headers: [...headers, ...nested], topLevel: headers.length, counts, attributes };
};

/** One act of damage: `where` picks among the places there are, `how` among the ways, `to` is the new value. */
export interface Mutation {
  readonly act: (typeof ACTS)[number];
  readonly where: number;
  readonly how: number;
  readonly to: number;
}

const ACTS = [
  'byte',
  'bit',
  'length',
  'type',
  'count',
  'attribute',
  'truncate',
  'append',
  'duplicate',
  'remove',
  'swap',
  'zero',
] as const;

export const anyMutation: fc.Arbitrary<Mutation> = fc.record({
  act: fc.constantFrom(...ACTS),
  where: fc.nat(0xffff),
  how: fc.nat(7),
  to: fc.nat(0xffff),
});

const pick = (places: readonly number[], where: number): number | undefined => places[where % places.length];

/** Lengths that have hurt somebody: zero, less than a header, one off, the largest. */
const hostileLength = (length: number, how: number, to: number): number =>
  [0, 1, 3, 4, length - 1, length + 1, 0xffff, to][how] ?? to;

const spliced = (bytes: Uint8Array, from: number, to: number, insert: Uint8Array): Uint8Array => {
  const out = new Uint8Array(bytes.length - (to - from) + insert.length);
  out.set(bytes.subarray(0, from));
  out.set(insert, from);
  out.set(bytes.subarray(to), from + insert.length);
  return out;
};

/** Where the payload at top-level place `where` begins and ends. */
const extent = (bytes: Uint8Array, places: Anatomy, where: number): readonly [number, number] | undefined => {
  const start = pick(places.headers.slice(0, places.topLevel), where);
  return start === undefined ? undefined : [start, Math.min(bytes.length, start + u16(bytes, start + 2))];
};

type Act = (bytes: Uint8Array, places: Anatomy, mutation: Mutation) => Uint8Array;

const at =
  (find: (places: Anatomy) => readonly number[], change: (bytes: Uint8Array, at: number, m: Mutation) => void): Act =>
  (bytes, places, mutation) => {
    const place = pick(find(places), mutation.where);
    if (place !== undefined && place + 4 <= bytes.length) change(bytes, place, mutation);
    return bytes;
  };

const acts: Readonly<Record<Mutation['act'], Act>> = {
  byte: (bytes, _places, { where, to }) => {
    bytes[HEADER + (where % Math.max(1, bytes.length - HEADER))] = to & 0xff;
    return bytes;
  },
  bit: (bytes, _places, { where, how }) => {
    const place = where % bytes.length;
    bytes[place] = (bytes[place] ?? 0) ^ (1 << how);
    return bytes;
  },
  length: at(
    (places) => places.headers,
    (bytes, place, { how, to }) => putU16(bytes, place + 2, hostileLength(u16(bytes, place + 2), how, to)),
  ),
  type: at(
    (places) => [16, ...places.headers],
    (bytes, place, { to }) => {
      bytes[place] = to & 0xff;
    },
  ),
  count: at(
    (places) => places.counts,
    (bytes, place, { how, to }) => {
      bytes[place] = hostileLength(bytes[place] ?? 0, how, to) & 0xff;
    },
  ),
  attribute: at(
    (places) => places.attributes,
    (bytes, place, { how, to }) => {
      if (how < 3) bytes[place] = (bytes[place] ?? 0) ^ 0x80;
      else putU16(bytes, place + 2, hostileLength(u16(bytes, place + 2), how, to));
    },
  ),
  truncate: (bytes, _places, { where }) => bytes.slice(0, where % bytes.length),
  append: (bytes, _places, { where, to }) =>
    spliced(bytes, bytes.length, bytes.length, new Uint8Array(where % 40).fill(to)),
  duplicate: (bytes, places, { where }) => {
    const [start, end] = extent(bytes, places, where) ?? [0, 0];
    return start === 0 || end <= start ? bytes : spliced(bytes, end, end, bytes.slice(start, end));
  },
  remove: (bytes, places, { where }) => {
    const [start, end] = extent(bytes, places, where) ?? [0, 0];
    return start === 0 || end <= start ? bytes : spliced(bytes, start, end, new Uint8Array());
  },
  swap: (bytes, places, { where, to }) => {
    const [start, end] = extent(bytes, places, where) ?? [0, 0];
    const [other] = extent(bytes, places, to) ?? [0];
    if (other >= start || end <= start) return bytes;
    return spliced(spliced(bytes, start, end, new Uint8Array()), other, other, bytes.slice(start, end));
  },
  zero: (bytes, _places, { where, how }) => {
    const start = HEADER + (where % Math.max(1, bytes.length - HEADER));
    return bytes.fill(0, start, start + 1 + how * 4);
  },
};

/** A damaged copy of a good message. Its header says the true length again, so that damage in the body is what counts. */
export const mutated = (message: Uint8Array, mutations: readonly Mutation[]): Uint8Array => {
  const places = anatomy(message);
  let bytes = message.slice();
  for (const mutation of mutations) {
    if (bytes.length > 0) bytes = acts[mutation.act](bytes, places, mutation).slice();
  }
  if (bytes.length >= HEADER) {
    putU16(bytes, 24, 0);
    putU16(bytes, 26, bytes.length);
  }
  return bytes;
};
