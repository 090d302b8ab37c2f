/** Bytes from the FIFO cut into lines: partial, overlong and undecodable ones included. Many writers may share the stream. */

export type FifoLine =
  | { readonly kind: 'line'; readonly text: string }
  /** A line that is not carried out, with the reason for the log. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Longest line in bytes, without newline. The longest that ipsecctl writes has a few hundred. */
export const LONGEST_LINE = 8192;

const EMPTY = new Uint8Array(0);

/** Collects bytes until a newline comes. Keeps at most one line. */
export class LineSplitter {
  /** The beginning of the line that is not complete yet; undefined: it is too long already and will be refused. */
  #partial: Uint8Array | undefined = EMPTY;

  /** Takes the next bytes and answers the lines that they complete. The bytes may be reused afterwards. */
  push(chunk: Uint8Array): readonly FifoLine[] {
    const lines: FifoLine[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#append(chunk.subarray(start, end));
      lines.push(readLine(this.#partial));
      this.#partial = EMPTY;
      start = end + 1;
    }
    this.#append(chunk.subarray(start));
    return lines;
  }

  #append(bytes: Uint8Array): void {
    if (this.#partial === undefined || bytes.length === 0) return;
    const length = this.#partial.length + bytes.length;
    if (length > LONGEST_LINE) {
      this.#partial = undefined;
      return;
    }
    const joined = new Uint8Array(length);
    joined.set(this.#partial);
    joined.set(bytes, this.#partial.length);
    this.#partial = joined;
  }
}

const readLine = (bytes: Uint8Array | undefined): FifoLine => {
  if (bytes === undefined) return { kind: 'refused', reason: `is longer than ${LONGEST_LINE} bytes` };
  if (bytes.includes(0)) return { kind: 'refused', reason: 'contains a NUL byte' };
  try {
    // The original keeps a carriage return, which no command wants.
    return {
      kind: 'line',
      text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).replace(/\r$/, ''),
    };
  } catch (fault) {
    if (!(fault instanceof TypeError)) throw fault;
    return { kind: 'refused', reason: 'is not UTF-8 text' };
  }
};

const NEWLINE = 0x0a;
