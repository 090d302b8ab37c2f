import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';

const MODULE = new URL(`../../../src/main/cli/legacy-provider${extname(import.meta.url)}`, import.meta.url).href;

/** A program of its own file, as a restart needs; `body` runs in the restarted process. */
const start = (t: TestContext, body: string, ...argv: readonly string[]) => {
  const directory = mkdtempSync(join(tmpdir(), 'isakmpd-legacy-'));
  const path = join(directory, 'program.mjs');
  writeFileSync(
    path,
    `import { hasLegacyProvider, restartWithLegacyProvider } from ${JSON.stringify(MODULE)};
     import { createCipheriv } from 'node:crypto';
     if (!hasLegacyProvider()) await restartWithLegacyProvider();
     ${body}`,
  );
  const child = spawn(process.execPath, [path, ...argv], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  });
  assert.ok(child.stdout);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return { child, line: async () => String((await lines.next()).value) };
};

test('after the restart Blowfish and CAST are there, and the arguments are the same', async (t) => {
  const { line } = start(
    t,
    `for (const name of ['bf-cbc', 'cast5-cbc']) createCipheriv(name, Buffer.alloc(16), Buffer.alloc(8));
     console.log(process.argv.slice(2).join(' '));`,
    '-nKd',
    '-f-',
  );
  assert.equal(await line(), '-nKd -f-');
});

test('the exit status of the restarted process is the program’s', async (t) => {
  const { child } = start(t, 'process.exit(7);');
  assert.deepEqual(await once(child, 'exit'), [7, null]);
});

test('signals reach the restarted process', async (t) => {
  const { child, line } = start(
    t,
    `const hold = setInterval(() => {}, 1e6);
     process.on('SIGTERM', () => { console.log('shutdown'); clearInterval(hold); });
     console.log('up');`,
  );
  assert.equal(await line(), 'up');
  child.kill('SIGTERM');
  assert.equal(await line(), 'shutdown');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});
