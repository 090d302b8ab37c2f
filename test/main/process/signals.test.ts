import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';

const SIGNALS = new URL(`../../../src/main/process/signals${extname(import.meta.url)}`, import.meta.url).href;

interface Program {
  readonly child: ChildProcess;
  /** The next line of its standard output. */
  readonly line: () => Promise<string>;
  /** Everything it wrote to standard error so far. */
  readonly errors: () => string;
}

/** A program that begins as bin/isakmpd does: the signals module first, then `body`. */
const start = (t: TestContext, body: string): Program => {
  const program = `await import(${JSON.stringify(SIGNALS)}); ${body}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let errors = '';
  child.stderr?.on('data', (chunk) => {
    errors += String(chunk);
  });
  assert.ok(child.stdout);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return { child, line: async () => String((await lines.next()).value), errors: () => errors };
};

/** Says on standard output what is asked of it. */
const TOLD =
  "const TOLD = { say: console.log, reinitialize: () => console.log('reinitialize'), report: () => console.log('report') };";
const WAIT = `const { handleSignals } = await import(${JSON.stringify(SIGNALS)}); const hold = setInterval(() => {}, 1e6); ${TOLD}`;
const HANDLE = `handleSignals({ interrupt: true, ...TOLD, shutdown: () => { console.log('shutdown'); clearInterval(hold); } });`;

test('threats "SIGUSR1": the signal during start-up does not open the debugger, and is answered later', async (t) => {
  const { child, line, errors } = start(
    t,
    `console.log('loading'); for (const end = Date.now() + 300; Date.now() < end;); ${WAIT} ${HANDLE}`,
  );
  assert.equal(await line(), 'loading');
  child.kill('SIGUSR1');
  assert.deepEqual([await line(), await line()], ['SIGUSR1 received', 'report']);
  const socket = connect(9229, '127.0.0.1');
  const [fault] = await once(socket, 'error');
  assert.equal(fault.code, 'ECONNREFUSED');
  child.kill('SIGTERM');
  assert.equal(await line(), 'shutdown');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  assert.equal(errors(), '');
});

test('TERM during start-up is a clean shutdown once the daemon is up', async (t) => {
  const { child, line } = start(
    t,
    `${WAIT} console.log('loading'); process.stdin.once('data', () => { ${HANDLE} process.stdin.destroy(); });`,
  );
  assert.equal(await line(), 'loading');
  child.kill('SIGTERM');
  child.stdin?.write('go');
  assert.equal(await line(), 'shutdown');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('HUP and USR1 are told of and passed on, INT and TERM shut down', async (t) => {
  const { child, line } = start(
    t,
    `${WAIT} handleSignals({ interrupt: true, ...TOLD, shutdown: () => console.log('shutdown') }); console.log('up');`,
  );
  assert.equal(await line(), 'up');
  child.kill('SIGHUP');
  assert.deepEqual([await line(), await line()], ['SIGHUP received', 'reinitialize']);
  child.kill('SIGUSR1');
  assert.deepEqual([await line(), await line()], ['SIGUSR1 received', 'report']);
  child.kill('SIGINT');
  assert.equal(await line(), 'shutdown');
  child.kill('SIGTERM');
  assert.equal(await line(), 'shutdown');
});

test('without exactly one -d INT ends the process as usual', async (t) => {
  const { child, line } = start(
    t,
    `${WAIT} handleSignals({ interrupt: false, ...TOLD, shutdown: () => {} }); console.log('up');`,
  );
  assert.equal(await line(), 'up');
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'exit'), [null, 'SIGINT']);
});

test('SIGPIPE is ignored', async (t) => {
  const { child, line } = start(t, `${WAIT} ${HANDLE} console.log('up');`);
  assert.equal(await line(), 'up');
  child.kill('SIGPIPE');
  child.kill('SIGTERM');
  assert.equal(await line(), 'shutdown');
});

test('threats "SIGUSR1": bin/isakmpd installs the handlers before it loads the rest of the program', async (t) => {
  const launcher = join(process.cwd(), 'bin', 'isakmpd');
  if (!existsSync(launcher)) return t.skip('not run from the project root');
  const directory = mkdtempSync(join(tmpdir(), 'isakmpd-bin-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const main = join(directory, 'dist', 'src', 'main');
  mkdirSync(join(main, 'process'), { recursive: true });
  mkdirSync(join(directory, 'bin'));
  copyFileSync(launcher, join(directory, 'bin', 'isakmpd'));
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  writeFileSync(join(main, 'process', 'signals.js'), `import ${JSON.stringify(SIGNALS)}; console.log('signals');`);
  writeFileSync(join(main, 'main.js'), `import './rest.js'; console.log(...process.argv.slice(2));`);
  writeFileSync(join(main, 'rest.js'), `console.log(process.listenerCount('SIGUSR1'));`);
  const child = spawn(process.execPath, [join(directory, 'bin', 'isakmpd'), '-nKd'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.ok(child.stdout);
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) lines.push(line);
  assert.deepEqual(lines, ['signals', '1', '-nKd']);
});
