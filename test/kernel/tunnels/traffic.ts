/** Packets through a tunnel, and what kernel and wire know of them. */
import { SystemError } from '../../../src/shared/errors.ts';
import type { SaStatus } from '../../../src/shared/report/status-schema.ts';
import { inside } from '../../interop/namespaces.ts';
import { must, run } from '../../interop/processes.ts';

/** Pings so often and so fast (per second); how many were lost. */
export const pingsLost = async (
  namespace: string,
  from: string,
  to: string,
  count: number,
  rate: number,
  /** s */
  patience = 2,
): Promise<number> => {
  const wait = ['-i', String(1 / rate), '-W', String(patience)];
  const words = ['ping', '-n', '-q', '-I', from, '-c', String(count), ...wait, to];
  const [file = '', ...args] = inside(namespace, words);
  const { output } = await run(file, args);
  const received = / (\d+) received/.exec(output)?.[1];
  if (received === undefined) throw new SystemError(`ping said: ${output}`);
  return count - Number(received);
};

export interface KernelSa {
  readonly spi: string;
  readonly bytes: number;
  readonly packets: number;
}

/** The ESP SAs of a namespace; larval ones (SPI 0) are left out. */
export const kernelSas = async (namespace: string): Promise<readonly KernelSa[]> => {
  const text = await must('ip', ['-s', '-n', namespace, 'xfrm', 'state']);
  return text.split(/^(?=src )/m).flatMap((block) => {
    const spi = /proto esp spi 0x([0-9a-f]{8})/.exec(block)?.[1];
    const [, bytes, packets] = /lifetime current:\s+(\d+)\(bytes\), (\d+)\(packets\)/.exec(block) ?? [];
    if (spi === undefined || spi === '00000000' || bytes === undefined) return [];
    return [{ spi, bytes: Number(bytes), packets: Number(packets) }];
  });
};

/** Both ends have counted the same for each SPI that both have, and for so many of them something. Keys are in nobody's output. */
export const assertEqualCounters = (ours: readonly KernelSa[], theirs: readonly KernelSa[], used: number): void => {
  const byBoth = ours.flatMap(({ spi, bytes }) => {
    const other = theirs.find((one) => one.spi === spi);
    return other === undefined ? [] : [{ spi, ours: bytes, theirs: other.bytes }];
  });
  const unequal = byBoth.filter((sa) => sa.ours !== sa.theirs);
  const text = JSON.stringify(byBoth);
  if (unequal.length > 0) throw new SystemError(`the ends have counted differently: ${text}`);
  if (byBoth.filter((sa) => sa.ours > 0).length < used) throw new SystemError(`not ${used} SAs were used: ${text}`);
};

/** What a daemon reports of its pairs is what ip(8) reads of the same SAs, and each direction of so many pairs was used. */
export const assertReportedCounters = (
  reported: readonly SaStatus[],
  kernel: readonly KernelSa[],
  used: number,
): void => {
  const counted = (wanted: string | null) => {
    const { bytes, packets } = kernel.find(({ spi }) => spi === wanted) ?? { bytes: -1, packets: -1 };
    return [bytes, packets];
  };
  const pairs = reported.flatMap(({ phase, protocols: [protocol], traffic }) => {
    if (phase !== 2 || protocol === undefined) return [];
    const { bytesIn, packetsIn, bytesOut, packetsOut } = traffic ?? NO_TRAFFIC;
    const said = [bytesIn, packetsIn, bytesOut, packetsOut];
    return [{ said, counted: [...counted(protocol.spiIn), ...counted(protocol.spiOut)] }];
  });
  const text = JSON.stringify(pairs);
  const isEqual = pairs.every(({ said, counted }) => said.every((number, index) => number === counted[index]));
  if (!isEqual) throw new SystemError(`the status socket does not say what the kernel has counted: ${text}`);
  const inUse = pairs.filter(({ said }) => said.every((number) => number > 0));
  if (inUse.length < used) throw new SystemError(`not ${used} pairs were used in both directions: ${text}`);
};

const NO_TRAFFIC = { bytesIn: 0, packetsIn: 0, bytesOut: 0, packetsOut: 0 };

/** Nothing but ESP, IKE and what keeps a link alive was on the wire, and of ESP at least so many packets. */
export const assertOnlyEsp = async (capture: string, least: number): Promise<number> => {
  const esp = await packets(capture, 'esp or (udp port 4500 and udp[8:4] != 0 and udp[4:2] > 12)');
  const other = await packets(
    capture,
    `not esp and not udp port 500 and not udp port 4500 and not arp and not ${NEIGHBOURS}`,
  );
  if (other.length > 0) throw new SystemError(`in the clear on the wire: ${other.slice(0, 3).join('; ')}`);
  if (esp.length < least) throw new SystemError(`${esp.length} ESP packets on the wire, at least ${least} were sent`);
  return esp.length;
};

const packets = async (capture: string, filter: string): Promise<readonly string[]> =>
  (await must('tcpdump', ['-n', '-r', capture, filter])).split('\n').filter((line) => / IP6? /.test(line));

/** Neighbour and router discovery, and multicast membership. */
const NEIGHBOURS = '(ip6 and (icmp6 and ip6[40] >= 130 or ip6[6] = 0))';

/** All policies and SAs of a namespace as text that does not change while nothing changes: no counters, no times. */
export const kernelState = async (namespace: string): Promise<string> => {
  const state = await must('ip', ['-n', namespace, 'xfrm', 'state']);
  const policy = await must('ip', ['-n', namespace, 'xfrm', 'policy']);
  // Policies of sockets belong to whoever has the socket open.
  const policies = policy.split(/^(?=src )/m).filter((block) => !block.includes('socket '));
  return `${state}${policies.join('')}`;
};
