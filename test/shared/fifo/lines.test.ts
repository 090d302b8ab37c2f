import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type FifoLine, LineSplitter, LONGEST_LINE } from '../../../src/shared/fifo/lines.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const line = (text: string): FifoLine => ({ kind: 'line', text });

test('a line that comes in pieces is one line', () => {
  const splitter = new LineSplitter();
  assert.deepEqual(splitter.push(bytes('C set [a')), []);
  assert.deepEqual(splitter.push(bytes(']:b=c\nS')), [line('C set [a]:b=c')]);
  assert.deepEqual(splitter.push(bytes('\n')), [line('S')]);
});

test('one carriage return before the newline is dropped, an empty line stays', () => {
  assert.deepEqual(new LineSplitter().push(bytes('Q\r\n\n')), [line('Q'), line('')]);
});

test('threats "FIFO": a line that is too long is refused and the next one is read', () => {
  const splitter = new LineSplitter();
  assert.deepEqual(splitter.push(bytes('x'.repeat(LONGEST_LINE + 1))), []);
  assert.deepEqual(splitter.push(bytes('more')), []);
  const [refused, next] = splitter.push(bytes('end\nS\n'));
  assert.equal(refused?.kind, 'refused');
  assert.deepEqual(next, line('S'));
});

test('the longest line passes', () => {
  assert.deepEqual(new LineSplitter().push(bytes(`${'x'.repeat(LONGEST_LINE)}\n`)), [line('x'.repeat(LONGEST_LINE))]);
});

test('threats "FIFO": NUL bytes are refused', () => {
  assert.deepEqual(new LineSplitter().push(bytes('c a\0b\nS\n')), [
    { kind: 'refused', reason: 'contains a NUL byte' },
    line('S'),
  ]);
});

test('bytes that are no UTF-8 are refused rather than changed', () => {
  assert.deepEqual(new LineSplitter().push(Uint8Array.of(0x63, 0x20, 0xe9, 0x0a)), [
    { kind: 'refused', reason: 'is not UTF-8 text' },
  ]);
});

test('a character that is cut between two reads survives', () => {
  const splitter = new LineSplitter();
  const text = bytes('c büro\n');
  assert.deepEqual(splitter.push(text.subarray(0, 4)), []);
  assert.deepEqual(splitter.push(text.subarray(4)), [line('c büro')]);
});

test('lines come out the same however the bytes are cut', () => {
  const cuts = fc.array(fc.nat(60), { maxLength: 20 });
  const texts = fc.array(fc.stringMatching(/^[ -~]{0,20}$/), { maxLength: 10 });
  fc.assert(
    fc.property(texts, cuts, (lines, sizes) => {
      let rest = bytes(lines.map((text) => `${text}\n`).join(''));
      const splitter = new LineSplitter();
      const found: FifoLine[] = [];
      for (const size of sizes) {
        found.push(...splitter.push(rest.subarray(0, size)));
        rest = rest.subarray(size);
      }
      found.push(...splitter.push(rest));
      assert.deepEqual(found, lines.map(line));
    }),
  );
});
