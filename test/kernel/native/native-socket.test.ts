import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { AddressFamily, OptionLevel, SocketOption, SocketType } from '../../../src/kernel/linux-sockets.ts';
import { NativeSocket } from '../../../src/kernel/native/native-socket.ts';
import type { PacketBatch } from '../../../src/kernel/native/packet-batch.ts';
import { packSocketAddress, unpackSocketAddress } from '../../../src/kernel/sockaddr.ts';
import { InvariantError, SystemError } from '../../../src/shared/errors.ts';
import { boundUdp, loopback, NEEDS_ADDON, nextOf, portOf, udp } from '../../helpers/native.ts';

const closing = (t: TestContext, socket: NativeSocket): NativeSocket => {
  t.after(() => socket.close());
  return socket;
};

const batchOf = async (socket: NativeSocket, options?: { maxSize?: number; batch?: number }): Promise<PacketBatch> => {
  const next = await nextOf(socket, options);
  return 'batch' in next ? next.batch : assert.fail(`${next.error}`);
};

describe('sockets of the addon', NEEDS_ADDON, () => {
  it('keep datagrams apart, the empty one too, and tell where each is from', async (t) => {
    const [receiver, sender] = [closing(t, boundUdp()), closing(t, boundUdp(9))];
    const to = loopback(portOf(receiver));
    for (const text of ['one', '', 'three']) sender.send(Buffer.from(text), to);
    sender.send([Buffer.from('fo'), Buffer.from(''), Buffer.from('ur')], to);
    const batch = await batchOf(receiver);
    const texts = Array.from({ length: batch.count }, (_, i) => Buffer.from(batch.bytes(i)).toString());
    assert.deepEqual(texts, ['one', '', 'three', 'four']);
    const expected = { address: Uint8Array.of(127, 0, 0, 9), port: portOf(sender), scope: 0 };
    for (let i = 0; i < 4; i++) assert.deepEqual(unpackSocketAddress(batch.source(i)), expected);
    assert.equal(batch.destination(0).length, 0);
    assert.throws(() => batch.bytes(4), InvariantError);
  });

  it('say which datagram was cut', async (t) => {
    const [receiver, sender] = [closing(t, boundUdp()), closing(t, boundUdp())];
    for (const length of [8, 9]) sender.send(new Uint8Array(length).fill(length), loopback(portOf(receiver)));
    const batch = await batchOf(receiver, { maxSize: 8 });
    assert.deepEqual([batch.isTruncated(0), batch.bytes(0).length], [false, 8]);
    assert.deepEqual([batch.isTruncated(1), [...batch.bytes(1)]], [true, Array(8).fill(9)]);
  });

  it('read no more at a time than they were told', async (t) => {
    const [receiver, sender] = [closing(t, boundUdp()), closing(t, boundUdp())];
    for (let i = 0; i < 10; i++) sender.send(Uint8Array.of(i), loopback(portOf(receiver)));
    const counts: number[] = [];
    await new Promise<void>((resolve) => {
      receiver.startReading(
        { maxSize: 8, batch: 4 },
        {
          onBatch: ({ count }) => {
            counts.push(count);
            if (counts.reduce((sum, each) => sum + each) === 10) resolve();
          },
          onError: (error) => assert.fail(error),
        },
      );
    });
    assert.deepEqual(counts, [4, 4, 2]);
  });

  for (const [family, any, addresses] of [
    [4, new Uint8Array(4), [Uint8Array.of(127, 0, 0, 7), Uint8Array.of(127, 0, 0, 8)]],
    [6, new Uint8Array(16), [Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0))]],
  ] as const) {
    it(`tell where a datagram was sent to, and answer from there (IPv${family})`, async (t) => {
      const open = (): NativeSocket => {
        const domain = family === 4 ? AddressFamily.INET : AddressFamily.INET6;
        const socket = closing(t, NativeSocket.open({ family: domain, type: SocketType.DGRAM, protocol: 0 }));
        socket.bind(packSocketAddress({ address: any, port: 0, scope: 0 }));
        return socket;
      };
      const server = open();
      server.askForDestination(family);
      const clients = addresses.map((address) => {
        const client = open();
        client.send(Uint8Array.of(address.at(-1) ?? 0), packSocketAddress({ address, port: portOf(server), scope: 0 }));
        return client;
      });
      let answered = 0;
      const onBatch = (batch: PacketBatch): void => {
        for (let i = 0; i < batch.count; i++) {
          const address = batch.destination(i);
          assert.equal(address.at(-1), batch.bytes(i)[0]);
          assert.ok(batch.interfaceIndex(i) > 0);
          server.send(batch.bytes(i), batch.source(i), { address, interfaceIndex: batch.interfaceIndex(i) });
          answered++;
        }
      };
      server.startReading({ maxSize: 8, batch: 64 }, { onBatch, onError: (error) => assert.fail(error) });
      for (const [index, client] of clients.entries()) {
        const answer = await batchOf(client);
        assert.deepEqual(unpackSocketAddress(answer.source(0))?.address, addresses[index]);
      }
      assert.equal(answered, addresses.length);
    });
  }

  it('send from no address that is not ours', (t) => {
    const sender = closing(t, boundUdp());
    const source = { address: Uint8Array.of(192, 0, 2, 1), interfaceIndex: 0 };
    assert.throws(
      () => sender.send(Uint8Array.of(1), loopback(9), source),
      (fault) => {
        assert.ok(fault instanceof SystemError);
        // It depends on whether the kernel has a route.
        assert.match(fault.message, /^(EINVAL: invalid argument|ENETUNREACH: network is unreachable), sendmsg$/);
        return true;
      },
    );
  });

  it('give options back as they were set', (t) => {
    const socket = closing(t, udp());
    socket.setInteger(OptionLevel.SOCKET, SocketOption.REUSEADDR, 1);
    assert.deepEqual([...socket.getOption(OptionLevel.SOCKET, SocketOption.REUSEADDR, 8)], [1, 0, 0, 0]);
    assert.deepEqual([...socket.getOption(OptionLevel.SOCKET, SocketOption.REUSEADDR, 2)], [1, 0]);
  });

  it('may be closed in their own callback, with more to read', async (t) => {
    const [receiver, sender] = [boundUdp(), closing(t, boundUdp())];
    for (let i = 0; i < 10; i++) sender.send(Uint8Array.of(i), loopback(portOf(receiver)));
    let calls = 0;
    await new Promise<void>((resolve) => {
      receiver.startReading(
        { maxSize: 8, batch: 2 },
        {
          onBatch: () => {
            calls++;
            receiver.close();
            receiver.close();
            setImmediate(() => setImmediate(resolve));
          },
          onError: (error) => assert.fail(error),
        },
      );
    });
    assert.equal(calls, 1);
    assert.throws(() => receiver.localName(), { code: 'EBADF' });
  });

  it('tell the error of a peer that is not there, and read on', async (t) => {
    const [receiver, vanished] = [closing(t, boundUdp()), boundUdp()];
    const port = portOf(vanished);
    vanished.close();
    receiver.connect(loopback(port));
    receiver.send(Uint8Array.of(1));
    const events: string[] = [];
    const done = new Promise<void>((resolve) => {
      const onBatch = (batch: PacketBatch): void => {
        events.push(`read ${batch.bytes(0)[0]}`);
        resolve();
      };
      const onError = ({ code }: SystemError, isOver: boolean): void => {
        events.push(`${code} ${isOver}`);
        const again = closing(t, udp());
        again.bind(loopback(port));
        again.send(Uint8Array.of(7), loopback(portOf(receiver)));
      };
      receiver.startReading({ maxSize: 8, batch: 8 }, { onBatch, onError });
    });
    await done;
    assert.deepEqual(events, ['ECONNREFUSED false', 'read 7']);
  });

  it('call when there is room to send, once', async (t) => {
    const socket = closing(t, boundUdp());
    await new Promise<void>((resolve) => socket.onceWritable(resolve));
    const second = new Promise<void>((resolve) => socket.onceWritable(resolve));
    assert.throws(() => socket.onceWritable(() => undefined), { code: 'EALREADY' });
    await second;
  });

  it('are read once', (t) => {
    const socket = closing(t, boundUdp());
    void nextOf(socket);
    assert.throws(
      () => socket.startReading({ maxSize: 1, batch: 1 }, { onBatch: () => undefined, onError: () => undefined }),
      {
        code: 'EALREADY',
      },
    );
  });

  it('receive a burst of 10,000 datagrams without losing one', async (t) => {
    const [receiver, sender] = [closing(t, boundUdp()), closing(t, boundUdp())];
    receiver.setReceiveBuffer(16 * 1024 * 1024);
    const size = new Uint32Array(receiver.getOption(OptionLevel.SOCKET, SocketOption.RCVBUF, 4).buffer)[0] ?? 0;
    if (size < 32 * 1024 * 1024) {
      t.skip('this user may not have a receive buffer of 16 MiB');
      return;
    }
    const [packet, to] = [new Uint8Array(300), loopback(portOf(receiver))];
    for (let i = 0; i < 10_000; i++) sender.send(packet, to);
    const total = await new Promise<number>((resolve) => {
      let received = 0;
      const onBatch = ({ count }: PacketBatch): void => {
        assert.ok(count <= 64);
        received += count;
        if (received === 10_000) resolve(received);
      };
      receiver.startReading({ maxSize: 2048, batch: 64 }, { onBatch, onError: (error) => assert.fail(error) });
    });
    assert.equal(total, 10_000);
  });
});
