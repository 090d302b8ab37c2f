/** How single values are packed for the way between threads: the field kinds that the table in frames.ts is made of. */
import { deserialize, serialize } from 'node:v8';
import { InvariantError } from '../errors.ts';

/**
 * One way to carry a value. The methods are declared as methods on purpose: a field of a narrower type then fits where one of the union is wanted
 * (whoever dispatches by kind has made sure of it).
 */
export interface Field<T> {
  write(out: Packer, value: T): void;
  read(from: Unpacker): T;
}

/** A field for every property, those that may be absent included: they are only written where they are there. */
export type FieldsOf<T> = {
  readonly [K in keyof T]-?: Field<object extends Pick<T, K> ? Exclude<T[K], undefined> : T[K]>;
};

/** Where fields are written: one buffer for one batch after the other. */
export class Packer {
  bytes = Buffer.alloc(FIRST_SIZE);
  view = new DataView(this.bytes.buffer);
  length = 0;

  /** Claims `size` bytes and answers where they start. */
  reserve(size: number): number {
    const start = this.length;
    if (start + size > this.bytes.length) this.#grow(start + size);
    this.length = start + size;
    return start;
  }

  /** A copy of what was written, erased here (there may be keys in it); undefined when nothing was. The packer starts anew. */
  take(): ArrayBuffer | undefined {
    if (this.length === 0) return undefined;
    const taken = new ArrayBuffer(this.length);
    new Uint8Array(taken).set(this.bytes.subarray(0, this.length));
    this.bytes.fill(0, 0, this.length);
    this.length = 0;
    if (this.bytes.length > LARGEST_KEPT) this.#replace(Buffer.alloc(FIRST_SIZE));
    return taken;
  }

  #grow(least: number): void {
    const grown = Buffer.alloc(Math.max(this.bytes.length * 2, least));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes.fill(0);
    this.#replace(grown);
  }

  #replace(bytes: Buffer<ArrayBuffer>): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}

/** A read position in one batch; `end` bounds the frame. */
export class Unpacker {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly view: DataView;
  offset = 0;
  end: number;

  constructor(batch: ArrayBuffer) {
    this.bytes = Buffer.from(batch);
    this.view = new DataView(batch);
    this.end = batch.byteLength;
  }

  /** Claims `size` bytes and answers where they start. Throws InvariantError: both ends of a port run the same table. */
  take(size: number): number {
    const start = this.offset;
    if (size > this.end - start) throw new InvariantError(`a frame needs ${size} bytes, has ${this.end - start}`);
    this.offset = start + size;
    return start;
  }
}

export const u8: Field<number> = {
  write: (out, value) => {
    const at = out.reserve(1);
    out.view.setUint8(at, within(value, 0xff));
  },
  read: (from) => from.view.getUint8(from.take(1)),
};

export const u32: Field<number> = {
  write: (out, value) => {
    const at = out.reserve(4);
    out.view.setUint32(at, within(value, 0xffffffff));
  },
  read: (from) => from.view.getUint32(from.take(4)),
};

/** Any number: clocks, counters, lifetimes. */
export const f64: Field<number> = {
  write: (out, value) => {
    const at = out.reserve(8);
    out.view.setFloat64(at, value);
  },
  read: (from) => from.view.getFloat64(from.take(8)),
};

export const flag: Field<boolean> = {
  write: (out, value) => u8.write(out, value ? 1 : 0),
  read: (from) => u8.read(from) !== 0,
};

/** One of a few words. The compiler asks for each of them, and for different numbers nobody has to think of: they never leave the process. */
export const word = <T extends string>(numbers: Readonly<Record<T, number>>): Field<T> => {
  const words = Object.keys(numbers) as T[]; // the keys of a record that nobody widened: one expression above
  const byNumber = new Map(words.map((value) => [numbers[value], value]));
  return {
    write: (out, value) => u8.write(out, numbers[value]),
    read: (from) => {
      const value = byNumber.get(u8.read(from));
      if (value === undefined) throw new InvariantError(`none of ${words.join(', ')}`);
      return value;
    },
  };
};

/** One of the keys of a table, up to 256 of them. */
export const keyOf = <T extends string>(table: Readonly<Record<T, unknown>>): Field<T> => {
  const keys = Object.keys(table) as T[]; // the keys of a constant that nobody widened
  const numbers = new Map(keys.map((key, number) => [key, number]));
  return {
    write: (out, value) => u8.write(out, numbers.get(value) ?? -1),
    read: (from) => {
      const key = keys[u8.read(from)];
      if (key === undefined) throw new InvariantError(`none of ${keys.length} keys`);
      return key;
    },
  };
};

/** Text. Almost all of it is ASCII (addresses, names), which is written without leaving JavaScript. */
export const text: Field<string> = {
  write: (out, value) => {
    const length = value.length;
    const at = out.reserve(4 + length);
    const { bytes } = out;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) {
        writeUtf8(out, at, value);
        return;
      }
      bytes[at + 4 + i] = code;
    }
    out.view.setUint32(at, length);
  },
  read: (from) => {
    const length = u32.read(from);
    const at = from.take(length);
    return length === 0 ? '' : from.bytes.toString('utf8', at, at + length);
  },
};

const writeUtf8 = (out: Packer, at: number, value: string): void => {
  const length = Buffer.byteLength(value);
  out.length = at;
  out.reserve(4 + length);
  out.view.setUint32(at, length);
  out.bytes.write(value, at + 4);
};

/** Bytes that the receiver gets as a view of the batch: for what is used up at once, or erased after use. */
export const passingBytes: Field<Uint8Array> = {
  write: (out, value) => {
    const at = out.reserve(4 + value.length);
    out.view.setUint32(at, value.length);
    out.bytes.set(value, at + 4);
  },
  read: (from) => {
    const length = u32.read(from);
    const at = from.take(length);
    return new Uint8Array(from.bytes.buffer, from.bytes.byteOffset + at, length);
  },
};

/** Bytes that the receiver gets as a copy of their own: for what it keeps, so that eight bytes do not hold a whole batch. */
export const bytes: Field<Uint8Array> = {
  write: passingBytes.write,
  read: (from) => passingBytes.read(from).slice(),
};

export const list = <T>(item: Field<T>): Field<readonly T[]> => ({
  write: (out, values) => {
    u32.write(out, values.length);
    for (const value of values) item.write(out, value);
  },
  read: (from) => {
    const values: T[] = [];
    for (let left = u32.read(from); left > 0; left--) values.push(item.read(from));
    return values;
  },
});

/** What may be undefined. */
export const optional = <T>(item: Field<T>): Field<T | undefined> => ({
  write: (out, value) => {
    flag.write(out, value !== undefined);
    if (value !== undefined) item.write(out, value);
  },
  read: (from) => (flag.read(from) ? item.read(from) : undefined),
});

/** A plain object whose properties are all there. */
export const record = <T extends object>(fields: FieldsOf<T>): Field<T> => plain(fields, undefined);

/** As `record`, for one kind of a union: `kind` comes back without being carried. The caller vouches for the fields being those of the kind. */
export const message = <T extends object>(kind: string, fields: object): Field<T> => plain(fields, kind);

const plain = <T extends object>(fields: object, kind: string | undefined): Field<T> => {
  const columns = columnsOf(fields);
  return {
    write: (out, value) => {
      const all = value as Values; // an object with the keys of `fields`
      for (const { key, field } of columns) field.write(out, all[key]);
    },
    read: (from) => {
      const value: Record<string, unknown> = kind === undefined ? {} : { kind };
      for (const { key, field } of columns) value[key] = field.read(from);
      return value as T; // each of its properties was just read
    },
  };
};

/** A plain object of up to eight properties that may be absent. */
export const sparseRecord = <T extends object>(fields: FieldsOf<T>): Field<T> => {
  const columns = columnsOf(fields);
  return {
    write: (out, value) => {
      const all = value as Values; // an object with some of the keys of `fields`
      const at = out.reserve(1);
      let present = 0;
      columns.forEach(({ key, field }, i) => {
        if (all[key] === undefined) return;
        present |= 1 << i;
        field.write(out, all[key]);
      });
      out.view.setUint8(at, present);
    },
    read: (from) => {
      const value: Record<string, unknown> = {};
      const present = u8.read(from);
      columns.forEach(({ key, field }, i) => {
        if ((present & (1 << i)) !== 0) value[key] = field.read(from);
      });
      return value as T; // none of its properties has to be there
    },
  };
};

/** Anything that structured clone takes: for large and rare values. What is read back shares no memory with the batch. */
export const structured = <T>(): Field<T> => ({
  write: (out, value) => {
    const serialized = serialize(value);
    passingBytes.write(out, serialized);
    serialized.fill(0); // a policy has its pre-shared key in it
  },
  read: (from) => {
    const inBatch = passingBytes.read(from);
    const copy = inBatch.slice();
    inBatch.fill(0);
    // Byte arrays of the value are views of this copy: whoever erases one erases the last of it.
    return deserialize(copy);
  },
});

type Values = Readonly<Record<string, unknown>>;

const columnsOf = (fields: object): readonly { readonly key: string; readonly field: Field<unknown> }[] =>
  Object.entries(fields).map(([key, field]) => ({ key, field }));

const within = (value: number, most: number): number => {
  if (!(value >= 0 && value <= most)) throw new InvariantError(`${value} does not fit a field of 0 to ${most}`);
  return value;
};

const FIRST_SIZE = 65536;
/** A batch with many policies may need more; the memory is not kept for it. */
const LARGEST_KEPT = 1048576;
