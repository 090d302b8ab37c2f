/** Captures with a file that the test writes slowly, or not at all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Capture } from '../../../src/main/capture/capture.ts';
import { CAPTURE_FORMATS } from '../../../src/shared/capture/formats.ts';
import type { CapturedMessage } from '../../../src/shared/capture/packet.ts';
import { pcapFileHeader } from '../../../src/shared/capture/pcap.ts';
import { SystemError } from '../../../src/shared/errors.ts';

const END = { address: '192.0.2.1', port: 500 };
const message = (size: number): CapturedMessage => ({
  path: { local: END, remote: END, encapsulated: false },
  isSent: true,
  bytes: new Uint8Array(size),
});

/** `append` stands for the disk of a capture without keys. */
const bench = (append: (bytes: Uint8Array) => Promise<void>) => {
  const logged: string[] = [];
  const opened: string[] = [];
  const switched: boolean[] = [];
  const capture = new Capture({
    format: CAPTURE_FORMATS.pcap,
    open: async (path, header) => {
      assert.deepEqual(header, pcapFileHeader());
      opened.push(path);
      if (path === '/elsewhere') throw new SystemError('capture file /elsewhere: not allowed');
      return { path, append, close: async () => undefined };
    },
    onSwitch: (wanted) => void switched.push(wanted !== undefined),
    log: ({ text }) => logged.push(text),
    wallClock: () => 0,
    now: () => 0,
  });
  return { capture, logged, opened, switched };
};

test('one capture at a time: the second start says which file is open', async () => {
  const { capture, logged } = bench(async () => undefined);
  await capture.start('/run/a');
  await capture.start('/run/b');
  await capture.stop();
  assert.deepEqual(logged, [
    'log_packet_init: starting IKE packet capture to file "/run/a"',
    'log_packet_restart: capture already active on file "/run/a"',
    'log_packet_stop: stopped capture',
  ]);
});

test('the lanes hand out messages from start to stop', async () => {
  const { capture, switched } = bench(async () => undefined);
  await capture.start(undefined);
  await capture.stop();
  assert.deepEqual(switched, [true, false]);
});

test('a start without name uses the last one that worked', async () => {
  const { capture, opened } = bench(async () => undefined);
  for (const path of ['/run/a', '/elsewhere', undefined]) {
    await capture.start(path);
    await capture.close();
  }
  assert.deepEqual(opened, ['/run/a', '/elsewhere', '/run/a']);
});

test('a refused file is one line, and nothing is captured', async () => {
  const { capture, logged, switched } = bench(async () => undefined);
  await capture.start('/elsewhere');
  assert.deepEqual([logged, switched], [['log_packet_init: capture file /elsewhere: not allowed'], []]);
});

test('stop without a capture says so; the end of the daemon does not', async () => {
  const { capture, logged } = bench(async () => undefined);
  await capture.close();
  await capture.stop();
  assert.deepEqual(logged, ['log_packet_stop: no capture is active']);
});

test('stop waits for everything that was recorded', async () => {
  const sizes: number[] = [];
  const { capture } = bench(async (bytes) => void sizes.push(bytes.length));
  await capture.start(undefined);
  for (const size of [100, 200, 300]) capture.record(message(size));
  await capture.stop();
  const headers = 3 * (16 + 4 + 20 + 8);
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    600 + headers,
  );
});

test('threats "unbounded queue": behind a disk that hangs messages are dropped, counted, and told of at stop', async () => {
  let goOn: () => void = () => undefined;
  const hanging = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let written = 0;
  const { capture, logged } = bench(async (bytes) => {
    await hanging;
    written += bytes.length;
  });
  await capture.start(undefined);
  for (let i = 0; i < 200; i++) capture.record(message(60_000));
  goOn();
  await capture.stop();
  const kept = written / (60_000 + 48);
  assert.ok(kept < 200 && written <= 8 * 2 ** 20);
  assert.deepEqual(logged.slice(1), [
    'log_packet_iov: 1 messages are missing in the capture: the disk is too slow',
    'log_packet_stop: stopped capture',
    `log_packet_iov: ${200 - kept} messages are missing in the capture: the disk is too slow`,
  ]);
});

test('a full disk ends the capture with one line; another one can be started', async () => {
  const { capture, logged, switched } = bench(() => Promise.reject(new SystemError('ENOSPC: no space left on device')));
  await capture.start('/run/a');
  capture.record(message(1));
  await capture.close();
  await capture.start(undefined);
  assert.deepEqual(logged, [
    'log_packet_init: starting IKE packet capture to file "/run/a"',
    'log_packet_iov: capture to file "/run/a" ended: ENOSPC: no space left on device',
    'log_packet_init: starting IKE packet capture to file "/run/a"',
  ]);
  assert.equal(switched.at(-1), true);
});

/** A capture with keys; `disk` gets what is written, and says no to whom it does not like. */
const benchWithKeys = (disk: (path: string, bytes: Uint8Array) => Promise<void>, refused = '') => {
  const logged: string[] = [];
  const done: string[] = [];
  const capture = new Capture({
    format: CAPTURE_FORMATS.pcapng,
    open: async (path, header) => {
      if (path === refused) throw new SystemError(`capture file "${path}" is refused`);
      done.push(`open ${path} ${header[0]}`);
      return {
        path,
        append: (bytes) => disk(path, bytes),
        close: async () => void done.push(`close ${path}`),
      };
    },
    onSwitch: (wanted) => void done.push(`switch ${wanted?.withKeys}`),
    log: ({ text }) => logged.push(text),
    wallClock: () => 0,
    now: () => 0,
  });
  return { capture, logged, done };
};
const COOKIE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const KEY = Uint8Array.of(0xaa, 0xbb);
const LINE = '0102030405060708,aabb\n';

test('with keys both files are open before the lanes are switched on, and the second line says that one holds keys', async () => {
  const { capture, logged, done } = benchWithKeys(async () => undefined);
  await capture.start('/run/a');
  await capture.stop();
  assert.deepEqual(done, [
    'open /run/a 10',
    'open /run/a.ikev1_decryption_table 35',
    'switch true',
    'switch undefined',
    'close /run/a',
    'close /run/a.ikev1_decryption_table',
  ]);
  assert.deepEqual(logged, [
    'log_packet_init: starting IKE packet capture to file "/run/a"',
    'log_packet_init: file "/run/a.ikev1_decryption_table" gets the key of every ISAKMP SA',
    'log_packet_stop: stopped capture',
  ]);
});

test('a table that is refused ends it: the capture is closed, the lanes hear of nothing', async () => {
  const table = '/run/a.ikev1_decryption_table';
  const { capture, logged, done } = benchWithKeys(async () => undefined, table);
  await capture.start('/run/a');
  capture.recordKey(COOKIE, KEY);
  assert.deepEqual(done, ['open /run/a 10', 'close /run/a']);
  assert.deepEqual(logged, [`log_packet_init: capture file "${table}" is refused`]);
});

test('a key is one line of the table; what was written is erased', async () => {
  const written: string[] = [];
  const buffers: Uint8Array[] = [];
  const { capture } = benchWithKeys(async (path, bytes) => {
    written.push(`${path} ${Buffer.from(bytes).toString('latin1')}`);
    buffers.push(bytes);
  });
  await capture.start('/run/a');
  capture.recordKey(COOKIE, KEY);
  capture.recordKey(COOKIE, KEY);
  await capture.stop();
  assert.deepEqual(written, [`/run/a.ikev1_decryption_table ${LINE}`, `/run/a.ikev1_decryption_table ${LINE}`]);
  for (const bytes of buffers) assert.ok(bytes.every((byte) => byte === 0));
  assert.deepEqual(KEY, Uint8Array.of(0xaa, 0xbb));
});

test('a capture without keys writes none', async () => {
  let written = 0;
  const { capture } = bench(async ({ length }) => {
    written += length;
  });
  await capture.start(undefined);
  capture.recordKey(COOKIE, KEY);
  await capture.stop();
  assert.equal(written, 0);
});

test('a table that cannot be written ends the capture, which can be started again', async () => {
  const { capture, logged, done } = benchWithKeys(async (path) => {
    if (path.endsWith('table')) throw new SystemError('ENOSPC: no space left on device');
  });
  await capture.start('/run/a');
  capture.record(message(1));
  capture.recordKey(COOKIE, KEY);
  await new Promise(setImmediate);
  assert.equal(done.at(-1), 'close /run/a.ikev1_decryption_table');
  await capture.start(undefined);
  assert.deepEqual(logged.slice(2, 4), [
    'log_packet_iov: capture to file "/run/a.ikev1_decryption_table" ended: ENOSPC: no space left on device',
    'log_packet_init: starting IKE packet capture to file "/run/a"',
  ]);
  assert.deepEqual(done.slice(2), [
    'switch true',
    'switch undefined',
    'close /run/a',
    'close /run/a.ikev1_decryption_table',
    'open /run/a 10',
    'open /run/a.ikev1_decryption_table 35',
    'switch true',
  ]);
});

test('behind a disk that hangs keys are dropped and counted as well', async () => {
  let goOn: () => void = () => undefined;
  const hanging = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let written = 0;
  const { capture, logged } = benchWithKeys(async (_path, bytes) => {
    await hanging;
    written += bytes.length;
  });
  const longKey = new Uint8Array(1 << 20);
  await capture.start('/run/a');
  for (let i = 0; i < 10; i++) capture.recordKey(COOKIE, longKey);
  capture.recordKey(COOKIE, KEY);
  goOn();
  await capture.stop();
  const longLine = 2 * longKey.length + 18;
  assert.equal(written, 3 * longLine + LINE.length);
  assert.deepEqual(logged.slice(2), [
    'log_packet_iov: 1 keys are missing in the decryption table: the disk is too slow',
    'log_packet_stop: stopped capture',
    'log_packet_iov: 7 keys are missing in the decryption table: the disk is too slow',
  ]);
});
