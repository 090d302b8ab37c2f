import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LevelSetting } from '../../../src/shared/log/verbosity.ts';
import { Verbosity } from '../../../src/shared/log/verbosity.ts';

const texts = (records: readonly { readonly text: string }[]): readonly string[] => records.map(({ text }) => text);
const NOTHING_SAID = { logLevels: [], verbose: false };
const says = (...logLevels: readonly LevelSetting[]) => ({ logLevels, verbose: false });

test('-DA=99 says for each class what it was and is', () => {
  const verbosity = new Verbosity(false);
  const lines = texts(verbosity.readOptions(['A=99']));
  assert.deepEqual(
    lines,
    Array.from({ length: 11 }, (_, i) => `log_debug_cmd: log level changed from 0 to 99 for class ${i}`),
  );
  assert.deepEqual([...verbosity.levels], Array(11).fill(99));
});

test('-D is repeatable, the last about a class counts', () => {
  const verbosity = new Verbosity(false);
  verbosity.readOptions(['A=10', '3=40', '6=0', '3=50']);
  assert.deepEqual([...verbosity.levels], [10, 10, 10, 50, 10, 10, 0, 10, 10, 10, 10]);
});

for (const word of ['', 'x', '3', '3=', '=3', '3=x', 'B=3', '3=4=5', ' 3=4', '1e1=3', '99999999999=1']) {
  test(`-D "${word}" is told in one line, and changes nothing`, () => {
    const verbosity = new Verbosity(false);
    assert.deepEqual(texts(verbosity.readOptions([word])), [
      `parse_args: -D argument unparseable: ${word} (it is class=level or A=level, class 0 to 10, level 0 to 99)`,
    ]);
    assert.deepEqual([...verbosity.levels], Array(11).fill(0));
  });
}

test('E13: a class that does not exist is answered by the line of the original', () => {
  const verbosity = new Verbosity(false);
  assert.deepEqual(texts(verbosity.set({ logClass: 11, level: 5 })), ['log_debug_cmd: invalid debugging class 11']);
  assert.deepEqual(texts(verbosity.set({ logClass: -1, level: 5 })), ['log_debug_cmd: invalid debugging class -1']);
  assert.deepEqual(texts(verbosity.readOptions(['99=5'])), ['log_debug_cmd: invalid debugging class 99']);
});

test('a level that does not exist is answered by the line of the original', () => {
  const verbosity = new Verbosity(false);
  const expected = (level: number) => [`log_debug_cmd: invalid debugging level ${level} for class 3`];
  assert.deepEqual(texts(verbosity.set({ logClass: 3, level: -1 })), expected(-1));
  assert.deepEqual(texts(verbosity.set({ logClass: 3, level: 100 })), expected(100));
  assert.equal(verbosity.levels[3], 0);
});

test('E14: the same level twice is a change and then none', () => {
  const verbosity = new Verbosity(false);
  assert.deepEqual(
    texts([...verbosity.set({ logClass: 3, level: 40 }), ...verbosity.set({ logClass: 3, level: 40 })]),
    ['log_debug_cmd: log level changed from 0 to 40 for class 3', 'log_debug_cmd: log level unchanged for class 3'],
  );
});

test('D T silences everything and the next one restores it', () => {
  const verbosity = new Verbosity(false);
  verbosity.readOptions(['2=20']);
  verbosity.set({ logClass: 3, level: 40 });
  assert.deepEqual(texts(verbosity.toggle()), [
    'log_debug_cmd: log level changed from 20 to 0 for class 2',
    'log_debug_cmd: log level changed from 40 to 0 for class 3',
  ]);
  assert.deepEqual([...verbosity.levels], Array(11).fill(0));
  assert.deepEqual(texts(verbosity.toggle()), [
    'log_debug_cmd: log level changed from 0 to 20 for class 2',
    'log_debug_cmd: log level changed from 0 to 40 for class 3',
  ]);
});

test('a level set while D T silences counts until the next D T', () => {
  const verbosity = new Verbosity(false);
  verbosity.set({ logClass: 3, level: 40 });
  verbosity.toggle();
  verbosity.set({ logClass: 3, level: 7 });
  assert.equal(verbosity.levels[3], 7);
  verbosity.toggle();
  assert.equal(verbosity.levels[3], 40);
});

test('Loglevel overrides -D and D for the classes it names, and no other', () => {
  const verbosity = new Verbosity(false);
  verbosity.readOptions(['1=10', '2=10']);
  verbosity.set({ logClass: 1, level: 11 });
  verbosity.set({ logClass: 3, level: 33 });
  assert.deepEqual(texts(verbosity.configure(says({ logClass: 1, level: 50 }))), [
    'log_debug_cmd: log level changed from 11 to 50 for class 1',
  ]);
  assert.deepEqual([...verbosity.levels].slice(1, 4), [50, 10, 33]);
});

test('O13: a reload without Loglevel and Logverbose undoes them: what the command line said counts again', () => {
  const verbosity = new Verbosity(false);
  verbosity.readOptions(['1=10']);
  verbosity.configure({ logLevels: [{ logClass: 'all', level: 90 }], verbose: true });
  assert.deepEqual([verbosity.isVerbose, verbosity.levels[1], verbosity.levels[2]], [true, 90, 90]);
  verbosity.configure(NOTHING_SAID);
  assert.deepEqual([verbosity.isVerbose, verbosity.levels[1], verbosity.levels[2]], [false, 10, 0]);
});

test('-v stays whatever Logverbose says', () => {
  const verbosity = new Verbosity(true);
  verbosity.configure(NOTHING_SAID);
  assert.equal(verbosity.isVerbose, true);
});

test('D after a reload counts, and a reload that names the class ends it', () => {
  const verbosity = new Verbosity(false);
  verbosity.configure(says({ logClass: 6, level: 20 }));
  verbosity.set({ logClass: 6, level: 60 });
  assert.equal(verbosity.levels[6], 60);
  assert.deepEqual(texts(verbosity.configure(says({ logClass: 6, level: 20 }))), [
    'log_debug_cmd: log level changed from 60 to 20 for class 6',
  ]);
  verbosity.configure(NOTHING_SAID);
  assert.equal(verbosity.levels[6], 0);
});

test('whatever is asked for, every level stays from 0 to 99 and every change has one line', () => {
  const setting = fc.record({
    logClass: fc.oneof(fc.constant('all' as const), fc.integer({ min: -2, max: 13 })),
    level: fc.integer({ min: -5, max: 120 }),
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(setting, fc.constant('toggle' as const))), fc.string(), (steps, word) => {
      const verbosity = new Verbosity(false);
      verbosity.readOptions([word]);
      for (const step of steps) {
        const before = [...verbosity.levels];
        const lines = texts(step === 'toggle' ? verbosity.toggle() : verbosity.set(step));
        const changes = [...verbosity.levels].filter((level, i) => level !== before[i]).length;
        assert.equal(lines.filter((line) => line.includes('changed from')).length, changes);
      }
      assert.ok([...verbosity.levels].every((level) => level >= 0 && level <= 99));
    }),
  );
});
