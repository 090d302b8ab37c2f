import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createPrivileged, type Privileged, type RunFiles } from '../../../src/main/privileged/privileged.ts';
import { SystemError } from '../../../src/shared/errors.ts';

const isRoot = process.geteuid?.() === 0;

/** An empty run directory of ours. */
const directory = (t: TestContext): string => {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'isakmpd-run-')));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
};
const filesIn = (runDirectory: string, changes: Partial<RunFiles> = {}): RunFiles => ({
  runDirectory,
  fifo: join(runDirectory, 'isakmpd.fifo'),
  pidFile: join(runDirectory, 'isakmpd.pid'),
  resultFile: join(runDirectory, 'isakmpd.result'),
  reportFile: join(runDirectory, 'isakmpd.report'),
  captureFile: undefined,
  ...changes,
});
const modeOf = (path: string): number => statSync(path).mode & 0o777;
/** Opens the FIFO for the length of the test. */
const openFifo = async (t: TestContext, privileged: Privileged): Promise<void> => {
  const descriptor = await privileged.openFifo();
  t.after(() => closeSync(descriptor));
};
const fault = (pattern: RegExp) => (thrown: unknown) => {
  assert.ok(thrown instanceof SystemError);
  assert.match(thrown.message, pattern);
  assert.doesNotMatch(thrown.message, /\n/);
  return true;
};

test('the FIFO is made with mode 0600, a stale one is replaced', async (t) => {
  const run = directory(t);
  execFileSync('mkfifo', ['-m', '666', join(run, 'isakmpd.fifo')]);
  await openFifo(t, createPrivileged(filesIn(run)));
  assert.ok(statSync(join(run, 'isakmpd.fifo')).isFIFO());
  assert.equal(modeOf(join(run, 'isakmpd.fifo')), 0o600);
});

test('E16: a regular file in the place of the FIFO is fatal and stays as it is', async (t) => {
  const run = directory(t);
  writeFileSync(join(run, 'isakmpd.fifo'), 'precious');
  await assert.rejects(
    createPrivileged(filesIn(run)).openFifo(),
    fault(/ui_init: could not create FIFO .*EEXIST.*regular/),
  );
  assert.equal(readFileSync(join(run, 'isakmpd.fifo'), 'utf8'), 'precious');
});

test('threats "FIFO": a symbolic link in the place of the FIFO is refused, even one to a FIFO', async (t) => {
  const run = directory(t);
  execFileSync('mkfifo', [join(run, 'other')]);
  symlinkSync(join(run, 'other'), join(run, 'isakmpd.fifo'));
  await assert.rejects(createPrivileged(filesIn(run)).openFifo(), fault(/a symbolic link is there/));
});

test('a directory in the place of the FIFO is refused', async (t) => {
  const run = directory(t);
  mkdirSync(join(run, 'isakmpd.fifo'));
  await assert.rejects(createPrivileged(filesIn(run)).openFifo(), fault(/a directory is there/));
});

test('without a FIFO path commands come from standard input', async (t) => {
  assert.equal(await createPrivileged(filesIn(directory(t), { fifo: undefined })).openFifo(), 0);
});

test('fifo-clients pidfile: the pid file holds the number and a newline, whatever was there before', async (t) => {
  const run = directory(t);
  const path = join(run, 'isakmpd.pid');
  writeFileSync(path, '99999 and more\n', { mode: 0o600 });
  await createPrivileged(filesIn(run)).writePidFile(4711);
  assert.equal(readFileSync(path, 'utf8'), '4711\n');
  assert.equal(modeOf(path), 0o644);
});

test('the pid file appears whole: a watcher that reads it at once finds the number', async (t) => {
  const run = directory(t);
  const events: string[] = [];
  const seen = new Promise<void>((resolve) => {
    const watcher = watch(run, (event, name) => {
      events.push(`${event} ${name}`);
      if (name === 'end') resolve();
    });
    t.after(() => watcher.close());
  });
  await createPrivileged(filesIn(run)).writePidFile(4711);
  writeFileSync(join(run, 'end'), '');
  await seen;
  // A change of contents would mean that it was there before it was written.
  assert.ok(events.includes('rename isakmpd.pid'), events.join());
  assert.ok(!events.includes('change isakmpd.pid'), events.join());
  assert.deepEqual(readdirSync(run).toSorted(), ['end', 'isakmpd.pid']);
});

test('threats "/var/run only": links in the place of pid and result file are replaced, what they name stays', async (t) => {
  const run = directory(t);
  const precious = join(directory(t), 'precious');
  writeFileSync(precious, 'precious');
  symlinkSync(precious, join(run, 'isakmpd.pid'));
  linkSync(precious, join(run, 'isakmpd.result'));
  const privileged = createPrivileged(filesIn(run));
  await privileged.writePidFile(1);
  await privileged.writeResult('x\n');
  assert.equal(readFileSync(precious, 'utf8'), 'precious');
  assert.equal(readFileSync(join(run, 'isakmpd.pid'), 'utf8'), '1\n');
  assert.equal(readFileSync(join(run, 'isakmpd.result'), 'utf8'), 'x\n');
});

test('the result file has mode 0600, is replaced as a whole and leaves nothing beside it', async (t) => {
  const run = directory(t);
  const path = join(run, 'isakmpd.result');
  const privileged = createPrivileged(filesIn(run));
  writeFileSync(`${path}.tmp`, 'left by a crash');
  await privileged.writeResult('first\n');
  const reader = openSync(path, 'r');
  t.after(() => closeSync(reader));
  await Promise.all([privileged.writeResult('second\n'), privileged.writeResult('')]);
  assert.equal(readFileSync(reader, 'utf8'), 'first\n');
  assert.equal(readFileSync(path, 'utf8'), '');
  assert.equal(modeOf(path), 0o600);
  assert.deepEqual(readdirSync(run), ['isakmpd.result']);
});

test('a result file that cannot be written is a SystemError', async (t) => {
  const run = directory(t);
  mkdirSync(join(run, 'isakmpd.result'));
  await assert.rejects(createPrivileged(filesIn(run)).writeResult('x'), fault(/cannot write .*isakmpd.result: EISDIR/));
});

test('E23: FIFO and pid file go at exit, the result file stays', async (t) => {
  const run = directory(t);
  const privileged = createPrivileged(filesIn(run));
  await openFifo(t, privileged);
  await privileged.writePidFile(1);
  await privileged.writeResult('x');
  await privileged.removeRunFiles();
  assert.deepEqual(readdirSync(run), ['isakmpd.result']);
});

test('the files of a successor are not removed, missing ones are no fault', async (t) => {
  const run = directory(t);
  const old = createPrivileged(filesIn(run));
  await openFifo(t, old);
  await old.writePidFile(1);
  await createPrivileged(filesIn(run)).writePidFile(2);
  rmSync(join(run, 'isakmpd.fifo'));
  await old.removeRunFiles();
  assert.equal(readFileSync(join(run, 'isakmpd.pid'), 'utf8'), '2\n');
});

const OUTSIDE: readonly (readonly [string, (run: string, other: string) => Partial<RunFiles>])[] = [
  ['pid file', (run) => ({ pidFile: join(run, '..', 'isakmpd.pid') })],
  ['pid file', (_, other) => ({ pidFile: join(other, 'isakmpd.pid') })],
  ['pid file', (run) => ({ pidFile: run })],
  ['FIFO', (run) => ({ fifo: `${run}away/isakmpd.fifo` })],
  ['FIFO', (run) => ({ fifo: join(run, 'missing', 'isakmpd.fifo') })],
];
for (const [i, [what, change]] of OUTSIDE.entries()) {
  test(`threats "/var/run only": ${what} outside the run directory is refused (${i})`, (t) => {
    const run = directory(t);
    const changed = change(run, directory(t));
    assert.throws(() => createPrivileged(filesIn(run, changed)), fault(new RegExp(`^${what} `)));
  });
}

test('threats "/var/run only": a link below the run directory does not lead out of it', (t) => {
  const run = directory(t);
  symlinkSync(directory(t), join(run, 'out'));
  assert.throws(
    () => createPrivileged(filesIn(run, { fifo: join(run, 'out', 'isakmpd.fifo') })),
    fault(/only paths below the run directory/),
  );
});

test('the run directory itself may be a link, and files may lie in directories below it', async (t) => {
  const run = directory(t);
  const link = join(directory(t), 'run');
  symlinkSync(run, link);
  mkdirSync(join(run, 'sub'), { mode: 0o700 });
  const privileged = createPrivileged(filesIn(link, { pidFile: join(link, 'sub', 'pid'), fifo: join(run, 'f') }));
  await privileged.writePidFile(5);
  assert.ok(existsSync(join(run, 'sub', 'pid')));
});

test('a run directory that is missing, a file, or open to others for writing is refused', (t) => {
  const run = directory(t);
  assert.throws(() => createPrivileged(filesIn(join(run, 'missing'))), fault(/^run directory .*ENOENT/));
  writeFileSync(join(run, 'file'), '');
  assert.throws(() => createPrivileged(filesIn(join(run, 'file'))), fault(/is not a directory/));
  chmodSync(run, 0o770);
  assert.throws(() => createPrivileged(filesIn(run)), fault(/group or others may write/));
});

test('a directory below the run directory that others may write to is refused', (t) => {
  const run = directory(t);
  mkdirSync(join(run, 'lock'));
  chmodSync(join(run, 'lock'), 0o1777);
  assert.throws(
    () => createPrivileged(filesIn(run, { fifo: join(run, 'lock', 'f') })),
    fault(/group or others may write/),
  );
});

test('a run directory of another user is refused', (t) => {
  if (!isRoot) return t.skip('only root can give a directory away');
  const run = directory(t);
  chownSync(run, 12_345, 12_345);
  assert.throws(() => createPrivileged(filesIn(run)), fault(/belongs to user 12345/));
});

test('threats "config/keys mode check": configuration is read when it is regular and closed to others', async (t) => {
  const run = directory(t);
  const path = join(run, 'isakmpd.conf');
  const { readSecretFile } = createPrivileged(filesIn(run));
  assert.deepEqual(await readSecretFile(path), { kind: 'missing' });
  writeFileSync(path, '[General]\n', { mode: 0o600 });
  const read = await readSecretFile(path);
  assert.equal(read.kind === 'bytes' ? Buffer.from(read.bytes).toString() : '', '[General]\n');
  symlinkSync(path, join(run, 'link.conf'));
  assert.equal((await readSecretFile(join(run, 'link.conf'))).kind, 'bytes');
});

test('threats "config/keys mode check": what group or others could read, and what is no file, is not read', async (t) => {
  const run = directory(t);
  const { readSecretFile } = createPrivileged(filesIn(run));
  const reasonFor = async (path: string): Promise<string> => {
    const result = await readSecretFile(path);
    return result.kind === 'refused' ? result.reason : result.kind;
  };
  const path = join(run, 'isakmpd.conf');
  writeFileSync(path, 'secret', { mode: 0o640 });
  assert.match(await reasonFor(path), /isakmpd.conf is not read: group or others/);
  execFileSync('mkfifo', ['-m', '600', join(run, 'fifo')]);
  assert.match(await reasonFor(join(run, 'fifo')), /not a regular file/);
  assert.match(await reasonFor(run), /not a regular file/);
  if (!isRoot) return;
  chmodSync(path, 0o600);
  chownSync(path, 12_345, 0);
  assert.match(await reasonFor(path), /belongs to user 12345/);
});
