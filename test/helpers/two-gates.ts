/**
 * Two gateways for tests of kernels, within a machine that is theirs: this network namespace is 10.9.0.1 with 10.1.0.1 behind it, the namespace
 * `peer` is 10.9.0.2 with 10.2.0.1 behind it; over IPv6 they are 2001:db8:9::1 and ::2. The peer is configured by ip(8).
 */
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** Standard output; throws RangeError with standard error where the command fails. */
export const run = (command: string): string => {
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', command], { encoding: 'utf8' });
  if (status !== 0) throw new RangeError(`${command}: ${stderr}`);
  return stdout;
};

/** ip(8) in the namespace of the peer. */
export const runAtPeer = (command: string): string => run(`ip -n peer ${command}`);

/** Answers what ends it all. UDP is echoed at port 9 of its addresses, ESP in UDP is taken at 4500 and 4555 of 10.9.0.2. */
export const makeTwoGates = async (): Promise<() => void> => {
  run('ip link set lo up');
  run('ip netns add peer');
  run('ip link add gate type veth peer name gate netns peer');
  run('ip address add 10.9.0.1/24 dev gate; ip address add 10.1.0.1/32 dev lo');
  run('ip address add 2001:db8:9::1/64 dev gate nodad');
  run('ip link set gate up; ip route add 10.2.0.0/16 via 10.9.0.2 src 10.1.0.1');
  for (const address of [
    '2001:db8:9::2/64 dev gate nodad',
    '10.9.0.2/24 dev gate',
    '10.9.0.4/24 dev gate',
    '10.2.0.1/32 dev lo',
  ]) {
    runAtPeer(`address add ${address}`);
  }
  runAtPeer('link set lo up');
  runAtPeer('link set gate up');
  runAtPeer('route add 10.1.0.0/16 via 10.9.0.1 src 10.2.0.1');
  const peer = spawn('ip', ['netns', 'exec', 'peer', '/usr/bin/python3', '-c', PEER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(peer.stdout, 'data');
  return () => {
    peer.kill();
    run('ip link delete gate; ip netns delete peer; ip address delete 10.1.0.1/32 dev lo');
  };
};

const PEER = `
import select, socket, struct
def bound(address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, port))
    return s
held = [bound('10.9.0.2', port) for port in (4500, 4555)]
for s in held:
    s.setsockopt(17, 100, struct.pack('i', 2))
echoing = [bound(address, 9) for address in ('10.2.0.1', '10.9.0.2', '10.9.0.4')]
print('there', flush=True)
while True:
    for s in select.select(echoing, [], [])[0]:
        data, source = s.recvfrom(2048)
        s.sendto(data, source)
`;

/**
 * How many of so many datagrams of 100 bytes came back from the peer. A datagram that the kernel drops leaves no sign, so a quarter of a second without
 * one ends it; what comes back takes well under a millisecond.
 */
export const echoes = async (source: string, destination: string, count = 2): Promise<number> => {
  const socket = createSocket('udp4').bind(0, source);
  await once(socket, 'listening');
  try {
    for (let received = 0; received < count; received++) {
      socket.send(new Uint8Array(100), 9, destination);
      const answer = once(socket, 'message', { signal: AbortSignal.timeout(250) });
      if (!(await answer.then(isTrue, isFalse))) return received;
    }
    return count;
  } finally {
    socket.close();
  }
};

const isTrue = (): boolean => true;
const isFalse = (): boolean => false;

/** Timers of the machine, as the backends want them: a real kernel does not keep a test's time. */
export const realTimers = (milliseconds: number, callback: () => void): (() => void) => {
  const timer = setTimeout(callback, milliseconds);
  return () => clearTimeout(timer);
};

/** Looks again every 10 ms, because the test's ear only collects what a kernel says: ends when it is so, fails after four seconds. */
export const until = async (what: string, isSo: () => boolean): Promise<void> => {
  for (let i = 0; i < 400; i++) {
    if (isSo()) return;
    await sleep(10);
  }
  throw new RangeError(`never: ${what}`);
};
