/**
 * `npm run bench:udp`: CPU for a datagram sent and received on loopback, over the native addon and over dgram, and what either keeps of a burst that comes while
 * nobody reads. Argument: datagrams in all (100,000). Sender and receiver are one process, which sends two thousand, then reads them.
 */
import { openDgramUdp } from '../../src/kernel/udp/dgram-udp.ts';
import { openNativeUdp } from '../../src/kernel/udp/native-udp.ts';
import type { OpenUdp } from '../../src/kernel/udp/udp-socket.ts';

/** Bytes; about what an IKE message has. */
const SIZE = 350;
/** Datagrams that either receive buffer holds, where net.core.rmem_max is 4 MiB or more. */
const ROUND = 2000;
/** Turns of the event loop after which dgram has sent what it was given. */
const TURNS = 5;
const BURST = 10_000;

interface Cost {
  readonly sent: number;
  readonly received: number;
  readonly arrived: number;
}

const cpu = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const refuse = (error: Error): never => {
  throw error;
};

/** Sends so many datagrams, then reads what has arrived: microseconds of CPU for both, and how many arrived. */
const round = async (open: OpenUdp, count: number): Promise<Cost> => {
  const request = { family: 4, address: '127.0.0.1', port: 0 } as const;
  const [sender, receiver] = [await open(request), await open(request)];
  const packet = new Uint8Array(SIZE);
  const start = cpu();
  for (let i = 0; i < count; i++) sender.send(packet, receiver.local, refuse);
  for (let i = 0; i < TURNS; i++) await turn();
  const between = cpu();
  let arrived = 0;
  receiver.receive({ onDatagram: () => arrived++, onError: refuse });
  for (let last = -1; last !== arrived && arrived < count; ) {
    last = arrived;
    for (let i = 0; i < TURNS && arrived < count; i++) await turn();
  }
  const received = cpu() - between;
  await Promise.all([sender.close(), receiver.close()]);
  return { sent: between - start, received, arrived };
};

const measure = async (name: string, open: OpenUdp, count: number): Promise<void> => {
  // The first rounds warm up.
  for (let i = 0; i < 5; i++) await round(open, ROUND);
  const total = { sent: 0, received: 0, arrived: 0 };
  for (let i = 0; i < count; i += ROUND) {
    const { sent, received, arrived } = await round(open, ROUND);
    total.sent += sent / count;
    total.received += received;
    total.arrived += arrived;
  }
  const { arrived } = await round(open, BURST);
  const perReceived = total.received / total.arrived;
  console.log(
    `${name}: ${total.sent.toFixed(2)} us of CPU for a datagram sent, ${perReceived.toFixed(2)} received; ${arrived} of a burst of ${BURST} arrive`,
  );
};

const count = Number(process.argv[2] ?? '100000');
await measure('dgram', openDgramUdp, count);
await measure('native addon', openNativeUdp, count);
