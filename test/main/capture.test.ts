/** Captures with a file that the test writes slowly, or not at all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Capture } from '../../src/main/capture.ts';
import { type CapturedMessage, pcapFileHeader } from '../../src/shared/capture/pcap.ts';
import { SystemError } from '../../src/shared/errors.ts';

const END = { address: '192.0.2.1', port: 500 };
const message = (size: number): CapturedMessage => ({
  path: { local: END, remote: END, encapsulated: false },
  isSent: true,
  bytes: new Uint8Array(size),
});

/** `append` stands for the disk. */
const bench = (append: (bytes: Uint8Array) => Promise<void>) => {
  const logged: string[] = [];
  const opened: (string | undefined)[] = [];
  const switched: boolean[] = [];
  const capture = new Capture({
    open: async (path, header) => {
      assert.deepEqual(header, pcapFileHeader());
      opened.push(path);
      if (path === '/elsewhere') throw new SystemError('capture file /elsewhere: not allowed');
      return { path: path ?? '/run/isakmpd.pcap', append, close: async () => undefined };
    },
    onSwitch: (isOn) => switched.push(isOn),
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
