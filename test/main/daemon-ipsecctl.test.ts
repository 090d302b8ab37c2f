/** What ipsecctl(8) writes for the rules of ipsec.conf(5), written the same way to a running daemon, asked back value by value, and deleted again. */
import assert from 'node:assert/strict';
import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Daemon, PATIENCE } from '../../loadtest/daemon.ts';
import { startAlone } from '../helpers/daemon-process.ts';
import { sharedPath } from '../helpers/shared-folder.ts';

const path = sharedPath('vectors', 'ipsecctl-fifo', 'cases.json');

test('every rule that ipsecctl loads is answered by C get, and gone when ipsecctl has deleted it', {
  skip: path === undefined && 'shared/vectors is absent',
}, async (t) => {
  // Passive: the rules name hosts that are nobody's here.
  const { daemon } = await startAlone(t, '', { words: ['-d', '-v', '-n', '-K', '-4', '-S'] });
  const { loaded, deleting, leftOut } = sorted(path ?? '');
  const model = new Model();
  let values = 0;
  for (const { name, fifoCommands } of loaded) {
    writeRule(daemon, fifoCommands);
    for (const line of fifoCommands) model.apply(line);
    for (const key of keysOf(fifoCommands)) {
      assert.equal(await answer(daemon, `C get ${key}`), model.get(key), `${name}: ${key}`);
      values += 1;
    }
    const deletion = deletionOf(fifoCommands, deleting);
    writeRule(daemon, deletion);
    for (const line of deletion) model.apply(line);
    for (const key of gone(fifoCommands, deletion)) {
      assert.equal(await answer(daemon, `C get ${key}`), model.get(key), `${name} deleted: ${key}`);
      if (!LISTS.test(key)) assert.equal(model.get(key), '');
    }
  }
  assert.equal(await answer(daemon, 'C get [Phase 2]:Connections'), '');
  assert.equal(await answer(daemon, 'C get [Phase 2]:Passive-Connections'), '');
  assert.deepEqual(
    daemon.log.filter((line) => /malformed|internal fault/.test(line)),
    [],
  );
  const unused = deleting.filter(({ isUsed }) => !isUsed);
  t.diagnostic(
    `fed and passed: ${loaded.length} rules (${values} values), ${deleting.length - unused.length} by their delete case`,
  );
  t.diagnostic(`left out: ${[...leftOut].map(([why, count]) => `${count} ${why}`).join(', ')}`);
  // A delete case without its rule is written all the same: what is not there is deleted without a word.
  const before = daemon.log.length;
  for (const { fifoCommands } of unused) writeRule(daemon, fifoCommands);
  assert.equal(await answer(daemon, 'C get [Phase 2]:Connections'), '');
  assert.deepEqual(daemon.log.slice(before), []);
  t.diagnostic(`delete cases without a rule of their own, silent: ${unused.length}`);
});

interface Case {
  readonly name: string;
  readonly kind: string;
  readonly fifoCommands: readonly string[];
}

interface Deleting extends Case {
  isUsed: boolean;
}

/** The rules for isakmpd, the delete cases, and how many of the others there are. */
const sorted = (file: string) => {
  const read: { readonly cases: readonly (Omit<Case, 'fifoCommands'> & Partial<Case>)[] } = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  const cases = read.cases.map((one): Case => ({ ...one, fifoCommands: one.fifoCommands ?? [] }));
  // ipsecctl -v repeats macro definitions among the commands; they never go to the FIFO.
  const commands = (one: Case): Case => ({ ...one, fifoCommands: one.fifoCommands.filter((l) => !/^\w+ = "/.test(l)) });
  const loaded = cases.filter((one) => one.kind === 'ike' && one.fifoCommands.length > 0).map(commands);
  const deleting: Deleting[] = cases
    .filter((one) => one.kind.startsWith('ikedel') && one.fifoCommands.length > 0)
    .map((one) => ({ ...commands(one), isUsed: false }));
  const leftOut = new Map<string, number>();
  for (const { kind, fifoCommands } of cases) {
    const isOurs = kind === 'ike' || kind.startsWith('ikedel');
    if (isOurs && fifoCommands.length > 0) continue;
    const why = isOurs ? `${kind} without commands` : `${kind}: ipsecctl’s own work`;
    leftOut.set(why, (leftOut.get(why) ?? 0) + 1);
  }
  return { loaded, deleting, leftOut };
};

/** As ipsecctl does: opened for writing only, a FIFO or nothing, all lines of the rule at once, closed. */
const writeRule = (daemon: Daemon, lines: readonly string[]): void => {
  const descriptor = openSync(join(daemon.runDirectory, 'isakmpd.fifo'), constants.O_WRONLY);
  assert.ok(fstatSync(descriptor).isFIFO());
  const rule = Buffer.from(`${lines.join('\n')}\n`);
  for (let written = 0; written < rule.length; ) written += writeSync(descriptor, rule, written);
  closeSync(descriptor);
};

/** The same as Daemon.ask without its pauses: there are thousands of questions. */
const answer = async (daemon: Daemon, line: string): Promise<string> => {
  const file = join(daemon.runDirectory, 'isakmpd.result');
  rmSync(file, { force: true });
  daemon.command(line);
  for (const end = performance.now() + PATIENCE; performance.now() < end; await nextTurn()) {
    if (existsSync(file)) return readFileSync(file, 'utf8').trimEnd();
  }
  throw new Error(`no answer to ${line}`);
};

/** What the lines mean, without any of the daemon's code. */
class Model {
  readonly #values = new Map<string, string>();

  get(key: string): string {
    return this.#values.get(key.toLowerCase()) ?? '';
  }

  apply(line: string): void {
    const [, verb = '', section = '', tag = '', value = ''] =
      /^C (set|add|rmv|rms) \[(.*?)\](?::([^=]*)=(.*?)( force)?)?$/.exec(line) ?? [];
    const key = `[${section}]:${tag}`.toLowerCase();
    const members = this.get(key).split(',').filter(Boolean);
    if (verb === 'set') this.#values.set(key, value);
    else if (verb === 'add') this.#values.set(key, [...members, ...(members.includes(value) ? [] : [value])].join(','));
    else if (verb === 'rmv') this.#values.set(key, members.filter((member) => member !== value).join(','));
    else if (verb === 'rms') {
      for (const one of this.#values.keys())
        if (one.startsWith(`[${section.toLowerCase()}]:`)) this.#values.delete(one);
    } else assert.match(line, /^t \S+$/);
  }
}

const keysOf = (lines: readonly string[]): ReadonlySet<string> =>
  new Set(lines.flatMap((line) => /^C (?:set|add) (\[.*?\]:[^=]*)=/.exec(line)?.[1] ?? []));

/** The connections that a rule puts on a list, with the tag of that list. */
const connectionsOf = (lines: readonly string[]) =>
  lines.flatMap((line) => {
    const [, list, name] = /^C add \[Phase 2\]:(Connections|Passive-Connections)=(\S+)$/i.exec(line) ?? [];
    return list === undefined || name === undefined ? [] : [{ list, name }];
  });

/** The delete case that takes away all of the rule's connections, or the lines that ipsecctl -d would write. */
const deletionOf = (rule: readonly string[], cases: readonly Deleting[]): readonly string[] => {
  const connections = connectionsOf(rule);
  const removed = (lines: readonly string[]) => lines.flatMap((line) => /^C rmv .*?=(\S+)$/.exec(line)?.[1] ?? []);
  const names = connections.map(({ name }) => name).join();
  const found = cases.find((one) => !one.isUsed && removed(one.fifoCommands).join() === names);
  if (found !== undefined) {
    found.isUsed = true;
    return found.fifoCommands;
  }
  return connections.flatMap(({ list, name }) => [
    `t ${name}`,
    `C rmv [Phase 2]:${list}=${name}`,
    `C rms [${name}]`,
    `C rms [phase2-${name}]`,
  ]);
};

/** The rule's tags that the deletion takes away or edits. */
const gone = (rule: readonly string[], deletion: readonly string[]): readonly string[] => {
  const sections = new Set(deletion.flatMap((line) => /^C rms (\[.*\])$/.exec(line)?.[1]?.toLowerCase() ?? []));
  return [...keysOf(rule)].filter((key) => {
    const [section = ''] = /^\[.*?\]/.exec(key) ?? [];
    return sections.has(section.toLowerCase()) || LISTS.test(key);
  });
};

const LISTS = /^\[Phase 2\]:(Passive-)?Connections$/i;
