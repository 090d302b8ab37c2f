import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import type { OpenUdp } from '../../../src/kernel/udp/udp-socket.ts';
import { createUdpSockets, type UdpSockets, type UdpSocketsOptions } from '../../../src/main/network/sockets.ts';
import { openUdpSocket } from '../../../src/main/privileged/udp-socket.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import { createDebugLevels } from '../../../src/shared/log/classes.ts';
import type { Path } from '../../../src/shared/threads/contract.ts';
import { UDP_KINDS } from '../../helpers/udp-kinds.ts';

interface Received {
  readonly path: Path;
  readonly bytes: Uint8Array;
}

/** Two ports that were free a moment ago. */
const freePorts = async (): Promise<readonly [number, number]> => {
  const sockets = await Promise.all([bound(), bound()]);
  const [a, b] = sockets.map((socket) => socket.address().port);
  for (const socket of sockets) socket.close();
  return [a ?? 0, b ?? 0];
};

const bound = async (address = '127.0.0.1', port = 0): Promise<Socket> => {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.bind(port, address);
  await once(socket, 'listening');
  return socket;
};

class Bench {
  readonly lines: string[] = [];
  readonly sockets: UdpSockets;
  readonly port: number;
  readonly encapsulationPort: number;
  #received: Received[] = [];
  #wake: () => void = () => undefined;

  constructor(
    t: TestContext,
    open: OpenUdp,
    ports: readonly [number, number],
    options: Partial<UdpSocketsOptions> = {},
  ) {
    [this.port, this.encapsulationPort] = ports;
    this.sockets = createUdpSockets({
      levels: createDebugLevels(),
      privileged: { openUdpSocket: (request) => openUdpSocket(request, open) },
      log: { write: (record) => void this.lines.push(`${record.severity} ${record.text}`) },
      port: this.port,
      encapsulationPort: this.encapsulationPort,
      families: [4, 6],
      onDatagram: (path, bytes) => {
        this.#received.push({ path, bytes });
        this.#wake();
      },
      ...options,
    });
    t.after(() => this.sockets.close());
  }

  async next(): Promise<Received> {
    while (this.#received.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#received.shift() ?? assert.fail();
  }
}

for (const { name, open, options } of UDP_KINDS) {
  describe(name, options, () => sharedSuite(open));
}

function sharedSuite(open: OpenUdp): void {
  it('tells where a datagram came from and which of our addresses it was sent to', async (t) => {
    const bench = new Bench(t, open, await freePorts());
    await bench.sockets.listen(['127.0.0.1', '127.0.0.2']);
    const peer = await bound();
    t.after(() => peer.close());
    const remote = { address: '127.0.0.1', port: peer.address().port };
    for (const [address, port, encapsulated] of [
      ['127.0.0.2', bench.port, false],
      ['127.0.0.1', bench.encapsulationPort, true],
    ] as const) {
      peer.send(Uint8Array.of(1, 2), port, address);
      const { path, bytes } = await bench.next();
      assert.deepEqual(path, { local: { address, port }, remote, encapsulated });
      assert.deepEqual([...bytes], [1, 2]);
    }
  });

  it('answers from the address that was asked, with the marker on the NAT-T port alone', async (t) => {
    const bench = new Bench(t, open, await freePorts());
    await bench.sockets.listen(['127.0.0.2']);
    const peer = await bound();
    t.after(() => peer.close());
    const remote = { address: '127.0.0.1', port: peer.address().port };
    for (const [port, encapsulated, expected] of [
      [bench.port, false, [7, 8]],
      [bench.encapsulationPort, true, [0, 0, 0, 0, 7, 8]],
    ] as const) {
      bench.sockets.send({ local: { address: '127.0.0.2', port }, remote, encapsulated }, Uint8Array.of(7, 8));
      const [bytes, from] = await once(peer, 'message');
      assert.deepEqual([[...bytes], from.address, from.port], [expected, '127.0.0.2', port]);
    }
  });

  it('listens on addresses of the families allowed, and on no wildcard', async (t) => {
    const ports = await freePorts();
    const bench = new Bench(t, open, ports, { families: [4] });
    await bench.sockets.listen(['127.0.0.1', '127.0.0.3', '::1', '0.0.0.0']);
    assert.deepEqual(
      bench.sockets.endpoints(),
      ['127.0.0.1', '127.0.0.3'].flatMap((address) => ports.map((port) => ({ address, port }))),
    );
  });

  it('takes IPv6 addresses', async (t) => {
    const bench = new Bench(t, open, await freePorts());
    try {
      await bench.sockets.listen(['::1']);
    } catch {
      t.skip('no IPv6 here');
      return;
    }
    const peer = await bound('::1');
    t.after(() => peer.close());
    peer.send(Uint8Array.of(5), bench.port, '::1');
    const { path } = await bench.next();
    bench.sockets.send(path, Uint8Array.of(6));
    const [bytes] = await once(peer, 'message');
    assert.deepEqual([[...bytes], path.local], [[6], { address: '::1', port: bench.port }]);
  });

  it('names address, port and reason of a port that is taken, and goes on with the others', async (t) => {
    const ports = await freePorts();
    const bench = new Bench(t, open, ports);
    const other = await bound('127.0.0.1', ports[0]);
    t.after(() => other.close());
    await bench.sockets.listen(['127.0.0.1', '127.0.0.2']);
    const opened = bench.sockets.endpoints().map(({ address, port }) => `${address} ${port}`);
    const [own, encapsulation] = ports;
    assert.deepEqual(
      opened.toSorted(),
      [`127.0.0.1 ${encapsulation}`, `127.0.0.2 ${own}`, `127.0.0.2 ${encapsulation}`].toSorted(),
    );
    assert.equal(bench.lines.length, 1);
    assert.match(bench.lines[0] ?? '', new RegExp(`^error cannot listen on 127.0.0.1 port ${own}: .*EADDRINUSE`));
  });

  it('rejects when its own port is taken everywhere, though the NAT-T port is free', async (t) => {
    const ports = await freePorts();
    const bench = new Bench(t, open, ports);
    const other = await bound('127.0.0.1', ports[0]);
    t.after(() => other.close());
    await assert.rejects(
      bench.sockets.listen(['127.0.0.1']),
      new RegExp(`cannot listen on 127.0.0.1 port ${ports[0]}: .*EADDRINUSE`),
    );
    assert.deepEqual(bench.lines, []);
  });

  it('has no one else listen on the same address and port', async (t) => {
    const ports = await freePorts();
    const [one, other] = [new Bench(t, open, ports), new Bench(t, open, ports)];
    await one.sockets.listen(['127.0.0.1']);
    await assert.rejects(other.sockets.listen(['127.0.0.1']), SystemError);
  });

  it('answers which addresses are not ours yet, without a line about them, and opens the others', async (t) => {
    const bench = new Bench(t, open, await freePorts());
    assert.deepEqual(await bench.sockets.listen(['203.0.113.1']), ['203.0.113.1']);
    assert.deepEqual(await bench.sockets.listen([]), []);
    assert.deepEqual(await bench.sockets.listen(['203.0.113.1', '127.0.0.1']), ['203.0.113.1']);
    assert.equal(bench.sockets.endpoints().length, 2);
    assert.deepEqual(bench.lines, []);
  });

  it('says once that an address cannot be had, and again when it could be meanwhile', async (t) => {
    const ports = await freePorts();
    const bench = new Bench(t, open, ports);
    const other = await bound('127.0.0.1', ports[0]);
    for (let i = 0; i < 3; i++) await bench.sockets.listen(['127.0.0.1', '127.0.0.2']);
    assert.equal(bench.lines.length, 1);
    other.close();
    await once(other, 'close');
    await bench.sockets.listen(['127.0.0.1', '127.0.0.2']);
    await bench.sockets.listen(['127.0.0.2']);
    const next = await bound('127.0.0.1', ports[0]);
    t.after(() => next.close());
    await bench.sockets.listen(['127.0.0.1', '127.0.0.2']);
    assert.equal(bench.lines.length, 2);
  });

  it('opens new addresses and closes vanished ones at a rescan, and leaves the others open', async (t) => {
    const bench = new Bench(t, open, await freePorts());
    await bench.sockets.listen(['127.0.0.1', '127.0.0.2']);
    await Promise.all([bench.sockets.listen(['127.0.0.2']), bench.sockets.listen(['127.0.0.2', '127.0.0.3'])]);
    const addresses = bench.sockets.endpoints().map(({ address }) => address);
    assert.deepEqual(addresses, ['127.0.0.2', '127.0.0.2', '127.0.0.3', '127.0.0.3']);
    assert.deepEqual(bench.lines, []);
  });

  it('says so when it cannot send', async (t) => {
    const bench = new Bench(t, open, await freePorts());
    await bench.sockets.listen(['127.0.0.1']);
    const local = { address: '127.0.0.1', port: bench.port };
    const away = { local: { ...local, address: '127.0.0.9' }, remote: local, encapsulated: false };
    bench.sockets.send(away, Uint8Array.of(1));
    assert.match(bench.lines[0] ?? '', /from 127.0.0.9 port \d+: we do not listen there any more$/);
    bench.sockets.send({ local, remote: { ...local, port: 0 }, encapsulated: false }, Uint8Array.of(1));
    assert.match(bench.lines[1] ?? '', /^error cannot send to 127.0.0.1 port 0 /);
  });

  it('knows our address for a peer, as far as we listen there', async (t) => {
    const bench = new Bench(t, open, await freePorts());
    await bench.sockets.listen(['127.0.0.1']);
    assert.equal(await bench.sockets.localAddressFor('127.0.0.8'), '127.0.0.1');
    await bench.sockets.listen(['127.0.0.2']);
    assert.equal(await bench.sockets.localAddressFor('127.0.0.8'), '127.0.0.2');
    assert.equal(await bench.sockets.localAddressFor('2001:db8::1'), undefined);
  });

  it('has our address chosen by the kernel where we listen on several', async (t) => {
    const bench = new Bench(t, open, await freePorts());
    await bench.sockets.listen(['127.0.0.2', '127.0.0.1']);
    assert.equal(await bench.sockets.localAddressFor('127.0.0.8'), '127.0.0.1');
  });

  it('opens no port for encapsulated IKE where NAT traversal is off', async (t) => {
    const bench = new Bench(t, open, await freePorts(), { encapsulationPort: undefined });
    await bench.sockets.listen(['127.0.0.1']);
    assert.deepEqual(bench.sockets.endpoints(), [{ address: '127.0.0.1', port: bench.port }]);
  });
}
