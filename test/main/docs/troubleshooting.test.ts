/** docs/troubleshooting.md, the event registry and the code say the same. That no code logs what the registry does not have, the compiler sees to. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { troubleshootingPage } from '../../../src/main/docs/troubleshooting.ts';
import { EVENT_SECTIONS, EVENTS } from '../../../src/shared/log/events.ts';

const sourcesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return path === join('src', 'shared', 'log', 'events') ? [] : sourcesBelow(path);
    return path.endsWith('.ts') ? [readFileSync(path, 'utf8')] : [];
  });

/** All code but the registry, as it is and with every value of a template literal written as in the registry's lines. */
const SOURCE = sourcesBelow('src').join('\n');
const CODE = SOURCE + SOURCE.replace(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '{}');

/** What a line says whatever its values are. */
const fixedParts = (line: string): readonly string[] =>
  line
    .split(/\{[^{}]*\}/)
    .map((part) => part.trim())
    .filter((part) => /[a-z]/i.test(part));

/** Code may put a line together from a few pieces; a line that nobody says falls into words. */
const isSaid = (part: string): boolean => {
  let rest = part;
  for (let pieces = 0; pieces < MOST_PIECES && rest !== ''; pieces++) rest = rest.slice(longestSaid(rest)).trimStart();
  return rest === '';
};

const longestSaid = (text: string): number => {
  let length = text.length;
  while (length > 0 && !CODE.includes(text.slice(0, length))) length--;
  return length;
};

const MOST_PIECES = 4;

describe('the event registry', () => {
  it('is what docs/troubleshooting.md says: else run `npm run docs`', () => {
    assert.equal(readFileSync('docs/troubleshooting.md', 'utf8'), troubleshootingPage());
  });

  it('names each event once', () => {
    const names = EVENT_SECTIONS.flatMap(({ events }) => Object.keys(events));
    assert.deepEqual([...names].sort(), Object.keys(EVENTS).sort());
    assert.ok(names.length <= 256, 'a record carries its event between threads in one byte');
  });

  it('has no event that no code logs', () => {
    const unused = Object.keys(EVENTS).filter((name) => !CODE.includes(`'${name}'`));
    assert.deepEqual(unused, []);
  });

  it('has no line that no code says', () => {
    const unsaid = Object.values(EVENTS)
      .flatMap(({ lines }) => Object.keys(lines))
      .filter((line) => !fixedParts(line).every(isSaid));
    assert.deepEqual(unsaid, []);
  });

  it('would notice a line that no code says', () => {
    assert.equal(isSaid('message_recv: the moon is not in the right phase'), false);
  });

  it('explains every line with a cause and a cure', () => {
    const bare = Object.values(EVENTS).flatMap(({ lines }) =>
      Object.entries<{ readonly cause: string; readonly cure: string }>(lines).flatMap(([line, { cause, cure }]) =>
        /\.$/.test(cause) && /\.$/.test(cure) ? [] : [line],
      ),
    );
    assert.deepEqual(bare, []);
  });
});
