/** What the kernel has counted of each pair, brought into the SA table's counters when somebody asks for it: nothing is asked of a kernel for nobody. */
import { type KernelBackend, KernelError, type SaUsage } from '../../kernel/backend.ts';
import { addressFromBytes } from '../../shared/address.ts';
import { KernelCounters, type SaCounters } from '../../shared/sa-table/kernel-counters.ts';
import type { SaRow } from '../../shared/sa-table/rows.ts';
import type { SaEntry } from '../../shared/sa-table/sa-table.ts';

export interface TrafficCountersOptions {
  readonly kernel: Pick<KernelBackend, 'name' | 'querySa'>;
  /** Of the SharedSaTable. */
  readonly memory: SharedArrayBuffer;
  /** ms, monotonic. */
  readonly now: () => number;
  /** ms since the epoch. */
  readonly wallClock: () => number;
}

export class TrafficCounters {
  readonly #options: TrafficCountersOptions;
  readonly #counters: KernelCounters;

  constructor(options: TrafficCountersOptions) {
    this.#options = options;
    this.#counters = new KernelCounters(options.memory);
  }

  /** Asks the kernel about all phase 2 SAs among `entries`, some at a time. Without a kernel there is nothing to ask. */
  async refresh(entries: Iterable<SaEntry>): Promise<void> {
    if (this.#options.kernel.name === 'none') return;
    let batch: Promise<void>[] = [];
    for (const entry of entries) {
      if (entry.row.phase !== 2) continue;
      batch.push(this.#refreshOne(entry));
      if (batch.length < AT_ONCE) continue;
      await Promise.all(batch);
      batch = [];
    }
    await Promise.all(batch);
  }

  /** What was last heard; undefined: nothing. */
  read({ handle }: Pick<SaEntry, 'handle'>): SaCounters | undefined {
    return this.#counters.read(handle);
  }

  /** Of a bundle, what the SAs of its first protocol say: every packet passes all. */
  async #refreshOne({ handle, row }: SaEntry): Promise<void> {
    const [protocol] = row.protocols;
    if (protocol === undefined) return;
    const [into, out] = await Promise.all([
      this.#usage(protocol.protocolId, protocol.spiIn, destinationOf(row, row.localAddress)),
      this.#usage(protocol.protocolId, protocol.spiOut, destinationOf(row, row.remoteAddress)),
    ]);
    if (into === undefined && out === undefined) return;
    this.#counters.write(handle, {
      bytesIn: into?.bytes ?? 0,
      bytesOut: out?.bytes ?? 0,
      packetsIn: into?.packets ?? 0,
      packetsOut: out?.packets ?? 0,
      lastUseAt: this.#monotonic(Math.max(into?.usedAt ?? 0, out?.usedAt ?? 0)),
    });
  }

  /** Undefined: it has just gone, or the kernel does not say. */
  async #usage(protocolId: number, spi: number, destination: string): Promise<SaUsage | undefined> {
    try {
      return await this.#options.kernel.querySa({ protocolId, spi, destination });
    } catch (fault) {
      if (fault instanceof KernelError) return undefined;
      throw fault;
    }
  }

  /** Seconds since the epoch as ms of our clock; 0 stays. */
  #monotonic(seconds: number): number {
    const { now, wallClock } = this.#options;
    return seconds === 0 ? 0 : now() - (wallClock() - seconds * 1000);
  }
}

const destinationOf = ({ zone }: SaRow, bytes: Uint8Array): string => addressFromBytes(bytes, zone).text;

/** Questions that wait for an answer: a kernel's socket takes them without running over. */
const AT_ONCE = 32;
