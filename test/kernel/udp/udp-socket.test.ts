import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { OptionLevel, SocketOption } from '../../../src/kernel/linux-sockets.ts';
import type { OpenUdp, UdpSocket } from '../../../src/kernel/udp/udp-socket.ts';
import type { Endpoint } from '../../../src/shared/address.ts';
import { UDP_KINDS } from '../../helpers/udp-kinds.ts';

interface Received {
  readonly text: string;
  readonly remote: Endpoint;
}

/** So many datagrams, in the order in which they came. */
const received = (socket: UdpSocket, count: number): Promise<readonly Received[]> =>
  new Promise((resolve) => {
    const all: Received[] = [];
    socket.receive({
      onDatagram: (bytes, remote) => {
        all.push({ text: Buffer.from(bytes).toString(), remote });
        if (all.length === count) resolve(all);
      },
      onError: assert.ifError,
    });
  });

const sendTo = (from: UdpSocket, remote: Endpoint, ...parts: readonly string[]): void =>
  from.send(
    parts.map((part) => Buffer.from(part)),
    remote,
    (error) => assert.fail(error),
  );

const faultOf = (socket: UdpSocket, remote: Endpoint): Promise<Error> =>
  new Promise((resolve) => socket.send(Uint8Array.of(1), remote, resolve));

for (const { name, open, options } of UDP_KINDS) {
  describe(name, options, () => sharedSuite(open));
}

function sharedSuite(open: OpenUdp): void {
  const bound = async (t: TestContext, address = '127.0.0.1'): Promise<UdpSocket> => {
    const family = address.includes(':') ? 6 : 4;
    const socket = await open({ family, address, port: 0 });
    t.after(() => socket.close());
    return socket;
  };

  it('carries datagrams of several parts, in order, and tells who sent them', async (t) => {
    const [one, other] = [await bound(t), await bound(t, '127.0.0.5')];
    sendTo(other, one.local, 'a', '', 'bc');
    sendTo(other, one.local, '');
    sendTo(other, one.local, 'x'.repeat(60_000));
    const all = await received(one, 3);
    assert.deepEqual(
      all.map(({ text }) => text),
      ['abc', '', 'x'.repeat(60_000)],
    );
    for (const { remote } of all) assert.deepEqual(remote, other.local);
  });

  it('hands out bytes that the next datagram leaves alone', async (t) => {
    const [one, other] = [await bound(t), await bound(t)];
    const kept: Uint8Array[] = [];
    const both = new Promise<void>((resolve) => {
      one.receive({ onDatagram: (bytes) => kept.push(bytes) === 2 && resolve(), onError: assert.ifError });
    });
    sendTo(other, one.local, 'first');
    sendTo(other, one.local, 'other');
    await both;
    assert.deepEqual(
      kept.map((bytes) => String(Buffer.from(bytes))),
      ['first', 'other'],
    );
  });

  it('speaks IPv6', async (t) => {
    const [one, other] = [await bound(t, '::1'), await bound(t, '::1')];
    sendTo(other, one.local, 'six');
    assert.deepEqual(await received(one, 1), [{ text: 'six', remote: other.local }]);
  });

  it('binds to no zone that does not exist', async () => {
    await assert.rejects(open({ family: 6, address: 'fe80::1%nowhere', port: 0 }), Error);
  });

  it('hands out nothing after it was closed, not even what had come', async (t) => {
    const [one, other] = [await bound(t), await bound(t)];
    for (let i = 0; i < 10; i++) sendTo(other, one.local, String(i));
    const texts: string[] = [];
    await new Promise<void>((resolve) => {
      const onDatagram = (bytes: Uint8Array): void => {
        texts.push(String(Buffer.from(bytes)));
        void one.close().then(resolve);
      };
      one.receive({ onDatagram, onError: assert.ifError });
    });
    await new Promise<void>((resolve) => setImmediate(resolve));
    assert.deepEqual(texts, ['0']);
  });

  it('gives the port back when it is closed', async (t) => {
    const socket = await bound(t);
    const { local } = socket;
    const again = (): Promise<UdpSocket> => open({ family: 4, ...local });
    await assert.rejects(again(), { code: 'EADDRINUSE' });
    const fresh = await open({ family: 4, address: '127.0.0.1', port: 0 });
    await fresh.close();
    await (await open({ family: 4, ...fresh.local })).close();
  });

  it('tells why a datagram cannot be sent, and sends the next', async (t) => {
    const [one, other] = [await bound(t), await bound(t)];
    for (const remote of [
      { address: '127.0.0.1', port: 0 },
      { address: '127.0.0.1', port: 65_536 },
      { address: '::1', port: 9 },
    ]) {
      const error = await faultOf(one, remote);
      assert.ok('code' in error && typeof error.code === 'string', `${error}`);
    }
    const tooLong = new Promise<Error>((resolve) => one.send(new Uint8Array(65_536), other.local, resolve));
    assert.ok('code' in (await tooLong) && (await tooLong).message.includes('EMSGSIZE'));
    sendTo(one, other.local, 'well');
    assert.equal((await received(other, 1))[0]?.text, 'well');
  });
}

describe('options', () => {
  const value = new Uint8Array(Int32Array.of(1).buffer);

  for (const { name, open, options } of UDP_KINDS) {
    it(`are set ${name}, or refused with the reason`, options, async () => {
      const socket = await open({ family: 4, address: '127.0.0.1', port: 0 });
      const set = (): void => socket.setOption(OptionLevel.SOCKET, SocketOption.REUSEADDR, value);
      if (name === 'over dgram') assert.throws(set, /^SystemError: ENOSYS: .* without the native addon$/);
      else set();
      await socket.close();
    });
  }
});
