import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { openUdpSocket, type UdpRequest } from '../../../src/main/privileged/udp-socket.ts';
import { SystemError } from '../../../src/shared/errors.ts';

const REQUEST: UdpRequest = { family: 4, address: '127.0.0.1', port: 0, shared: false };

const closing = (t: TestContext, socket: Socket): Socket => {
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

test('a socket is bound to its address and receives', async (t) => {
  const port = await freePort();
  const socket = closing(t, await openUdpSocket({ ...REQUEST, port }));
  assert.deepEqual(socket.address(), { address: '127.0.0.1', family: 'IPv4', port });
  const message = once(socket, 'message');
  closing(t, createSocket('udp4')).send('hello', port, '127.0.0.1');
  const [bytes] = await message;
  assert.equal(String(bytes), 'hello');
});

test('a port that is taken is a SystemError of one line', async (t) => {
  const port = await freePort();
  closing(t, await openUdpSocket({ ...REQUEST, port }));
  await assert.rejects(openUdpSocket({ ...REQUEST, port }), (fault) => {
    assert.ok(fault instanceof SystemError);
    assert.match(fault.message, new RegExp(`^cannot listen on 127\\.0\\.0\\.1 port ${port}: .*EADDRINUSE`));
    return true;
  });
});

test('a wildcard socket and a specific one share a port when both say so', async (t) => {
  const port = await freePort();
  closing(t, await openUdpSocket({ ...REQUEST, port, shared: true }));
  closing(t, await openUdpSocket({ ...REQUEST, address: '0.0.0.0', port, shared: true }));
});

test('an IPv6 wildcard socket leaves IPv4 alone', async (t) => {
  const port = await freePort();
  try {
    closing(t, await openUdpSocket({ family: 6, address: '::', port, shared: false }));
  } catch (fault) {
    if (fault instanceof SystemError) return t.skip(fault.message);
    throw fault;
  }
  closing(t, await openUdpSocket({ ...REQUEST, address: '0.0.0.0', port }));
});

test('ports below 1024 other than 500 are not asked of the system', async () => {
  await assert.rejects(openUdpSocket({ ...REQUEST, port: 53 }), /cannot listen on 127\.0\.0\.1 port 53: only port 500/);
});

test('an address that is not ours is a SystemError', async () => {
  await assert.rejects(
    openUdpSocket({ ...REQUEST, address: '192.0.2.1', port: 45_000 }),
    /port 45000: .*EADDRNOTAVAIL/,
  );
});
