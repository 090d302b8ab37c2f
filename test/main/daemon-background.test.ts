/** The start without -d: who waits for whom, what the caller hears, and what ps(1) shows. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../../loadtest/daemon.ts';
import { freePorts, type Ports, testFolder } from '../helpers/daemon-process.ts';

const PROGRAM = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'bin', 'isakmpd');

interface Started {
  readonly folder: string;
  readonly ports: Ports;
  readonly status: number | null;
  readonly errors: string;
}

/** Calls the program in a folder with a configuration, and waits until the call returns. The daemon ends with the test. */
const call = async (
  t: TestContext,
  more: { readonly configuration?: string; readonly ports?: Ports; readonly words?: readonly string[] } = {},
): Promise<Started> => {
  const folder = testFolder(t);
  const ports = more.ports ?? (await freePorts(['127.0.0.1']));
  const { configuration = '', words = [] } = more;
  writeFileSync(join(folder, 'east.conf'), `[General]\nListen-on=127.0.0.1\n${configuration}`, { mode: 0o600 });
  const places = ['-c', 'east.conf', '-f', 'east.fifo', '--run-dir', folder, '-i', 'isakmpd.pid'];
  const numbers = ['-p', String(ports.ike), '-N', String(ports.encapsulated), '--workers', '1'];
  const argv = [PROGRAM, '-n', '-K', '-4', ...places, ...numbers, ...words];
  const child = spawn(process.execPath, argv, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += String(chunk);
  });
  const [status] = await once(child, 'close');
  endWithTest(t, folder);
  return { folder, ports, status, errors };
};

/** The daemon that runs there does not outlive the test. */
const endWithTest = (t: TestContext, folder: string): void => {
  const pid = pidIn(folder);
  t.after(() => {
    const isOurs = existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
    if (pid !== undefined && isOurs) process.kill(pid, 'SIGKILL');
  });
};

const pidIn = (folder: string): number | undefined => {
  const file = join(folder, 'isakmpd.pid');
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
};

const ask = async (folder: string, line: string): Promise<string> => {
  const result = join(folder, 'isakmpd.result');
  rmSync(result, { force: true });
  writeFileSync(join(folder, 'east.fifo'), `${line}\n`, { flag: 'a' });
  return until('the answer', () => (existsSync(result) ? readFileSync(result, 'utf8') : undefined));
};

const ended = (folder: string): Promise<true> =>
  until('the end of the daemon', () => !existsSync(join(folder, 'isakmpd.pid')) || undefined);

test('fifo-clients singlehost-setup and pidfile: the call returns with 0 when the daemon serves, TERM to the pid in the file ends it', async (t) => {
  const { folder, status, errors } = await call(t);
  assert.deepEqual([status, errors], [0, '']);
  const pid = pidIn(folder);
  assert.ok(pid !== undefined);
  assert.equal(await ask(folder, 'C get [General]:Listen-on'), '127.0.0.1\n');
  process.kill(pid, 'SIGTERM');
  await ended(folder);
  assert.ok(!existsSync(join(folder, 'east.fifo')));
});

test('fifo-clients singlehost-setup: Q appended to the FIFO ends it and removes its files', async (t) => {
  const { folder } = await call(t);
  writeFileSync(join(folder, 'east.fifo'), 'Q\n', { flag: 'a' });
  await ended(folder);
  assert.ok(!existsSync(join(folder, 'east.fifo')));
});

test('the daemon is detached: a session of its own, in /, with nothing of the terminal', async (t) => {
  const { folder } = await call(t);
  const pid = pidIn(folder);
  // Fields of proc(5) stat behind the name: state, parent, process group, session.
  const [, , group, session] = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? '').split(' ');
  assert.deepEqual([group, session], [String(pid), String(pid)]);
  assert.equal(readlinkSync(`/proc/${pid}/cwd`), '/');
  for (const descriptor of [0, 1, 2]) assert.equal(readlinkSync(`/proc/${pid}/fd/${descriptor}`), '/dev/null');
});

test('fifo-clients proc-name: ps shows `isakmpd: monitor [priv]` and `isakmpd -` with the options, and pkill finds isakmpd', async (t) => {
  const { folder } = await call(t);
  const pid = String(pidIn(folder));
  const title = execFileSync('ps', ['-o', 'args=', '-p', pid], { encoding: 'utf8' });
  assert.match(title, /[i]sakmpd: monitor \[priv\]/);
  assert.match(title, /[i]sakmpd -n -K -4 -c east\.conf/);
  assert.match(execFileSync('ps', ['-o', 'comm=', '-p', pid], { encoding: 'utf8' }), /^isakmpd/);
});

test('a start that fails is told to the caller with its reason, and nothing stays behind', async (t) => {
  const ports = await freePorts(['127.0.0.1']);
  const other = createSocket('udp4');
  t.after(() => other.close());
  other.bind(ports.ike, '127.0.0.1');
  await once(other, 'listening');
  const { folder, status, errors } = await call(t, { ports });
  assert.equal(status, 1);
  assert.match(errors, new RegExp(`^isakmpd: cannot listen on 127.0.0.1 port ${ports.ike}: (bind )?EADDRINUSE.*\\n$`));
  assert.deepEqual(readdirSync(folder), ['east.conf']);
});

test('E16: where the FIFO should be is a regular file: the start fails and the file stays', async (t) => {
  const folder = testFolder(t);
  writeFileSync(join(folder, 'isakmpd.fifo'), 'precious');
  const { ike, encapsulated } = await freePorts(['127.0.0.1']);
  const words = ['-nK4', '--run-dir', folder, '-c', 'none', '-p', String(ike), '-N', String(encapsulated)];
  const child = spawn(process.execPath, [PROGRAM, ...words, '--workers', '1'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += String(chunk);
  });
  assert.deepEqual(await once(child, 'close'), [1, null]);
  assert.match(errors, /EEXIST: a regular file is there/);
  assert.equal(readFileSync(join(folder, 'isakmpd.fifo'), 'utf8'), 'precious');
});

test('-f - in the background reads the standard input of the call', async (t) => {
  const folder = testFolder(t);
  const { ike, encapsulated } = await freePorts(['127.0.0.1']);
  writeFileSync(join(folder, 'isakmpd.conf'), '[General]\nListen-on=127.0.0.1\n', { mode: 0o600 });
  const words = ['-nK4T', '-f', '-', '--run-dir', folder, '-c', join(folder, 'isakmpd.conf'), '--workers', '1'];
  const numbers = ['-p', String(ike), '-N', String(encapsulated)];
  const input = join(folder, 'input');
  execFileSync('mkfifo', [input]);
  const descriptor = openSync(input, 'r+');
  t.after(() => closeSync(descriptor));
  const child = spawn(process.execPath, [PROGRAM, ...words, ...numbers], { stdio: [descriptor, 'ignore', 'ignore'] });
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  endWithTest(t, folder);
  assert.ok(!existsSync(join(folder, 'isakmpd.fifo')));
  writeSync(descriptor, 'Q\n');
  await ended(folder);
});

test('a command line that cannot be is told by the usage, at once', async (t) => {
  const { status, errors } = await call(t, { words: ['-Z'] });
  assert.equal(status, 1);
  assert.match(errors, /^isakmpd: unknown option: -Z\nusage: isakmpd /);
});

test('a daemon that lost its port to one that runs leaves that one its FIFO', async (t) => {
  const { folder, ports } = await call(t);
  const words = ['-nK4', '--run-dir', folder, '-c', join(folder, 'east.conf'), '-f', join(folder, 'east.fifo')];
  const numbers = ['-p', String(ports.ike), '-N', String(ports.encapsulated), '--workers', '1'];
  const second = spawn(process.execPath, [PROGRAM, ...words, ...numbers], { stdio: 'ignore' });
  assert.deepEqual(await once(second, 'close'), [1, null]);
  assert.equal(await ask(folder, 'C get [General]:Listen-on'), '127.0.0.1\n');
});

test('behaviour O12: FIFO and pid file of a daemon that was killed are replaced', async (t) => {
  const first = await call(t);
  const pid = pidIn(first.folder);
  assert.ok(pid !== undefined);
  process.kill(pid, 'SIGKILL');
  await until('its end', () => !existsSync(`/proc/${pid}`) || undefined);
  assert.ok(existsSync(join(first.folder, 'east.fifo')));
  const words = ['-nK4', '--run-dir', first.folder, '-c', 'east.conf', '-f', 'east.fifo', '-i', 'isakmpd.pid'];
  const numbers = ['-p', String(first.ports.ike), '-N', String(first.ports.encapsulated), '--workers', '1'];
  const again = spawn(process.execPath, [PROGRAM, ...words, ...numbers], { cwd: first.folder, stdio: 'ignore' });
  assert.deepEqual(await once(again, 'close'), [0, null]);
  endWithTest(t, first.folder);
  assert.notEqual(pidIn(first.folder), pid);
  assert.equal(await ask(first.folder, 'C get [General]:Listen-on'), '127.0.0.1\n');
});

const BLOWFISH = `
[Phase 1]
127.0.0.2=peer
[peer]
Phase=1
Address=127.0.0.2
Authentication=secret
Configuration=main-mode
[main-mode]
EXCHANGE_TYPE=ID_PROT
Transforms=BLF-SHA-GRP5
`;

test('with a peer that needs the legacy provider, the daemon is still the one whose pid is in the file', async (t) => {
  const { folder, status, errors } = await call(t, { configuration: BLOWFISH });
  assert.deepEqual([status, errors], [0, '']);
  const pid = pidIn(folder);
  assert.ok(pid !== undefined);
  process.kill(pid, 'SIGTERM');
  await ended(folder);
});

test('the reason of a failure that repeats the file holds no escape sequence', async (t) => {
  const { status, errors } = await call(t, {
    configuration: 'Retransmits=1\nListen-on=x\u001b[31m\n',
    words: ['-f', '/nowhere/\u001b[31mfifo'],
  });
  assert.equal(status, 1);
  assert.ok(!errors.includes('\u001b'), JSON.stringify(errors));
});
