import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { OptionLevel } from '../../../src/kernel/linux-sockets.ts';
import type { NativeSocket } from '../../../src/kernel/native/native-socket.ts';
import type { PacketBatch } from '../../../src/kernel/native/packet-batch.ts';
import { openNativeUdp } from '../../../src/kernel/udp/native-udp.ts';
import type { UdpSocket } from '../../../src/kernel/udp/udp-socket.ts';
import { ip, NEEDS_ADDON, openDevice } from '../../helpers/native.ts';

const SO_SNDBUF = 7;
const COUNT = 40;
const REMOTE = { address: '198.18.78.2', port: 9 };

/** A socket with the smallest send buffer. Its peer does not answer ARP, so that datagrams stay in the buffer. */
const smallSocket = async (t: TestContext): Promise<UdpSocket> => {
  const socket = await openNativeUdp({ family: 4, address: '198.18.78.1', port: 0 });
  t.after(() => socket.close());
  socket.setOption(OptionLevel.SOCKET, SO_SNDBUF, new Uint8Array(4));
  return socket;
};

const answerArp = ({ interfaceName = '' }: NativeSocket): void =>
  ip('neigh', 'replace', REMOTE.address, 'lladdr', '02:00:00:00:00:02', 'dev', interfaceName, 'nud', 'permanent');

/** The first byte of each datagram to REMOTE that leaves: Ethernet has 14 bytes, IPv4 20, UDP 8. */
const leaving = (device: NativeSocket, count: number): Promise<readonly number[]> =>
  new Promise((resolve) => {
    const numbers: number[] = [];
    const onBatch = (batch: PacketBatch): void => {
      for (let i = 0; i < batch.count; i++) {
        const frame = batch.bytes(i);
        if (frame[12] === 8 && frame[13] === 0 && frame[23] === 17) numbers.push(frame[42] ?? -1);
      }
      if (numbers.length >= count) resolve(numbers);
    };
    device.startReading({ maxSize: 2048, batch: 64 }, { onBatch, onError: assert.ifError });
  });

describe('a full send buffer', NEEDS_ADDON, () => {
  it('has datagrams wait, in order, until there is room', async (t) => {
    const device = openDevice(t, 'tap', '198.18.78.1/30');
    if (device === undefined) return;
    const socket = await smallSocket(t);
    const faults: string[] = [];
    for (let i = 0; i < COUNT; i++) socket.send(Uint8Array.of(i), REMOTE, ({ message }) => faults.push(message));
    const left = leaving(device, COUNT);
    answerArp(device);
    assert.deepEqual(
      await left,
      Array.from({ length: COUNT }, (_, i) => i),
    );
    assert.deepEqual(faults, []);
  });

  it('drops what is beyond a thousand, and says so', async (t) => {
    const device = openDevice(t, 'tap', '198.18.78.1/30');
    if (device === undefined) return;
    const socket = await smallSocket(t);
    const faults: string[] = [];
    for (let i = 0; i < 1100; i++) socket.send(Uint8Array.of(i), REMOTE, ({ message }) => faults.push(message));
    assert.ok(faults.length > 50 && faults.length < 76, `${faults.length}`);
    assert.equal(new Set(faults).size, 1);
    assert.equal(faults[0], 'EAGAIN: the send buffer is full');
    await socket.close();
    assert.throws(() => socket.setOption(OptionLevel.SOCKET, SO_SNDBUF, new Uint8Array(4)), { code: 'EBADF' });
  });
});
