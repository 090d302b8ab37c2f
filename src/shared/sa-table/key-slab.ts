/**
 * The keys of one lane's established ISAKMP SAs, apart from the table that everyone reads: records of fixed size in a growable SharedArrayBuffer, so
 * that the lane's successor finds them. Nobody but the owning lane opens it; what is freed is zeroed.
 */
import { InvariantError } from '../errors.ts';
import type { SaHandle } from './handles.ts';
import { growTo, layout } from './layout.ts';

/** All that phase 2 and informational exchanges need. The arrays handed out are copies: whoever read them zeroes them. */
export interface KeyRecord {
  /** The row of the SA these keys belong to. */
  readonly owner: SaHandle;
  /** Numbers of RFC 2409 appendix A; `keyLength` in bits. */
  readonly hash: number;
  readonly cipher: number;
  readonly keyLength: number;
  /** At most 64 bytes each. */
  readonly skeyidD: Uint8Array;
  readonly skeyidA: Uint8Array;
  /** At most 56 bytes. */
  readonly encryptionKey: Uint8Array;
  /** The last ciphertext block of phase 1, at most 16 bytes: RFC 2409 appendix B derives the IVs of later exchanges from it. */
  readonly lastIv: Uint8Array;
}

const KEYS = layout({
  valid: 'u32',
  slot: 'u32',
  generation: 'u32',
  hash: 'u16',
  cipher: 'u16',
  keyLength: 'u16',
  skeyidDBytes: 'u8',
  skeyidABytes: 'u8',
  encryptionKeyBytes: 'u8',
  lastIvBytes: 'u8',
  skeyidD: 'b64',
  skeyidA: 'b64',
  encryptionKey: 'b56',
  lastIv: 'b16',
});

/** Reserves an empty slab for one lane; memory is taken as it fills. */
export const createKeySlab = (maxRecords: number): SharedArrayBuffer =>
  new SharedArrayBuffer(0, { maxByteLength: Math.ceil(maxRecords / CHUNK_RECORDS) * CHUNK_BYTES });

export class KeySlab {
  readonly #buffer: SharedArrayBuffer;
  readonly #chunks: Chunk[] = [];
  /** Unused slots, the next one last. */
  readonly #free: number[] = [];

  /** Opens a lane's slab. What a predecessor left half written or half erased is erased. */
  constructor(buffer: SharedArrayBuffer) {
    this.#buffer = buffer;
    for (let wasOpened = true; wasOpened; ) wasOpened = this.#openChunk();
  }

  /** Stores keys. Undefined when the slab is full or there is no memory. Throws InvariantError for keys longer than any algorithm's. */
  allocate(record: KeyRecord): number | undefined {
    checkSizes(record);
    if (this.#free.length === 0 && growTo(this.#buffer, (this.#chunks.length + 1) * CHUNK_BYTES)) this.#openChunk();
    const slot = this.#free.pop();
    const chunk = slot === undefined ? undefined : this.#chunks[Math.floor(slot / CHUNK_RECORDS)];
    if (slot === undefined || chunk === undefined) return undefined;
    const base = baseOf(slot);
    writeKeys(chunk, base, record);
    Atomics.store(chunk.words, (base + at.valid) / 4, VALID);
    return slot;
  }

  /** The keys in a slot; undefined when it holds none. */
  read(slot: number): KeyRecord | undefined {
    const chunk = this.#liveChunk(slot);
    return chunk === undefined ? undefined : readKeys(chunk, baseOf(slot));
  }

  /** Erases a slot. False when it held nothing. */
  free(slot: number): boolean {
    const chunk = this.#liveChunk(slot);
    if (chunk === undefined) return false;
    erase(chunk, baseOf(slot));
    this.#free.push(slot);
    return true;
  }

  /** The slots that hold keys; they may be freed on the way. */
  *liveSlots(): Generator<number, void> {
    for (let slot = 0; slot < this.#chunks.length * CHUNK_RECORDS; slot++) {
      if (this.#liveChunk(slot) !== undefined) yield slot;
    }
  }

  #liveChunk(slot: number): Chunk | undefined {
    const chunk = this.#chunks[Math.floor(slot / CHUNK_RECORDS)];
    return chunk !== undefined && isValid(chunk, baseOf(slot)) ? chunk : undefined;
  }

  /** Makes the next chunk of the buffer usable, if there is one. */
  #openChunk(): boolean {
    const index = this.#chunks.length;
    const offset = index * CHUNK_BYTES;
    if (this.#buffer.byteLength < offset + CHUNK_BYTES) return false;
    const chunk = {
      words: new Int32Array(this.#buffer, offset, CHUNK_BYTES / 4),
      view: new DataView(this.#buffer, offset, CHUNK_BYTES),
      bytes: new Uint8Array(this.#buffer, offset, CHUNK_BYTES),
    };
    this.#chunks.push(chunk);
    for (let i = CHUNK_RECORDS - 1; i >= 0; i--) {
      const slot = index * CHUNK_RECORDS + i;
      if (isValid(chunk, baseOf(slot))) continue;
      erase(chunk, baseOf(slot));
      this.#free.push(slot);
    }
    return true;
  }
}

interface Chunk {
  readonly words: Int32Array;
  readonly view: DataView;
  readonly bytes: Uint8Array;
}

const writeKeys = ({ view, bytes }: Chunk, base: number, record: KeyRecord): void => {
  view.setUint32(base + at.slot, record.owner.slot);
  view.setUint32(base + at.generation, record.owner.generation);
  view.setUint16(base + at.hash, record.hash);
  view.setUint16(base + at.cipher, record.cipher);
  view.setUint16(base + at.keyLength, record.keyLength);
  for (const { name, length } of KEY_COLUMNS) {
    view.setUint8(base + at[length], record[name].length);
    bytes.set(record[name], base + at[name]);
  }
};

const readKeys = ({ view, bytes }: Chunk, base: number): KeyRecord => {
  const copyOf = (name: KeyName, length: KeyLength): Uint8Array => {
    const copy = new Uint8Array(view.getUint8(base + at[length]));
    copy.set(bytes.subarray(base + at[name], base + at[name] + copy.length));
    return copy;
  };
  return {
    owner: { slot: view.getUint32(base + at.slot), generation: view.getUint32(base + at.generation) },
    hash: view.getUint16(base + at.hash),
    cipher: view.getUint16(base + at.cipher),
    keyLength: view.getUint16(base + at.keyLength),
    skeyidD: copyOf('skeyidD', 'skeyidDBytes'),
    skeyidA: copyOf('skeyidA', 'skeyidABytes'),
    encryptionKey: copyOf('encryptionKey', 'encryptionKeyBytes'),
    lastIv: copyOf('lastIv', 'lastIvBytes'),
  };
};

/** The flag goes first: a thread killed in here leaves a record that its successor erases. */
const erase = (chunk: Chunk, base: number): void => {
  Atomics.store(chunk.words, (base + at.valid) / 4, 0);
  chunk.bytes.fill(0, base, base + KEYS.stride);
};

const isValid = (chunk: Chunk, base: number): boolean => Atomics.load(chunk.words, (base + at.valid) / 4) === VALID;

const checkSizes = (record: KeyRecord): void => {
  for (const { name, most } of KEY_COLUMNS) {
    if (record[name].length > most) throw new InvariantError(`${name} of ${record[name].length} bytes`);
  }
};

const baseOf = (slot: number): number => (slot % CHUNK_RECORDS) * KEYS.stride;

const { at } = KEYS;
const KEY_COLUMNS = [
  { name: 'skeyidD', length: 'skeyidDBytes', most: 64 },
  { name: 'skeyidA', length: 'skeyidABytes', most: 64 },
  { name: 'encryptionKey', length: 'encryptionKeyBytes', most: 56 },
  { name: 'lastIv', length: 'lastIvBytes', most: 16 },
] as const;
type KeyName = (typeof KEY_COLUMNS)[number]['name'];
type KeyLength = (typeof KEY_COLUMNS)[number]['length'];

const CHUNK_RECORDS = 256;
const CHUNK_BYTES = CHUNK_RECORDS * KEYS.stride;
/** Stored last, cleared first. */
const VALID = 1;
