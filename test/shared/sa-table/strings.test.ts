/** The string area: sharing, cutting, reuse, growth, takeover. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { STRING_BYTES, StringArea, stringBuffer } from '../../../src/shared/sa-table/strings.ts';

const newArea = (): StringArea => new StringArea(stringBuffer(100_000));

const acquire = (area: StringArea, text: string): number => {
  const reference = area.acquire(text);
  assert.ok(reference !== undefined, 'the area is full');
  return reference;
};

test('any string reads back, by the writer and by a reader of the same buffer', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 200 }), { maxLength: 30 }), (texts) => {
      const buffer = stringBuffer(1_000_000);
      const [writer, reader] = [new StringArea(buffer), new StringArea(buffer)];
      const references = texts.map((text) => acquire(writer, text));
      assert.deepEqual(
        references.map((reference) => reader.text(reference)),
        texts,
      );
    }),
  );
});

test('equal strings are stored once, and freed with their last use', () => {
  const area = newArea();
  const first = acquire(area, 'peer');
  assert.equal(acquire(area, 'peer'), first);
  area.release(first);
  assert.equal(acquire(area, 'peer'), first);
  area.release(first);
  area.release(first);
  assert.equal(acquire(area, 'other'), first, 'the block is free for another string');
  assert.notEqual(acquire(area, 'peer'), first);
});

test('the empty string takes no room', () => {
  const area = newArea();
  assert.deepEqual([area.acquire(''), area.text(0)], [0, '']);
  area.release(0);
});

test('a long string is cut at a character boundary', () => {
  const area = newArea();
  assert.equal(area.text(acquire(area, 'x'.repeat(5000))), 'x'.repeat(STRING_BYTES));
  assert.equal(area.text(acquire(area, `x${'\u{1f511}'.repeat(400)}`)), `x${'\u{1f511}'.repeat(255)}`);
});

test('strings that are stored alike are freed alike', () => {
  const area = newArea();
  for (const texts of [
    ['x'.repeat(2000), 'x'.repeat(3000)],
    ['broken \ud800', 'broken \ufffd'],
    ['\ufeffmark', '\ufeffmark'],
  ]) {
    const references = texts.map((text) => acquire(area, text));
    assert.equal(references[0], references[1]);
    for (const reference of references) area.release(reference);
    assert.equal(acquire(area, 'y'.repeat(area.text(references[0] ?? 0).length)), references[0], 'the block is free');
  }
});

test('an area that cannot grow refuses new strings and keeps the old ones', () => {
  const area = new StringArea(stringBuffer(1));
  const kept: number[] = [];
  for (let i = 0; ; i++) {
    const reference = area.acquire(`${i}`.padEnd(STRING_BYTES, '.'));
    if (reference === undefined) break;
    kept.push(reference);
    assert.ok(i < 1000, 'the area never fills');
  }
  assert.ok(kept.length > 0);
  kept.forEach((reference, i) => {
    assert.ok(area.text(reference).startsWith(`${i}.`));
  });
  assert.equal(acquire(area, '0'.padEnd(STRING_BYTES, '.')), kept[0], 'what is stored needs no room');
});

test('a successor keeps what rows refer to and frees the rest', () => {
  const buffer = stringBuffer(100_000);
  const dead = new StringArea(buffer);
  const [kept, shared, lost] = [acquire(dead, 'kept'), acquire(dead, 'shared'), acquire(dead, 'lost')];
  acquire(dead, 'a longer one, in a page of its own');
  const area = new StringArea(buffer);
  area.rebuild((use) => [kept, shared, shared, 0].forEach(use));
  assert.deepEqual([area.text(kept), area.text(shared)], ['kept', 'shared']);
  assert.deepEqual([acquire(area, 'kept'), acquire(area, 'shared')], [kept, shared]);
  const fresh = Array.from({ length: 2000 }, (_, i) => acquire(area, `new ${i}`));
  assert.ok(fresh.includes(lost), 'the lost block is used again');
  assert.deepEqual([area.text(kept), area.text(shared)], ['kept', 'shared']);
  for (const reference of [shared, shared, shared]) area.release(reference);
  assert.equal(acquire(area, 'in its place'), shared, 'uses were counted');
});

test('nothing is lost or mixed up over any sequence of uses', () => {
  const texts = fc.constantFrom('a', 'bb', 'c'.repeat(17), 'd'.repeat(40), 'e'.repeat(600));
  fc.assert(
    fc.property(fc.array(fc.tuple(texts, fc.boolean()), { maxLength: 100 }), (steps) => {
      const area = newArea();
      const uses: { readonly text: string; readonly reference: number }[] = [];
      for (const [text, isRelease] of steps) {
        if (isRelease) area.release(uses.shift()?.reference ?? 0);
        else uses.push({ text, reference: acquire(area, text) });
        for (const use of uses) assert.equal(area.text(use.reference), use.text);
      }
    }),
  );
});
