import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { nativeAddon } from '../../../src/kernel/native/native.ts';
import { boundUdp, loopback, NEEDS_ADDON, nextOf } from '../../helpers/native.ts';

const THREAD = new URL('../../helpers/native-thread.js', import.meta.url);

interface Thread {
  readonly worker: Worker;
  readonly port: number;
  /** Its exit code, or what it threw. */
  readonly ended: Promise<unknown>;
}

const start = async (how: string): Promise<Thread> => {
  const worker = new Worker(THREAD, { workerData: how });
  const ended = new Promise((resolve) => worker.once('error', resolve).once('exit', resolve));
  const [port] = await once(worker, 'message');
  return { worker, port, ended };
};

const echo = async (t: TestContext, port: number): Promise<void> => {
  const socket = boundUdp();
  t.after(() => socket.close());
  socket.send(Uint8Array.of(4, 2), loopback(port));
  const next = await nextOf(socket);
  assert.deepEqual('batch' in next && [...next.batch.bytes(0)], [4, 2]);
};

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

describe('the addon in threads', NEEDS_ADDON, () => {
  it('works in several at once, and lets each end while it reads', async (t) => {
    const threads = await Promise.all(['terminate', 'terminate', 'close', 'exit'].map(start));
    await Promise.all(threads.map(({ port }) => echo(t, port)));
    const [first, second] = threads;
    await first?.worker.terminate();
    // The others, and we, go on.
    if (second !== undefined) await echo(t, second.port);
    await second?.worker.terminate();
    assert.deepEqual(await Promise.all(threads.map(({ ended }) => ended)), [1, 1, 0, 3]);
  });

  it('has what a callback throws end its thread, as a listener would', async (t) => {
    const { port, ended } = await start('throw');
    await echo(t, port);
    assert.match(String(await ended), /^RangeError: thrown in a callback$/);
  });

  it('leaves no descriptor behind when a thread ends', async (t) => {
    await (await start('terminate')).worker.terminate();
    const before = openDescriptors();
    for (let i = 0; i < 5; i++) {
      const { worker, port } = await start('terminate');
      if (i % 2 === 0) await echo(t, port);
      await worker.terminate();
    }
    // The echoing sockets are closed after the test.
    assert.equal(openDescriptors() - 3, before);
  });

  it('closes what was collected', async () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const before = openDescriptors();
    for (let i = 0; i < 50; i++) nativeAddon().openSocket(2, 2, 0);
    assert.ok(openDescriptors() >= before + 50);
    for (let i = 0; i < 20 && openDescriptors() > before; i++) {
      collect();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    assert.equal(openDescriptors(), before);
  });
});
