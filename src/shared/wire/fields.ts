/**
 * The field kinds payload tables are made of, and `payload`, which compiles a table into type, reader and writer.
 * Each field also carries its shape, from which the tests derive their generators.
 */
import { NotifyType } from '../constants/isakmp.ts';
import { InvariantError, ProtocolError } from '../errors.ts';
import { type Cursor, type Sink, take, takeBytes } from './cursor.ts';
import { closePayload, enterPayload, openPayload, takeRest } from './generic-header.ts';

/** Which sizes a byte string may have, by the value of a sibling; values not listed leave it free. */
export type SizesBy = Readonly<Record<number, readonly number[]>>;

/** What values a field takes, told to whoever wants to make some. Ranges are inclusive. */
export type Shape =
  | { readonly kind: 'derived' }
  | { readonly kind: 'number'; readonly max: number }
  | { readonly kind: 'choice'; readonly values: readonly number[] }
  | { readonly kind: 'bytes'; readonly min: number; readonly max: number }
  | { readonly kind: 'sizedBytes'; readonly sibling: string; readonly sizes: SizesBy }
  | { readonly kind: 'sizedList'; readonly sibling: string; readonly sizes: SizesBy }
  | { readonly kind: 'attributes'; readonly max: number }
  | {
      readonly kind: 'chain';
      readonly inner: Table;
      readonly max: number;
      readonly number: string;
      readonly step: 0 | 1;
    };

/** A payload table as data: names and shapes in wire order. */
export interface Table {
  readonly name: string;
  readonly rows: readonly { readonly key: string; readonly shape: Shape }[];
}

type Row = Readonly<Record<string, unknown>>;
type Sizes = Readonly<Record<string, number>>;

/** One field of a payload table. `soFar` are the fields read before it, `sizes` the derived ones among them. */
export interface Field<T> {
  readonly shape: Shape;
  read(c: Cursor, soFar: Row, sizes: Sizes): T;
  write(s: Sink, value: T, all: Row): void;
}

/** A field computed from others: nobody hands it in or gets it back. */
export interface DerivedField extends Field<number> {
  readonly derived: true;
  /** Throws when the peer's number disagrees with the fields it is derived from. */
  check(value: number, all: Row): void;
}

/** The codec of one payload's body. `read` takes everything up to the cursor's end, no more and no less. */
export interface Payload<V> extends Table {
  readonly rfc: string;
  read(c: Cursor): V;
  write(s: Sink, value: V): void;
}

/** The value type of a payload table: `type Proposal = ValueOf<typeof proposal>`. */
export type ValueOf<P> = P extends Payload<infer V> ? V : never;

/** The fields of a table without the derived ones. */
export type Fields<T> = { readonly [K in keyof T as T[K] extends DerivedField ? never : K]: FieldValue<T[K]> };
type FieldValue<F> = F extends Field<infer T> ? T : never;

export const u8: Field<number> = {
  shape: { kind: 'number', max: 0xff },
  read: (c) => c.view.getUint8(take(c, 1)),
  write: (s, value) => s.u8(value),
};

export const u16: Field<number> = {
  shape: { kind: 'number', max: 0xffff },
  read: (c) => c.view.getUint16(take(c, 2)),
  write: (s, value) => s.u16(value),
};

export const u32: Field<number> = {
  shape: { kind: 'number', max: 0xffffffff },
  read: (c) => c.view.getUint32(take(c, 4)),
  write: (s, value) => s.u32(value),
};

/** A number of which we take part in only some values; the peer hears `notify` about any other. */
export const oneOf = (field: Field<number>, values: readonly number[], notify: NotifyType): Field<number> => ({
  shape: { kind: 'choice', values },
  read: (c, soFar, sizes) => {
    const value = field.read(c, soFar, sizes);
    if (!values.includes(value)) throw new ProtocolError(notify, `value ${value}`);
    return value;
  },
  write: field.write,
});

/** Everything up to the end of the payload. */
export const rest: Field<Uint8Array> = {
  shape: { kind: 'bytes', min: 0, max: 0xffff },
  read: takeRest,
  write: (s, value) => s.raw(value),
};

/** Everything up to the end of the payload, which must be `min` to `max` bytes. */
export const restBetween = (min: number, max: number): Field<Uint8Array> => ({
  shape: { kind: 'bytes', min, max },
  read: (c) => {
    const value = takeRest(c);
    if (value.length < min || value.length > max) {
      throw new ProtocolError(NotifyType.PAYLOAD_MALFORMED, `${value.length} bytes, allowed ${min} to ${max}`);
    }
    return value;
  },
  write: rest.write,
});

/** Everything up to the end of the payload, whose size follows from the number in `sibling`. */
export const restSizedBy = (sibling: string, sizes: SizesBy, notify: NotifyType): Field<Uint8Array> => ({
  shape: { kind: 'sizedBytes', sibling, sizes },
  read: (c, soFar) => {
    const value = takeRest(c);
    const allowed = sizes[numberIn(soFar, sibling)];
    if (allowed !== undefined && !allowed.includes(value.length)) {
      throw new ProtocolError(notify, `${value.length} bytes, must be ${allowed.join(' or ')}`);
    }
    return value;
  },
  write: rest.write,
});

/** Bytes nobody looks at; written as zero. */
export const reserved = (size: number): DerivedField => ({
  shape: { kind: 'derived' },
  derived: true,
  read: (c) => take(c, size),
  write: (s) => {
    for (let i = 0; i < size; i++) s.u8(0);
  },
  check: () => undefined,
});

/** A one-byte size or count of a later sibling, kept out of the decoded value; the peer hears `notify` when it is wrong. */
export const sizeOf = (sibling: string, notify: NotifyType = NotifyType.PAYLOAD_MALFORMED): DerivedField => ({
  shape: { kind: 'derived' },
  derived: true,
  read: (c) => c.view.getUint8(take(c, 1)),
  write: (s, _value, all) => s.u8(lengthIn(all, sibling)),
  check: (value, all) => {
    const length = lengthIn(all, sibling);
    if (value !== length) throw new ProtocolError(notify, `says ${value} ${sibling}, has ${length}`);
  },
});

/** As many bytes as the field `sizeField` said. */
export const bytesOf = (sizeField: string): Field<Uint8Array> => ({
  shape: { kind: 'bytes', min: 0, max: 0xff },
  read: (c, _soFar, sizes) => takeBytes(c, numberIn(sizes, sizeField)),
  write: (s, value) => s.raw(value),
});

/** How a nested chain is bounded and numbered: each one's `number` is at least `step` more than the one before. */
interface ChainRule<V> {
  readonly max: number;
  readonly number: keyof V & string;
  readonly step: 0 | 1;
}

/** A chain of same-typed payloads that fills the rest of another one: proposals in SA, transforms in a proposal, RFC 2408 §3.5-3.6. */
export const chainOf = <V>(type: number, inner: Payload<V>, rule: ChainRule<V>): Field<readonly V[]> => ({
  shape: { kind: 'chain', inner, ...rule },
  read: (c) => {
    const values: V[] = [];
    const end = c.end;
    if (c.offset === end) throw new ProtocolError(NotifyType.BAD_PROPOSAL_SYNTAX, `no ${inner.name}`);
    let least = 0;
    for (let more = true; more; ) {
      if (values.length === rule.max) {
        throw new ProtocolError(NotifyType.PAYLOAD_MALFORMED, `more than ${rule.max}`);
      }
      try {
        const next = enterPayload(c);
        more = next !== 0;
        if (more && next !== type) throw new ProtocolError(NotifyType.INVALID_PAYLOAD_TYPE, `next payload ${next}`);
        const value = inner.read(c);
        least = inOrder(numberIn(value, rule.number), least, rule.step);
        values.push(value);
      } catch (fault) {
        throw located(fault, `${inner.name}[${values.length}]`);
      }
      c.end = end;
    }
    return values;
  },
  write: (s, values) => {
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (value === undefined) continue;
      const start = openPayload(s, i + 1 < values.length ? type : 0);
      inner.write(s, value);
      closePayload(s, start);
    }
  },
});

/** Compiles a table into a payload codec, once, at module load. A fault gains the field's name as it leaves. */
export const payload = <const T extends object>(name: string, rfc: string, table: T): Payload<Fields<T>> => {
  const entries = Object.entries(table) as [string, Field<unknown>][]; // a table holds fields and nothing else
  const columns = entries.map(([key, field]) => ({ key, field, derived: isDerived(field) ? field : undefined }));
  const derived = columns.filter((column) => column.derived !== undefined);
  return {
    name,
    rfc,
    rows: entries.map(([key, field]) => ({ key, shape: field.shape })),
    read: (c) => {
      const sizes: Record<string, number> = derived.length > 0 ? {} : NO_SIZES;
      const value = readColumns(c, columns, sizes);
      if (derived.length > 0) checkSizes(derived, value, sizes);
      if (c.offset !== c.end) {
        throw new ProtocolError(NotifyType.PAYLOAD_MALFORMED, `${c.end - c.offset} bytes left over`);
      }
      return value as Fields<T>; // every field of the table was read into it, the derived ones excepted
    },
    write: (s, value) => {
      const all = value as Row; // an object with the table's keys
      for (const { key, field } of columns) field.write(s, all[key], all);
    },
  };
};

interface Column {
  readonly key: string;
  readonly field: Field<unknown>;
  readonly derived: DerivedField | undefined;
}

const NO_SIZES: Record<string, number> = {};

const readColumns = (c: Cursor, columns: readonly Column[], sizes: Record<string, number>): Row => {
  const value: Record<string, unknown> = {};
  let at = '';
  try {
    for (const { key, field, derived } of columns) {
      at = key;
      if (derived === undefined) value[key] = field.read(c, value, sizes);
      else sizes[key] = derived.read(c, value, sizes);
    }
  } catch (fault) {
    // A fault with a path has its place already: P[0]/T[2], not proposals/P[0]/transforms/T[2].
    throw fault instanceof ProtocolError && fault.path.length > 0 ? fault : located(fault, at);
  }
  return value;
};

const checkSizes = (derived: readonly Column[], value: Row, sizes: Sizes): void => {
  let at = '';
  try {
    for (const column of derived) {
      at = column.key;
      column.derived?.check(numberIn(sizes, at), value);
    }
  } catch (fault) {
    throw located(fault, at);
  }
};

const isDerived = (field: Field<unknown>): field is DerivedField => 'derived' in field;

/** The same fault seen from the enclosing part. */
export const located = (fault: unknown, part: string): unknown =>
  fault instanceof ProtocolError ? fault.within(part) : fault;

/** The least number the next one of a chain may have. */
const inOrder = (number: number, least: number, step: 0 | 1): number => {
  if (number < least) throw new ProtocolError(NotifyType.BAD_PROPOSAL_SYNTAX, `number ${number} out of order`);
  return number + step;
};

/** A number of the row; tables are fixed at load, so another type there is a table that names the wrong sibling. */
export const numberIn = (row: unknown, key: string): number => {
  const value = (row as Row)[key]; // rows are objects: a payload's value, or its sizes
  if (typeof value !== 'number') throw new InvariantError(`a payload table has no number ${key}`);
  return value;
};

const lengthIn = (row: Row, key: string): number => {
  const value = row[key] as { readonly length?: unknown } | undefined; // bytes or an array; anything else is refused below
  const length = value?.length;
  if (typeof length !== 'number') throw new InvariantError(`a payload table has no list ${key}`);
  return length;
};
