/** As root of a virtual machine of its own: this flushes SAs and policies. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Flow, KernelBackend } from '../../../src/kernel/backend.ts';
import { AddressFamily, SocketType } from '../../../src/kernel/linux-sockets.ts';
import { NativeSocket } from '../../../src/kernel/native/native-socket.ts';
import { bypassOptions } from '../../../src/kernel/pfkey/bypass.ts';
import { AhTransform, EncapsulationMode, ProtocolId } from '../../../src/shared/constants/ipsec-doi.ts';
import { installPair, PfKeyVm } from '../../helpers/pfkey-vm.ts';
import { idOf, net } from '../../helpers/sample-flows.ts';
import {
  contextOf,
  flowOf,
  flushAll,
  HERE,
  ip,
  makeNetwork,
  PEER,
  peerPolicy,
  peerState,
  ping,
  policyCount,
  removeNetwork,
  saOf,
  socketAddress,
  stateOf,
  tunnelPeer,
} from '../../helpers/vm-network.ts';

let vm: PfKeyVm;
let backend: KernelBackend;

before(makeNetwork);
after(removeNetwork);

beforeEach(async () => {
  flushAll();
  vm = new PfKeyVm();
  backend = await vm.open();
});
afterEach(() => backend.close());

describe('flows by PF_KEY on a Linux kernel', { concurrency: false }, () => {
  it('tells of a packet without an SA, and lets it pass when it has one', async () => {
    tunnelPeer();
    await backend.putFlow(flowOf(7));
    assert.ok(!(await ping()));
    const { sequence, flow, source, destination } = await vm.acquires.next();
    assert.deepEqual({ flow, source, destination }, { flow: 7, source: HERE, destination: PEER });
    const [into, out] = await installPair(backend, 0x3001, contextOf({ acquire: sequence }));
    assert.ok(await ping(3));
    assert.equal((await backend.querySa(idOf(out))).packets, 3);
    const { packets, usedAt } = await backend.querySa(idOf(into));
    assert.equal(packets, 3);
    assert.ok(usedAt > 0);
  });

  it('sends through the pair that the flow names, and hears the old one', async () => {
    tunnelPeer();
    await backend.putFlow(flowOf(7));
    const [oldIn, oldOut] = await installPair(backend, 0x3001, contextOf());
    const newOut = saOf('out', 0x3012);
    peerState(newOut);
    await backend.addSa(newOut, contextOf({ reqid: 1002 }));
    await backend.putFlow(flowOf(7, { reqid: 1002 }));
    assert.ok(await ping(2));
    assert.equal((await backend.querySa(idOf(oldOut))).packets, 0);
    assert.equal((await backend.querySa(idOf(newOut))).packets, 2);
    assert.equal((await backend.querySa(idOf(oldIn))).packets, 2);
    assert.equal((await backend.listOwn()).policies.length, 1);
    assert.equal(policyCount(), 3);
    await backend.deleteFlow(7);
    await assert.rejects(backend.deleteFlow(7), { reason: 'missing' });
    assert.deepEqual((await backend.listOwn()).policies, []);
    assert.equal(policyCount(), 0);
  });

  it('protects ESP by AH in transport mode', async () => {
    const transport = { encapsulation: EncapsulationMode.TRANSPORT };
    const ah = { ...transport, protocolId: ProtocolId.IPSEC_AH, transformId: AhTransform.SHA };
    const sas = [
      saOf('in', 0x4001, transport),
      saOf('in', 0x4002, ah),
      saOf('out', 0x4003, transport),
      saOf('out', 0x4004, ah),
    ];
    for (const sa of sas) {
      peerState(sa);
      await backend.addSa(sa, contextOf());
    }
    const templates = ['tmpl', 'proto', 'esp', 'mode', 'transport', 'tmpl', 'proto', 'ah', 'mode', 'transport'];
    peerPolicy('out', `${PEER}/32`, `${HERE}/32`, ...templates);
    peerPolicy('in', `${HERE}/32`, `${PEER}/32`, ...templates);
    const host = (address: string): Flow['local'] => ({ address, prefixLength: 32, protocol: 0, port: 0 });
    const protocols = [ProtocolId.IPSEC_ESP, ProtocolId.IPSEC_AH];
    await backend.putFlow(flowOf(8, { local: host(HERE), remote: host(PEER), protocols, encapsulation: 'transport' }));
    assert.ok(await ping(2, HERE, PEER));
    for (const sa of sas) assert.equal((await backend.querySa(idOf(sa))).packets, 2);
  });

  it('carries IPv4 in IPv6', async () => {
    const outer = { source: 'fd09::1', destination: 'fd09::2' };
    const into = saOf('in', 0x4101, { source: outer.destination, destination: outer.source });
    const out = saOf('out', 0x4102, outer);
    for (const sa of [into, out]) peerState(sa, 'sel', 'src', '0.0.0.0/0', 'dst', '0.0.0.0/0');
    const selectors = { source: net('10.2.0.0'), destination: net('10.1.0.0') };
    await backend.addSa(into, contextOf({ selectors }));
    await backend.addSa(out, contextOf({ selectors: { source: net('10.1.0.0'), destination: net('10.2.0.0') } }));
    tunnelPeer(outer.destination, outer.source);
    await backend.putFlow(flowOf(9, { localAddress: outer.source, remoteAddress: outer.destination }));
    assert.ok(await ping(2));
    assert.equal((await backend.querySa(idOf(into))).packets, 2);
  });

  it('takes over and purges what a predecessor left, and nothing else', async () => {
    ip(
      'xfrm',
      'state',
      'add',
      'src',
      HERE,
      'dst',
      PEER,
      'proto',
      'esp',
      'spi',
      '0x9999',
      'reqid',
      '7',
      'mode',
      'tunnel',
      'enc',
      'ecb(cipher_null)',
      '',
      'auth',
      'hmac(sha1)',
      '0x2021222324252627282930313233343536373839',
    );
    ip(
      'xfrm',
      'policy',
      'add',
      'src',
      '10.3.0.0/24',
      'dst',
      '10.4.0.0/24',
      'dir',
      'out',
      'tmpl',
      'src',
      HERE,
      'dst',
      PEER,
      'proto',
      'esp',
      'reqid',
      '7',
      'mode',
      'tunnel',
    );
    await backend.putFlow(flowOf(7));
    await installPair(backend, 0x3001, contextOf());
    await backend.close();
    backend = await vm.open();
    const { sas, policies } = await backend.listOwn();
    assert.deepEqual(sas.map(({ id, source, reqid }) => `${id.spi} ${source} ${reqid}`).sort(), [
      `${0x3001} ${PEER} 1001`,
      `${0x3002} ${HERE} 1001`,
    ]);
    assert.deepEqual(
      policies.map(({ reqid }) => reqid),
      [1001],
    );
    await backend.putFlow(flowOf(12, { reqid: 1003 }));
    const foreign = flowOf(13, { local: net('10.3.0.0'), remote: net('10.4.0.0') });
    await assert.rejects(backend.putFlow(foreign), { reason: 'exists' });
    await assert.rejects(backend.putFlow(flowOf(14)), { reason: 'exists' });
    assert.deepEqual(
      (await backend.listOwn()).policies.map(({ reqid }) => reqid),
      [1003],
    );
    // The foreign one is the fourth.
    assert.equal(policyCount(), 4);
    await backend.purgeOwn();
    assert.deepEqual(await backend.listOwn(), { sas: [], policies: [] });
    assert.match(stateOf(0x9999), /reqid 7/);
    assert.match(ip('xfrm', 'policy'), /10\.3\.0\.0\/24/);
  });

  it('notices that everything was flushed: SAs are told, flows are made again', async () => {
    await backend.putFlow(flowOf(7));
    const [into, out] = await installPair(backend, 0x3001, contextOf());
    ip('xfrm', 'policy', 'flush');
    ip('xfrm', 'state', 'flush');
    const gone = await vm.lost.next();
    assert.deepEqual(gone.map(({ spi }) => spi).sort(), [into.spi, out.spi]);
    for (let looks = 0; policyCount() < 3; looks++) {
      assert.ok(looks < 100, 'the flow is not made again');
      await backend.listOwn();
    }
    assert.ok(!(await ping()));
    assert.equal((await vm.acquires.next()).flow, 7);
  });

  it('lets sockets of ours pass by all policies', async () => {
    await backend.putFlow(
      flowOf(7, {
        local: { address: HERE, prefixLength: 32, protocol: 0, port: 0 },
        remote: { address: PEER, prefixLength: 32, protocol: 0, port: 0 },
      }),
    );
    const socket = NativeSocket.open({ family: AddressFamily.INET, type: SocketType.DGRAM, protocol: 0 });
    const to = socketAddress(PEER, 500);
    for (const { level, option, value } of bypassOptions(4)) socket.setOption(level, option, value);
    socket.send(Uint8Array.of(1), to);
    socket.close();
    const six = NativeSocket.open({ family: AddressFamily.INET6, type: SocketType.DGRAM, protocol: 0 });
    for (const { level, option, value } of bypassOptions(6)) six.setOption(level, option, value);
    six.close();
    const plain = NativeSocket.open({ family: AddressFamily.INET, type: SocketType.DGRAM, protocol: 0 });
    plain.send(Uint8Array.of(1), to);
    plain.close();
    assert.equal((await vm.acquires.next()).flow, 7);
    assert.equal(vm.acquires.waiting, 0);
  });
});
