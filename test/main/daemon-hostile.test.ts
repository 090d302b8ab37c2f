/** A running daemon under packets that mean it no good (threats: parsing, DoS). */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Daemon, until } from '../../loadtest/daemon.ts';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import { LEFT, RIGHT, startAlone, startPair } from '../helpers/daemon-process.ts';
import { ScriptedPeer } from '../helpers/ike-script.ts';
import { sharedPath } from '../helpers/shared-folder.ts';

/** A socket on an address of its own, and what it received. */
const stranger = async (
  t: TestContext,
  address: string,
): Promise<{ readonly socket: Socket; readonly heard: Buffer[] }> => {
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  socket.bind(0, address);
  await once(socket, 'listening');
  const heard: Buffer[] = [];
  socket.on('message', (bytes) => heard.push(bytes));
  return { socket, heard };
};

const send = (socket: Socket, bytes: Uint8Array, port: number, address: string): Promise<void> =>
  new Promise((resolve) => socket.send(bytes, port, address, () => resolve()));

/** Resident memory, MB. */
const memoryOf = ({ pid }: Daemon): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

interface MalformedPacket {
  readonly name: string;
  readonly udpPayload: string;
}

/** A message that says nothing, under cookies of which the log will speak: the last of a row. */
const LAST = 'feedfacecafebeef0123456789abcdef';
const lastMessage = Buffer.concat([Buffer.from(LAST, 'hex'), Buffer.from('00100200000000000000001c', 'hex')]);
const LAST_LINE = 'invalid cookie(s) feedfacecafebeef 0123456789abcdef';

const KNOWN = '127.0.0.9';
const UNKNOWN = '127.0.0.10';
const CONFIGURATION = `[Phase 1]\n${KNOWN}=peer\n[peer]\nPhase=1\nAddress=${KNOWN}\nAuthentication=a secret\n`;

for (const [who, address] of [
  ['a peer', KNOWN],
  ['a stranger', UNKNOWN],
] as const) {
  test(`vectors/malformed from ${who}: no crash, no state left, and no answer but notifies`, async (t) => {
    const path = sharedPath('vectors', 'malformed', 'packets.json');
    if (path === undefined) return t.skip('shared/vectors is absent');
    const { packets }: { readonly packets: readonly MalformedPacket[] } = JSON.parse(readFileSync(path, 'utf8'));
    const { daemon, ports } = await startAlone(t, CONFIGURATION);
    const { socket, heard } = await stranger(t, address);
    for (const { udpPayload } of packets) {
      const bytes = Buffer.from(udpPayload, 'hex');
      await send(socket, bytes, ports.ike, '127.0.0.1');
      await send(socket, bytes, ports.encapsulated, '127.0.0.1');
      await send(socket, Buffer.concat([NON_ESP_MARKER, bytes]), ports.encapsulated, '127.0.0.1');
    }
    await send(socket, lastMessage, ports.ike, '127.0.0.1');
    await daemon.saw(LAST_LINE);
    assert.equal(await daemon.ask('S'), '');
    const types = heard.map((bytes) => bytes.subarray(bytes.readUInt32BE(0) === 0 ? 4 : 0)[EXCHANGE_TYPE_AT]);
    t.diagnostic(`${types.length} answers to ${3 * packets.length + 1} datagrams`);
    assert.ok(types.length > 0 && types.every((type) => type === ExchangeType.INFO), types.join());
    assert.ok(!daemon.log.some(isFault), daemon.log.join('\n'));
  });
}

const NON_ESP_MARKER = new Uint8Array(4);
const EXCHANGE_TYPE_AT = 18;
const isFault = (line: string): boolean => /internal fault|fault while/.test(line);

/** Sends them all, as fast as the loop goes round. */
const flood = async (
  sockets: readonly Socket[],
  count: number,
  make: (index: number) => Uint8Array,
  port: number,
): Promise<void> => {
  for (let i = 0; i < count; i++) {
    sockets[i % sockets.length]?.send(make(i), port, LEFT.address);
    if (i % 50 === 49) await nextTurn();
  }
};

const garbage = (index: number): Uint8Array => {
  const bytes = randomBytes(1 + (index % 1400));
  // Every other one has a header that might be ISAKMP's.
  if (index % 2 === 0 && bytes.length > 28) {
    bytes.writeUInt16BE(0x1005, 17);
    bytes.writeUInt32BE(bytes.length, 24);
  }
  return bytes;
};

const MESSAGE1 = new ScriptedPeer().message1();

/** A first message of an exchange of its own. */
const message1 = (index: number): Uint8Array => {
  const bytes = MESSAGE1.slice();
  new DataView(bytes.buffer).setUint32(0, index + 1);
  return bytes;
};

/** The value, and that it came within so many ms. */
const within = async <T>(what: string, milliseconds: number, work: Promise<T>): Promise<T> => {
  const start = performance.now();
  const value = await work;
  const took = performance.now() - start;
  assert.ok(took < milliseconds, `${what} took ${took.toFixed(0)} ms`);
  return value;
};

test('DoS: during a flood of garbage and of first messages the FIFO answers and an established tunnel makes quick modes', async (t) => {
  const [left, right] = await startPair(t);
  const port = left.ports.ike;
  left.command('c tunnel');
  await right.saw('quick mode done');
  const before = memoryOf(left);
  const strangers = await Promise.all(Array.from({ length: 50 }, () => stranger(t, RIGHT.address)));
  const sockets = strangers.map(({ socket }) => socket);
  const floods = Promise.all([flood(sockets, 20_000, garbage, port), flood(sockets, 5_000, message1, port)]);

  assert.equal(await within('C get', 2000, left.ask('C get [General]:Retransmits')), '3\n');
  left.command('t tunnel');
  left.command('c tunnel');
  const isRenewed = (): true | undefined => right.count('quick mode done') >= 2 || undefined;
  await within('a quick mode', 5000, until('a quick mode', isRenewed));
  await floods;
  assert.equal(await within('C get', 2000, left.ask('C get [General]:Retransmits')), '3\n');

  const halfOpen = [...(await left.ask('S')).matchAll(/^icookie \w{16} rcookie \w{16}/gm)].length - 1;
  const after = memoryOf(left);
  t.diagnostic(`${halfOpen} half-open SAs; ${before.toFixed(0)} MB before, ${after.toFixed(0)} MB after`);
  assert.ok(halfOpen <= MOST_OF_ONE_NETWORK + 1, `${halfOpen} half-open SAs`);
  assert.ok(after < before + 150, `${after} MB`);
  assert.ok(left.log.length < 5000, `${left.log.length} log lines`);
  assert.ok(!left.log.some(isFault));
});

/** src/workers/half-open-limit.ts */
const MOST_OF_ONE_NETWORK = 1024;
