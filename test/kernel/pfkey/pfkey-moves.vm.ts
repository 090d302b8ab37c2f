/** As root of a virtual machine of its own: this flushes SAs and policies. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { KernelBackend } from '../../../src/kernel/backend.ts';
import { AddressFamily, SocketType } from '../../../src/kernel/linux-sockets.ts';
import { NativeSocket } from '../../../src/kernel/native/native-socket.ts';
import { EncapsulationMode } from '../../../src/shared/constants/ipsec-doi.ts';
import { installPair, PfKeyVm } from '../../helpers/pfkey-vm.ts';
import { idOf } from '../../helpers/sample-flows.ts';
import {
  contextOf,
  ELSEWHERE,
  flowOf,
  flushAll,
  HERE,
  makeNetwork,
  PEER,
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

describe('SAs by PF_KEY whose peer moves', { concurrency: false }, () => {
  it('tells once that the peer is behind another port, and moves its SAs there', async () => {
    const socket = NativeSocket.open({ family: AddressFamily.INET, type: SocketType.DGRAM, protocol: 0 });
    socket.bind(socketAddress(HERE, 4500));
    socket.setInteger(IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP);
    tunnelPeer();
    await backend.putFlow(flowOf(7));
    const [into, out, natted] = [saOf('in', 0x6001), saOf('out', 0x6002), saOf('out', 0x6003)];
    peerState(into, 'encap', 'espinudp', '4501', '4500', '0.0.0.0');
    peerState(out);
    const udp = { source: 4500, destination: 4500 };
    await backend.addSa(into, contextOf({ udp }));
    await backend.addSa(natted, contextOf({ udp, reqid: 1002 }));
    await backend.addSa(out, contextOf());
    assert.ok(await ping(3));
    const [here, there] = [
      { address: HERE, port: 4500 },
      { address: PEER, port: 4501 },
    ];
    assert.deepEqual(await vm.mappings.next(), { id: idOf(into), source: there });
    assert.deepEqual(await backend.moveSa(idOf(into), there, here), idOf(into));
    assert.deepEqual(await backend.moveSa(idOf(natted), here, there), idOf(natted));
    assert.match(stateOf(natted.spi), /espinudp sport 4500 dport 4501/);
    assert.match(stateOf(into.spi), /espinudp sport 4501 dport 4500/);
    assert.ok(await ping(3));
    assert.equal((await backend.querySa(idOf(into))).packets, 6);
    assert.match(stateOf(into.spi), /seq 0x6/);
    assert.equal(vm.mappings.waiting, 0);
    socket.close();
  });

  it('moves SAs to another address with their keys and sequence numbers', async () => {
    for (const encapsulation of [EncapsulationMode.TUNNEL, EncapsulationMode.TRANSPORT]) {
      const spi = 0x7000 + 16 * encapsulation;
      const [into, out] = [saOf('in', spi, { encapsulation }), saOf('out', spi + 1, { encapsulation })];
      await backend.addSa(into, contextOf());
      await backend.addSa(out, contextOf());
      const [here, there] = [
        { address: HERE, port: 500 },
        { address: ELSEWHERE, port: 500 },
      ];
      const keysBefore = /enc .*/.exec(stateOf(out.spi))?.[0];
      assert.deepEqual(await backend.moveSa(idOf(out), here, there), { ...idOf(out), destination: ELSEWHERE });
      assert.deepEqual(await backend.moveSa(idOf(into), there, here), idOf(into));
      assert.match(stateOf(out.spi), /^src 10\.9\.0\.1 dst 10\.9\.0\.3/);
      assert.match(stateOf(into.spi), /^src 10\.9\.0\.3 dst 10\.9\.0\.1/);
      assert.equal(/enc .*/.exec(stateOf(out.spi))?.[0], keysBefore);
      await assert.rejects(backend.querySa(idOf(out)), { reason: 'missing' });
      assert.equal(policyCount(), 0);
    }
  });

  it('moves an SA that carries packets, which go on where they were', async () => {
    tunnelPeer();
    await backend.putFlow(flowOf(7));
    const [into, out] = await installPair(backend, 0x8001, contextOf());
    assert.ok(await ping(3));
    const before = await backend.querySa(idOf(out));
    const moved = await backend.moveSa(idOf(out), { address: HERE, port: 500 }, { address: ELSEWHERE, port: 500 });
    assert.match(stateOf(out.spi), /oseq 0x3/);
    assert.deepEqual(await backend.querySa(moved), before);
    const there = await backend.moveSa(idOf(into), { address: ELSEWHERE, port: 500 }, { address: HERE, port: 500 });
    assert.match(stateOf(into.spi), /anti-replay context: seq 0x3/);
    assert.equal((await backend.querySa(there)).packets, 3);
  });
});

/** linux/udp.h */
const IPPROTO_UDP = 17;
const UDP_ENCAP = 100;
const UDP_ENCAP_ESPINUDP = 2;
