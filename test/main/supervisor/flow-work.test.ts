/** Policies on their way into a slow or unwilling kernel. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KernelError } from '../../../src/kernel/backend.ts';
import { createNoneBackend } from '../../../src/kernel/none/none-backend.ts';
import { FlowWork } from '../../../src/main/supervisor/flow-work.ts';
import type { Flow } from '../../../src/shared/flow.ts';
import { createDebugLevels } from '../../../src/shared/log/classes.ts';

const flow = (reqid: number, id = 1): Flow => ({
  id,
  reqid,
  local: { address: '10.1.0.0', prefixLength: 16, protocol: 0, port: 0 },
  remote: { address: '10.2.0.0', prefixLength: 16, protocol: 17, port: 53 },
  localAddress: '192.0.2.1',
  remoteAddress: '198.51.100.1',
  protocols: [3],
  encapsulation: 'tunnel',
  route: { mark: 0, markMask: 0, interfaceId: 0 },
});

/** A kernel that answers when it is told to. */
const rig = () => {
  const calls: string[] = [];
  const waiting: { readonly resolve: () => void; readonly reject: (fault: unknown) => void }[] = [];
  const call = (text: string): Promise<void> => {
    calls.push(text);
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
  const logged: string[] = [];
  const refused: number[] = [];
  const work = new FlowWork({
    kernel: {
      putFlow: ({ id, reqid }) => call(`put ${id} ${reqid}`),
      deleteFlow: (id) => call(`delete ${id}`),
      removeLeftovers: async () => {
        await call('leftovers');
        return 2;
      },
      capabilities: { ...createNoneBackend().capabilities, routes: false },
    },
    log: ({ text }) => logged.push(text),
    levels: createDebugLevels(),
    onRefusal: (id) => refused.push(id),
  });
  const answer = async (fault?: unknown): Promise<void> => {
    const one = waiting.shift();
    assert.ok(one);
    if (fault === undefined) one.resolve();
    else one.reject(fault);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { work, calls, logged, refused, answer };
};

test('what is wanted of a flow while a call for it runs waits, and only the latest of it is done', async () => {
  const { work, calls, answer } = rig();
  for (const reqid of [7, 8, 9]) work.put(flow(reqid));
  assert.deepEqual(calls, ['put 1 7']);
  await answer();
  assert.deepEqual(calls, ['put 1 7', 'put 1 9']);
  work.remove(1);
  await answer();
  await answer();
  assert.deepEqual(calls, ['put 1 7', 'put 1 9', 'delete 1']);
  assert.equal(work.running, 0);
});

test('flows do not wait for each other', () => {
  const { work, calls } = rig();
  work.put(flow(7, 1));
  work.put(flow(8, 2));
  assert.deepEqual(calls, ['put 1 7', 'put 2 8']);
  assert.equal(work.running, 2);
});

test('a refusal is logged once until the kernel takes the flow, and told every time', async () => {
  const { work, logged, refused, answer } = rig();
  for (const fault of [new KernelError('exists', 'somebody has it'), new KernelError('exists', 'somebody has it')]) {
    work.put(flow(7));
    await answer(fault);
  }
  const line = 'kernel: put flow 1 from 10.1.0.0/16 to 10.2.0.0/16 proto 17 port 53 by 198.51.100.1: somebody has it';
  assert.deepEqual(logged, [line]);
  assert.deepEqual(refused, [1, 1]);
  work.put(flow(7));
  await answer();
  work.put(flow(8));
  await answer(new RangeError('out of luck'));
  assert.equal(logged.length, 2);
});

test('a flow that is gone already is no fault, another failure to delete is logged', async () => {
  const { work, logged, refused, answer } = rig();
  work.remove(1);
  await answer(new KernelError('missing', 'no such policy'));
  assert.deepEqual(logged, []);
  work.remove(1);
  await answer(new KernelError('failed', 'no memory'));
  assert.deepEqual(logged, ['kernel: delete flow 1: no memory']);
  assert.deepEqual(refused, []);
});

test('a flow for marked packets is not put where it would be for all packets', async () => {
  const { work, calls, logged, refused } = rig();
  work.put({ ...flow(7), route: { mark: 1, markMask: 1, interfaceId: 0 } });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(calls, []);
  assert.match(logged[0] ?? '', /Mark and Interface-id need XFRM/);
  assert.deepEqual(refused, [1]);
});

test('what a predecessor left goes when every flow is there, and not while one was refused', async () => {
  const { work, calls, logged, answer } = rig();
  work.put(flow(7));
  const first = work.removeLeftovers();
  assert.deepEqual(calls, ['put 1 7']);
  await answer(new KernelError('failed', 'no'));
  assert.equal(await first, false);
  work.put(flow(7));
  const second = work.removeLeftovers();
  await answer();
  assert.deepEqual(calls, ['put 1 7', 'put 1 7', 'leftovers']);
  await answer();
  assert.equal(await second, true);
  assert.match(logged.at(-1) ?? '', /^kernel: 2 policies that a predecessor left .* are removed$/);
});

test('a kernel that keeps what a predecessor left is complained about', async () => {
  const { work, logged, answer } = rig();
  const done = work.removeLeftovers();
  await new Promise((resolve) => setImmediate(resolve));
  await answer(new KernelError('failed', 'ENOMEM'));
  assert.equal(await done, true);
  assert.deepEqual(logged, ['kernel: remove policies that a predecessor left: ENOMEM']);
});
