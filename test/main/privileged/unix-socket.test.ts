/** The status socket as a file. */
import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createPrivileged, type Privileged } from '../../../src/main/privileged/privileged.ts';
import { openUnixSocket } from '../../../src/main/privileged/unix-socket.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import { testFolder } from '../../helpers/daemon-process.ts';

const privilegedIn = (run: string): Privileged =>
  createPrivileged({
    runDirectory: run,
    fifo: undefined,
    pidFile: join(run, 'isakmpd.pid'),
    resultFile: join(run, 'isakmpd.result'),
    reportFile: join(run, 'isakmpd.report'),
    captureFile: undefined,
  });

const open = async (t: TestContext, path: string): Promise<void> => {
  const server = await openUnixSocket(path);
  t.after(() => server.close());
};

const refusal = (pattern: RegExp) => (fault: unknown) => {
  assert.ok(fault instanceof SystemError);
  assert.match(fault.message, pattern);
  return true;
};

test('the status socket has mode 0600 and leaves nothing else behind', async (t) => {
  const run = testFolder(t);
  const previous = process.umask(0);
  t.after(() => process.umask(previous));
  await open(t, join(run, 'isakmpd.sock'));
  const facts = lstatSync(join(run, 'isakmpd.sock'));
  assert.ok(facts.isSocket());
  assert.equal(facts.mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(run), ['isakmpd.sock']);
});

test('a socket that nobody serves any more is replaced', async (t) => {
  const run = testFolder(t);
  const path = join(run, 'isakmpd.sock');
  const old = await openUnixSocket(path);
  // The name stays: the server was bound to another one.
  await new Promise<void>((resolve) => old.close(() => resolve()));
  assert.ok(existsSync(path));
  await open(t, path);
  await new Promise<void>((resolve, reject) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
});

test('a socket that somebody serves is left alone', async (t) => {
  const path = join(testFolder(t), 'isakmpd.sock');
  await open(t, path);
  const before = lstatSync(path).ino;
  await assert.rejects(openUnixSocket(path), refusal(/another daemon answers there$/));
  assert.equal(lstatSync(path).ino, before);
});

test('threats "/var/run only": a file, a folder or a link in its place is refused and stays as it is', async (t) => {
  const run = testFolder(t);
  writeFileSync(join(run, 'file'), 'precious');
  mkdirSync(join(run, 'folder'));
  await open(t, join(run, 'real'));
  symlinkSync(join(run, 'real'), join(run, 'link'));
  for (const name of ['file', 'folder', 'link']) {
    await assert.rejects(openUnixSocket(join(run, name)), refusal(/something that is no socket is there$/), name);
  }
  assert.equal(readFileSync(join(run, 'file'), 'utf8'), 'precious');
  assert.deepEqual(readdirSync(run).sort(), ['file', 'folder', 'link', 'real']);
});

test('a path that is too long for a socket is refused with one line', async (t) => {
  const run = join(testFolder(t), 'x'.repeat(100));
  mkdirSync(run);
  await assert.rejects(openUnixSocket(join(run, 'isakmpd.sock')), refusal(/^cannot open .*isakmpd\.sock: [^\n]+$/));
  assert.deepEqual(readdirSync(run), []);
});

test('it is removed at exit, unless another one has taken its name', async (t) => {
  const run = testFolder(t);
  const path = join(run, 'isakmpd.sock');
  const privileged = privilegedIn(run);
  const server = await privileged.openStatusSocket();
  t.after(() => server.close());
  await privileged.removeRunFiles();
  assert.ok(!existsSync(path));
  const again = await privileged.openStatusSocket();
  await new Promise<void>((resolve) => again.close(() => resolve()));
  await open(t, path);
  await privileged.removeRunFiles();
  assert.ok(existsSync(path));
});
