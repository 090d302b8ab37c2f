import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { openDgramUdp } from '../../../src/kernel/udp/dgram-udp.ts';
import { openNativeUdp } from '../../../src/kernel/udp/native-udp.ts';
import type { OpenUdp, UdpRequest, UdpSocket } from '../../../src/kernel/udp/udp-socket.ts';
import { IKE_STEERING } from '../../../src/kernel/userland/steering.ts';
import { openUdpSocket } from '../../../src/main/privileged/udp-socket.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import { NEEDS_ADDON } from '../../helpers/native.ts';
import { until } from '../../helpers/two-gates.ts';
import { UDP_KINDS } from '../../helpers/udp-kinds.ts';

const REQUEST: UdpRequest = { family: 4, address: '127.0.0.1', port: 0 };

const closing = (t: TestContext, socket: UdpSocket): UdpSocket => {
  t.after(() => socket.close());
  return socket;
};

/** A port that was free a moment ago. */
const freePort = async (): Promise<number> => {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
};

it('shares a port only over the native addon', async () => {
  await assert.rejects(openUdpSocket({ ...REQUEST, steering: IKE_STEERING }, openDgramUdp), SystemError);
});

it('threats: two sockets of a port get what their steering says', NEEDS_ADDON, async (t) => {
  const port = await freePort();
  const request = { ...REQUEST, port, steering: IKE_STEERING };
  const received: string[] = [];
  const both = await Promise.all(['IKE', 'ESP'].map(() => openUdpSocket(request, openNativeUdp)));
  both.forEach((socket, index) => {
    const onDatagram = (bytes: Uint8Array) => received.push(`${index === 0 ? 'IKE' : 'ESP'} ${bytes.length}`);
    closing(t, socket).receive({ onDatagram, onError: assert.ifError });
  });
  const peer = createSocket('udp4');
  t.after(() => peer.close());
  // A keepalive, the non-ESP marker with a byte, an SPI with a byte.
  for (const bytes of [[0xff], [0, 0, 0, 0, 1], [1, 2, 3, 4, 5, 6]])
    peer.send(Uint8Array.from(bytes), port, '127.0.0.1');
  await until('three datagrams', () => received.length === 3);
  assert.deepEqual(received.toSorted(), ['ESP 6', 'IKE 1', 'IKE 5']);
});

for (const { name, open, options } of UDP_KINDS) {
  describe(name, options, () => sharedSuite(open));
}

function sharedSuite(open: OpenUdp): void {
  it('binds a socket to its address, which receives', async (t) => {
    const port = await freePort();
    const socket = closing(t, await openUdpSocket({ ...REQUEST, port }, open));
    assert.deepEqual(socket.local, { address: '127.0.0.1', port });
    const text = new Promise<string>((resolve) => {
      socket.receive({ onDatagram: (bytes) => resolve(Buffer.from(bytes).toString()), onError: assert.ifError });
    });
    const peer = createSocket('udp4');
    t.after(() => peer.close());
    peer.send('hello', port, '127.0.0.1');
    assert.equal(await text, 'hello');
  });

  it('answers a port that is taken with a SystemError of one line', async (t) => {
    const port = await freePort();
    closing(t, await openUdpSocket({ ...REQUEST, port }, open));
    await assert.rejects(openUdpSocket({ ...REQUEST, port }, open), (fault) => {
      assert.ok(fault instanceof SystemError);
      assert.match(fault.message, new RegExp(`^cannot listen on 127\\.0\\.0\\.1 port ${port}: .*EADDRINUSE[^\n]*$`));
      assert.equal(fault.code, 'EADDRINUSE');
      return true;
    });
  });

  it('leaves IPv4 alone with an IPv6 wildcard socket', async (t) => {
    const port = await freePort();
    try {
      closing(t, await openUdpSocket({ family: 6, address: '::', port }, open));
    } catch (fault) {
      if (fault instanceof SystemError) return t.skip(fault.message);
      throw fault;
    }
    closing(t, await openUdpSocket({ ...REQUEST, address: '0.0.0.0', port }, open));
  });

  it('asks the system for no port below 1024 other than 500', async () => {
    const message = /cannot listen on 127\.0\.0\.1 port 53: only port 500/;
    await assert.rejects(openUdpSocket({ ...REQUEST, port: 53 }, open), message);
  });

  it('answers an address that is not ours with a SystemError', async () => {
    await assert.rejects(openUdpSocket({ ...REQUEST, address: '192.0.2.1', port: 45_000 }, open), (fault) => {
      assert.ok(fault instanceof SystemError);
      assert.deepEqual([fault.code, /port 45000: .*EADDRNOTAVAIL/.test(fault.message)], ['EADDRNOTAVAIL', true]);
      return true;
    });
  });
}
