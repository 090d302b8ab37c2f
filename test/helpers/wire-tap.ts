/** What is on the wire between two namespaces, by tcpdump. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Namespace } from '../../loadtest/esp/namespaces.ts';
import { packetsOfCapture } from './pcap.ts';

/** What passes an end of the wire between `start` and `end`. */
export class WireTap {
  readonly #child: ChildProcess;
  readonly #file: string;
  /** What tcpdump says. */
  #said = '';

  /** Resolves when it sees everything. */
  static async start(namespace: Namespace): Promise<WireTap> {
    const tap = new WireTap(namespace);
    tap.#child.stderr?.on('data', (text: Buffer) => {
      tap.#said += text;
    });
    while (!tap.#said.includes('listening on')) await tap.#more();
    return tap;
  }

  private constructor(namespace: Namespace) {
    this.#file = path.join(mkdtempSync(path.join(tmpdir(), 'esp-tap-')), 'wire.pcap');
    this.#child = namespace.start(`tcpdump -i out0 -U --immediate-mode -B 8192 -w ${this.#file}`);
  }

  async #more(): Promise<void> {
    if (this.#child.stderr === null) throw new RangeError('tcpdump has no standard error');
    await once(this.#child.stderr, 'data');
  }

  /** Resolves when tcpdump has written everything that the kernel has put by for it: it counts both when it gets the signal. */
  async #caughtUp(): Promise<void> {
    for (let lag = Number.POSITIVE_INFINITY; lag > 0; ) {
      this.#said = '';
      this.#child.kill('SIGUSR1');
      let counts: readonly string[] | null = null;
      while (counts === null) {
        await this.#more();
        counts = /(\d+) packets? captured, (\d+) packets? received by filter/.exec(this.#said);
      }
      lag = Number(counts[2]) - Number(counts[1]);
    }
  }

  /** The IP packets, without their Ethernet headers. */
  async end(): Promise<readonly Uint8Array[]> {
    await this.#caughtUp();
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    await exit;
    const file = readFileSync(this.#file);
    rmSync(path.dirname(this.#file), { recursive: true });
    return packetsOfCapture(new Uint8Array(file), ETHERNET).filter(
      ([first = 0]) => first >> 4 === 4 || first >> 4 === 6,
    );
  }
}

const ETHERNET = 14;

/** IP protocols on the wire, but for neighbour discovery and group membership of IPv6. */
export const protocolsOf = (packets: readonly Uint8Array[]): readonly number[] => {
  const protocols = packets.map((packet) => ((packet[0] ?? 0) >> 4 === 4 ? packet[9] : packet[6]) ?? 0);
  return [...new Set(protocols)].filter((protocol) => !IPV6_HOUSEKEEPING.includes(protocol));
};
/** Hop-by-hop options, ICMPv6. */
const IPV6_HOUSEKEEPING = [0, 58];
