import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddressFamily, OptionLevel, SocketOption, SocketType } from '../../../src/kernel/linux-sockets.ts';
import { nativeAddonFault } from '../../../src/kernel/native/native.ts';
import { NativeSocket } from '../../../src/kernel/native/native-socket.ts';
import { toEndpoint, toSocketAddress } from '../../../src/kernel/udp/endpoint-bytes.ts';
import { steerIke } from '../../../src/kernel/userland/steering.ts';

const LOOPBACK = '127.0.0.1';

/** A socket that shares its port; `next` resolves with the datagram that it gets next. */
const shared = (port: number): { readonly socket: NativeSocket; readonly next: () => Promise<string> } => {
  const socket = NativeSocket.open({ family: AddressFamily.INET, type: SocketType.DGRAM, protocol: 17 });
  socket.setInteger(OptionLevel.SOCKET, SocketOption.REUSEPORT, 1);
  socket.bind(toSocketAddress({ address: LOOPBACK, port }));
  const seen: string[] = [];
  let wake: (() => void) | undefined;
  socket.startReading(
    { maxSize: 100, batch: 8 },
    {
      onBatch: (batch) => {
        for (let i = 0; i < batch.count; i++) seen.push(Buffer.from(batch.bytes(i)).toString('latin1'));
        wake?.();
      },
      onError: (error) => {
        throw error;
      },
    },
  );
  const next = async (): Promise<string> => {
    while (seen.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return seen.shift() ?? '';
  };
  return { socket, next };
};

describe('two sockets on the NAT-T port', { skip: nativeAddonFault() ?? false }, () => {
  it('get IKE and what is too short for ESP, and ESP; one that is alone gets all', async () => {
    const ike = shared(0);
    const port = toEndpoint(ike.socket.localName())?.port ?? 0;
    const sender = NativeSocket.open({ family: AddressFamily.INET, type: SocketType.DGRAM, protocol: 17 });
    const send = (text: string): void => {
      sender.send(Buffer.from(text, 'latin1'), toSocketAddress({ address: LOOPBACK, port }));
    };
    steerIke(ike.socket);
    send('\x01\x02\x03\x04 alone');
    assert.equal(await ike.next(), '\x01\x02\x03\x04 alone');
    const esp = shared(port);
    for (let i = 0; i < 20; i++) {
      const [message, packet] = [`\0\0\0\0 message ${i}`, `\0\0\0\x01 packet ${i}`];
      for (const text of [message, packet, 'x', 'xyz', '\xff']) send(text);
      assert.deepEqual(
        [await ike.next(), await ike.next(), await ike.next(), await ike.next()],
        [message, 'x', 'xyz', '\xff'],
      );
      assert.equal(await esp.next(), packet);
    }
    esp.socket.close();
    send('\x01\x02\x03\x04 alone again');
    assert.equal(await ike.next(), '\x01\x02\x03\x04 alone again');
    for (const socket of [ike.socket, sender]) socket.close();
  });
});
