/** The supervisor between core, lanes, kernel and table; and the two daemons' worth of it in convergence.test.ts. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KernelError } from '../../../src/kernel/backend.ts';
import { createNoneBackend } from '../../../src/kernel/none/none-backend.ts';
import { SaFlag, SaRole } from '../../../src/shared/sa-table/rows.ts';
import type { IpsecSa } from '../../../src/shared/threads/contract.ts';
import { EPOCH, ISAKMP, SupervisorRig, settled } from '../../helpers/supervisor-rig.ts';

const isZeroed = ({ encryptionKey, authenticationKey }: IpsecSa): boolean =>
  [...encryptionKey, ...authenticationKey].every((byte) => byte === 0);

test('at start the active connections are brought up, by a lane that has the policy of their peer', () => {
  const rig = new SupervisorRig();
  rig.supervisor.tell({ kind: 'reconfigured' });
  assert.equal(rig.events('startPhase1').length, 1);
  assert.deepEqual(rig.ensured, ['0 peer-a']);
  assert.ok(rig.changes > 0);
});

test('SAs are added in order, the lane is told when the kernel has them, and their keys are zeroed', async () => {
  const order: string[] = [];
  const rig = new SupervisorRig({
    addSa: async ({ direction, encryptionKey }) => {
      order.push(`${direction} ${encryptionKey[0]}`);
    },
  });
  const { sas } = rig.install(3);
  assert.equal(rig.events('installed').length, 0);
  await settled();
  assert.deepEqual(order, ['in 1', 'out 1']);
  assert.deepEqual(rig.events('installed'), [{ kind: 'installed', exchange: 3 }]);
  assert.ok(sas.every(isZeroed));
});

test('when the kernel refuses one SA, those before it are removed and the exchange hears the reason', async () => {
  const removed: number[] = [];
  const rig = new SupervisorRig({
    addSa: async ({ direction }) => {
      if (direction === 'out') throw new KernelError('unsupported', 'no such algorithm');
    },
    deleteSa: async ({ spi }) => {
      removed.push(spi);
    },
  });
  const { agreement, sas } = rig.install(3);
  await settled();
  assert.deepEqual(removed, [agreement.protocols[0]?.spiIn]);
  assert.deepEqual(rig.events('refused'), [{ kind: 'refused', exchange: 3, reason: 'unsupported' }]);
  assert.ok(sas.every(isZeroed));
  assert.equal(rig.supervisor.counts.larval, 0);
});

test('a connection with a mark gets no SA of a kernel that would ignore it', async () => {
  const added: number[] = [];
  const capabilities = { ...createNoneBackend().capabilities, routes: false };
  const rig = new SupervisorRig({ name: 'pfkey', capabilities, addSa: async ({ spi }) => void added.push(spi) });
  const { sas } = rig.install(3, { mark: 1, markMask: 1, interfaceId: 0 });
  await settled();
  assert.deepEqual(rig.events('refused'), [{ kind: 'refused', exchange: 3, reason: 'unsupported' }]);
  assert.ok(
    rig.logged.some(
      ({ text }) =>
        text === 'kernel: add SA: [net-a]:Mark and Interface-id need XFRM, pfkey has no route-based tunnels',
    ),
  );
  assert.deepEqual([added, sas.every(isZeroed)], [[], true]);
  rig.install(4);
  await settled();
  assert.equal(added.length, 2);
});

test('a kernel that fails in another way is logged, and the quick mode fails', async () => {
  const rig = new SupervisorRig({
    addSa: async () => {
      throw new RangeError('out of luck');
    },
  });
  rig.install(3);
  await settled();
  assert.equal(rig.events('refused')[0]?.reason, 'failed');
  assert.match(rig.logged[0]?.text ?? '', /^kernel: add SA: out of luck$/);
});

test('the inbound SA of an exchange that failed meanwhile is taken out again', async () => {
  const kernel = new Set<number>();
  let finish = (): void => {};
  const rig = new SupervisorRig({
    addSa: async ({ spi }) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      kernel.add(spi);
    },
    deleteSa: async ({ spi }) => {
      kernel.delete(spi);
    },
  });
  const { agreement } = rig.install(3);
  const failure = { cause: 'timeout', reason: 'no answer' } as const;
  const { connection } = agreement;
  rig.supervisor.laneEffect(0, {
    kind: 'phase2Failed',
    exchange: 3,
    request: 0,
    isakmp: ISAKMP,
    messageId: 0,
    connection,
    failure,
  });
  for (let i = 0; i < 2; i++) {
    finish();
    await settled();
  }
  assert.equal(kernel.size, 0);
  assert.equal(rig.events('installed').length, 0);
});

test('an established pair has one row, rewritten as it changes and freed when it ends', async () => {
  const rig = new SupervisorRig();
  rig.supervisor.tell({ kind: 'connect', name: 'net-a' });
  const agreement = await rig.establish(3);
  const [row] = rig.rows();
  assert.equal(rig.rows().length, 1);
  assert.equal(row?.phase, 2);
  assert.equal(row?.name, 'net-a');
  assert.equal(row?.flags, SaFlag.READY | SaFlag.STAYALIVE);
  assert.equal(row?.role, SaRole.INITIATOR);
  assert.equal(Buffer.from(row?.initiatorCookie ?? []).toString('hex'), ISAKMP.slice(0, 16));
  assert.equal(Buffer.from(row?.responderCookie ?? []).toString('hex'), ISAKMP.slice(16));
  assert.deepEqual([...(row?.remoteAddress ?? [])], [10, 0, 0, 1]);
  assert.equal(row?.remoteSelector, '172.16.1.1');
  assert.equal(row?.hardAt, rig.now + 1_000_000);
  assert.equal(row?.protocols[0]?.spiOut, agreement.protocols[0]?.spiOut);
  await rig.establish(4);
  assert.deepEqual(
    rig
      .rows()
      .map(({ flags }) => flags & SaFlag.REPLACED)
      .sort(),
    [0, SaFlag.REPLACED],
  );
  rig.supervisor.tell({ kind: 'teardown', phase: 2, target: { kind: 'name', name: 'net-a' } });
  assert.equal(rig.rows().length, 0);
});

test('a full table costs the listing, not the pair, and is said once', async () => {
  const rig = new SupervisorRig({}, 1);
  await rig.establish(3);
  await rig.establish(4);
  await rig.establish(5);
  assert.equal(rig.supervisor.counts.pairs, 3);
  assert.equal(rig.rows().length, 1);
  assert.equal(rig.logged.filter(({ event }) => event === 'table-full').length, 1);
});

test('the timers of the core run on the daemon clock', async () => {
  const rig = new SupervisorRig();
  await rig.establish(3);
  for (let next = rig.supervisor.nextDeadline(); next !== undefined; next = rig.supervisor.nextDeadline()) {
    rig.now = Math.max(next, rig.now);
    rig.supervisor.advance();
    if (rig.rows().length === 0) break;
  }
  assert.ok(rig.now >= 1_001_000);
});

test('first contact ends with the first SA of a peer', async () => {
  const rig = new SupervisorRig();
  assert.equal(rig.supervisor.firstContact('peer-a', { address: '10.0.0.1', port: 500 }), true);
  await rig.establish(3);
  assert.equal(rig.supervisor.firstContact('peer-a', { address: '10.0.0.1', port: 4500 }), false);
  assert.equal(rig.supervisor.firstContact('peer-a', { address: '10.0.0.9', port: 500 }), true);
});

test('a shutdown is over when all has been said', async () => {
  const rig = new SupervisorRig();
  rig.supervisor.tell({ kind: 'shutdown', deleteSas: true });
  await rig.supervisor.stopped;
  assert.equal(rig.supervisor.counts.timers, 0);
});

const expired = (packets: number) => ({ bytes: packets, packets, addedAt: 1, usedAt: packets });

test('what the kernel says reaches the connection core: a packet without SA, an SA that ended', async () => {
  const rig = new SupervisorRig();
  rig.supervisor.tell({ kind: 'reconfigured' });
  const agreement = await rig.establish(3);
  assert.equal(rig.rows().length, 1);
  const id = { protocolId: 3, spi: agreement.protocols[0]?.spiOut ?? 0, destination: '10.0.0.1' };
  rig.supervisor.upcalls.expire({ id, isHard: true, usage: expired(1) });
  assert.equal(rig.rows().length, 0);
  const asked = { sequence: 1, flow: undefined, reqid: 0, source: '192.0.2.1', destination: '10.0.0.9' };
  rig.supervisor.upcalls.acquire({ ...asked, policy: undefined, packet: undefined });
  assert.equal(rig.demands.length, 1);
});

test('the SAs of a peer that has moved are moved, all or as far as the kernel can', async () => {
  for (const canMove of [true, false]) {
    const rig = new SupervisorRig({
      moveSa: async (id, _source, { address }) => {
        if (!canMove) throw new KernelError('unsupported', 'no such thing');
        return { ...id, destination: address };
      },
    });
    const agreement = await rig.establish(3);
    const id = { protocolId: 3, spi: agreement.protocols[0]?.spiIn ?? 0, destination: '10.0.0.1' };
    const source = { address: '203.0.113.9', port: 4500 };
    rig.supervisor.upcalls.mapping({ id, source });
    await settled();
    await rig.supervisor.settled();
    assert.equal(rig.rows()[0]?.remoteAddress.join('.'), canMove ? '203.0.113.9' : '10.0.0.1');
    const complaints = rig.logged.filter(({ text }) => /^kernel: move SA .*: no such thing$/.test(text));
    assert.equal(complaints.length, canMove ? 0 : 2);
  }
});

test('a peer is asked whether it lives when the latest of its packets is old: the kernel names that by the wall clock, or does not know the SA', async () => {
  for (const [quietSeconds, isAsked] of [
    [10, false],
    [40, true],
    [undefined, true],
  ] as const) {
    const rig: SupervisorRig = new SupervisorRig({
      querySa: async () => {
        if (quietSeconds === undefined) throw new KernelError('missing', 'no such SA');
        return { bytes: 1, packets: 1, addedAt: 1, usedAt: (EPOCH + rig.now) / 1000 - quietSeconds };
      },
    });
    rig.view.deadPeerSeconds = 30;
    rig.supervisor.tell({ kind: 'reconfigured' });
    rig.establishPhase1();
    await rig.establish(3);
    rig.now += 30_000;
    rig.supervisor.advance();
    await settled();
    assert.equal(rig.events('probe').length, isAsked ? 1 : 0);
    assert.deepEqual(
      rig.logged.filter(({ text }) => text.includes('query SA')),
      [],
    );
  }
});

test('with Shared-SADB the other end may have added our outbound SA already, and no replay window is asked for', async () => {
  const windows: number[] = [];
  const removed: string[] = [];
  const rig = new SupervisorRig({
    addSa: async ({ direction, replayWindow }) => {
      windows.push(replayWindow);
      if (direction === 'out') throw new KernelError('exists', 'the other end has it');
    },
    deleteSa: async ({ spi }) => {
      removed.push(spi.toString(16));
    },
  });
  rig.isShared = true;
  const agreement = await rig.establish(3);
  assert.deepEqual(windows, [0, 0]);
  assert.equal(rig.rows().length, 1);
  rig.supervisor.tell({ kind: 'teardownAll' });
  await settled();
  assert.deepEqual(
    removed,
    [agreement.protocols[0]?.spiIn.toString(16)],
    'the outbound SA is the other end’s to remove',
  );
  rig.isShared = false;
  rig.install(4);
  await settled();
  assert.equal(rig.events('refused')[0]?.reason, 'exists');
});

test('settled waits for all that the kernel was asked', async () => {
  let answer: () => void = () => {};
  const rig = new SupervisorRig({
    addSa: () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  });
  rig.install(3);
  let isSettled = false;
  const wait = rig.supervisor.settled().then(() => {
    isSettled = true;
  });
  await settled();
  assert.equal(isSettled, false);
  answer();
  await settled();
  answer();
  await wait;
  assert.equal(rig.supervisor.counts.kernelCalls, 0);
});
