import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { KernelBackend } from '../../../src/kernel/backend.ts';
import { MessageType } from '../../../src/kernel/pfkey/constants.ts';
import type { Extension } from '../../../src/kernel/pfkey/extension.ts';
import { policiesOf, policyRequest } from '../../../src/kernel/pfkey/policy-requests.ts';
import { flowOf, PfKeyBed } from '../../helpers/pfkey-bed.ts';
import { settled } from '../../helpers/pfkey-socket.ts';
import { net } from '../../helpers/sample-flows.ts';

let bed: PfKeyBed;
let backend: KernelBackend;

beforeEach(async () => {
  bed = new PfKeyBed();
  backend = await bed.open();
  bed.kernel.logged();
});

describe('flows by PF_KEY', () => {
  it('are three policies, which go when the flow goes', async () => {
    await backend.putFlow(flowOf(1));
    assert.deepEqual(
      [...bed.kernel.policies.values()].map(({ policy }) => policy.direction),
      [2, 1, 3],
    );
    assert.equal((await backend.listOwn()).policies.length, 1);
    await backend.deleteFlow(1);
    assert.equal(bed.kernel.policies.size, 0);
    await assert.rejects(backend.deleteFlow(1), { reason: 'missing' });
  });

  it('between two IPv6 hosts come with policies for neighbour discovery, which a flush takes and a loss brings back', async () => {
    const host = (address: string) => ({ address, prefixLength: 128, protocol: 0, port: 0 });
    const ends = { localAddress: 'fd09::1', remoteAddress: 'fd09::2', local: host('fd09::1'), remote: host('fd09::2') };
    await backend.putFlow(flowOf(1, ends));
    const made = [...bed.kernel.policies.keys()].sort();
    assert.equal(made.length, 3 + 10);
    assert.equal((await backend.listOwn()).policies.length, 1);
    bed.kernel.policies.clear();
    bed.kernel.socket.say({ type: MessageType.X_SPDFLUSH, pid: 99 });
    for (let i = 0; i < 12; i++) await settled();
    assert.deepEqual([...bed.kernel.policies.keys()].sort(), made);
    await backend.deleteFlow(1);
    assert.equal(bed.kernel.policies.size, 0);
    await backend.putFlow(flowOf(1, ends));
    await backend.purgeOwn();
    assert.equal(bed.kernel.policies.size, 0);
  });

  it('with the same selectors are updated in place', async () => {
    await backend.putFlow(flowOf(1));
    const index = bed.outIndex();
    bed.kernel.logged();
    await backend.putFlow(flowOf(1, { reqid: 1002 }));
    assert.deepEqual(bed.kernel.logged(), ['X_SPDUPDATE', 'X_SPDUPDATE', 'X_SPDUPDATE']);
    assert.equal(bed.outIndex(), index);
  });

  it('with other selectors are made before the old ones go', async () => {
    await backend.putFlow(flowOf(1));
    bed.kernel.logged();
    await backend.putFlow(flowOf(1, { remote: net('10.3.0.0') }));
    assert.deepEqual(bed.kernel.logged(), [...Array(3).fill('X_SPDADD'), ...Array(3).fill('X_SPDDELETE')]);
    assert.equal(bed.kernel.policies.size, 3);
  });

  it('change one after the other', async () => {
    await Promise.all([backend.putFlow(flowOf(1)), backend.putFlow(flowOf(1, { reqid: 1002 })), backend.deleteFlow(1)]);
    assert.equal(bed.kernel.policies.size, 0);
  });

  it('of others are not touched, and nothing stays of ours', async () => {
    const [, into] = policiesOf(flowOf(9, { reqid: 7 }));
    assert.ok(into);
    keep(policyRequest(MessageType.X_SPDADD, into).extensions);
    await assert.rejects(backend.putFlow(flowOf(1)), { reason: 'exists', message: /somebody else/ });
    assert.equal(bed.kernel.policies.size, 1);
    await backend.purgeOwn();
    assert.equal(bed.kernel.policies.size, 1);
    bed.kernel.policies.clear();
    await backend.putFlow(flowOf(1));
  });

  it('of ours with the same selectors are not replaced by another', async () => {
    await backend.putFlow(flowOf(1));
    await assert.rejects(backend.putFlow(flowOf(2)), { reason: 'exists', message: /flow 1 of ours/ });
    await backend.deleteFlow(1);
    await backend.putFlow(flowOf(2));
  });

  it('that a predecessor left are taken over', async () => {
    await backend.putFlow(flowOf(1));
    const next = await bed.open();
    await next.putFlow(flowOf(5, { reqid: 1003 }));
    assert.equal((await next.listOwn()).policies.length, 1);
    bed.acquire(4, bed.outIndex());
    assert.deepEqual(bed.flows(), [5]);
    await next.purgeOwn();
    assert.equal(bed.kernel.policies.size, 0);
  });

  it('are there though the answer was lost', async () => {
    bed.kernel.losses.set(MessageType.X_SPDADD, 3);
    await bed.withTime(backend.putFlow(flowOf(1)));
    bed.acquire(1, bed.outIndex());
    assert.deepEqual(bed.flows(), [1]);
    bed.kernel.losses.set(MessageType.X_SPDDELETE, 1);
    await bed.withTime(backend.deleteFlow(1));
    assert.equal(bed.kernel.policies.size, 0);
  });

  it('are made again when somebody has flushed them', async () => {
    await backend.putFlow(flowOf(1));
    bed.kernel.policies.clear();
    bed.kernel.socket.say({ type: MessageType.X_SPDFLUSH, pid: 99 });
    for (let i = 0; i < 12; i++) await settled();
    assert.equal(bed.kernel.policies.size, 3);
    bed.acquire(1, bed.outIndex());
    assert.deepEqual(bed.flows(), [1]);
  });

  const keep = (extensions: readonly Extension[]): void => {
    bed.kernel.socket.onSent({
      type: MessageType.X_SPDADD,
      errno: 0,
      saType: 0,
      sequence: 1,
      pid: 1,
      reserved: 0,
      extensions,
    });
  };
});
