import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { describe, it } from 'node:test';

/** Who may import whom, by top folder. `own` imports inside the folder are always fine. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'src/shared': [],
  'src/workers': ['src/shared'],
  'src/kernel': ['src/shared'],
  'src/main': ['src/shared', 'src/kernel'],
  loadtest: ['src/shared', 'src/kernel'],
};

/** Modules that reach outside the program, and calls that no pure code makes. (node:process is there for `versions`, a constant.) */
const IMPURE_MODULES = /^node:(fs|net|dgram|timers|worker_threads|child_process|os|http|https|readline)/;
const IMPURE_CALLS = /\b(Date\.now|new Date|Math\.random|setTimeout|setInterval|setImmediate|performance\.|process\.)/;

const MOST_LINES = 400;

interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const sourcesOf = (folder: string): readonly Source[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const path = join(folder, name);
      const text = readFileSync(path, 'utf8');
      const imports = [...text.matchAll(/(?:from|import)\s+'([^']+)'/g)].map(([, target]) => target ?? '');
      return { path, text, imports };
    });

const folders = Object.keys(ALLOWED);
const sources = folders.flatMap(sourcesOf);
const folderOf = (path: string): string | undefined => folders.find((folder) => path.startsWith(folder + sep));
const localImports = (source: Source): readonly string[] =>
  source.imports
    .filter((target) => target.startsWith('.'))
    .map((target) => normalize(join(dirname(source.path), target)));

describe('architecture', () => {
  it('has sources to look at', () => {
    assert.ok(sources.length > 50, `only ${sources.length} files`);
  });

  it('imports only downwards: main -> shared, kernel; workers -> shared; kernel -> shared; shared -> nothing', () => {
    const wrong = sources.flatMap((source) => {
      const own = folderOf(source.path) ?? '';
      return localImports(source)
        .filter((target) => {
          const folder = folderOf(target);
          return folder !== own && !(ALLOWED[own] ?? []).includes(folder ?? '');
        })
        .map((target) => `${source.path} imports ${target}`);
    });
    assert.deepEqual(wrong, []);
  });

  it('keeps shared free of clocks, timers, sockets and files', () => {
    const wrong = sources
      .filter(({ path }) => folderOf(path) === 'src/shared')
      .flatMap(({ path, text, imports }) => [
        ...imports.filter((target) => IMPURE_MODULES.test(target)).map((target) => `${path} imports ${target}`),
        ...text
          .split('\n')
          .filter((line) => !/^\s*(\/?\*|\/\/)/.test(line) && IMPURE_CALLS.test(line))
          .map((line) => `${path}: ${line.trim()}`),
      ]);
    assert.deepEqual(wrong, []);
  });

  it('has no import cycle', () => {
    const graph = new Map(sources.map((source) => [source.path, localImports(source)]));
    const done = new Set<string>();
    const visit = (path: string, trail: readonly string[]): void => {
      const at = trail.indexOf(path);
      assert.equal(at, -1, `cycle: ${[...trail.slice(at), path].join(' -> ')}`);
      if (done.has(path)) return;
      for (const target of graph.get(path) ?? []) visit(target, [...trail, path]);
      done.add(path);
    };
    for (const path of graph.keys()) visit(path, []);
  });

  it(`has no file over ${MOST_LINES} lines`, () => {
    const long = [...sources, ...sourcesOf('test')]
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > MOST_LINES)
      .map(({ path, lines }) => `${path}: ${lines}`);
    assert.deepEqual(long, []);
  });
});
