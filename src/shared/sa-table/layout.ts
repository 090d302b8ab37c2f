/** Records of fixed size in shared memory: a table of columns in, offsets out; nobody writes an offset by hand. And how the memory below them grows. */

const WIDTH = { u8: 1, u16: 2, u32: 4, i32: 4, f64: 8, b8: 8, b16: 16, b24: 24, b56: 56, b64: 64 } as const;
type Kind = keyof typeof WIDTH;
type Columns = Readonly<Record<string, Kind>>;

/** Byte offsets by column, and the bytes of the whole record: a multiple of 8. */
export interface Layout<C extends Columns> {
  readonly at: { readonly [K in keyof C]: number };
  readonly stride: number;
}

/** Numbers are aligned to their size, byte columns to 8. */
export const layout = <const C extends Columns>(columns: C): Layout<C> => {
  const at: Record<string, number> = {};
  let offset = 0;
  for (const [name, kind] of Object.entries(columns)) {
    const align = Math.min(WIDTH[kind], 8);
    offset = Math.ceil(offset / align) * align;
    at[name] = offset;
    offset += WIDTH[kind];
  }
  // Holds because the loop has set exactly one number for each column of C.
  return { at: at as Layout<C>['at'], stride: Math.ceil(offset / 8) * 8 };
};

/** One record in private memory, where it is encoded and decoded: three views of the same bytes. */
export interface PrivateRecord {
  readonly words: Int32Array;
  readonly view: DataView;
  readonly bytes: Uint8Array;
}

export const privateRecord = (stride: number): PrivateRecord => {
  const buffer = new ArrayBuffer(stride);
  return { words: new Int32Array(buffer), view: new DataView(buffer), bytes: new Uint8Array(buffer) };
};

/** Makes a shared buffer at least this long. False where it has reached its maximum or the system has no memory left; any thread may call it. */
export const growTo = (buffer: SharedArrayBuffer, bytes: number): boolean => {
  while (buffer.byteLength < bytes) {
    const before = buffer.byteLength;
    if (bytes > buffer.maxByteLength) return false;
    try {
      buffer.grow(bytes);
    } catch (fault) {
      if (!(fault instanceof RangeError)) throw fault;
      // Another thread may have grown it further meanwhile, which makes our shorter length a RangeError, too.
      if (buffer.byteLength === before) return false;
    }
  }
  return true;
};
