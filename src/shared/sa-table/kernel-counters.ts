/** What the kernel counts per SA, beside the SA table: written by the main thread alone, read by all. */
import type { SaHandle } from './handles.ts';
import { layout, type PrivateRecord, privateRecord } from './layout.ts';
import { CHUNK_SLOTS, Slots, slotsBuffer } from './slots.ts';

export interface SaCounters {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly packetsIn: number;
  readonly packetsOut: number;
  /** Milliseconds on the daemon's monotonic clock; 0: never used. */
  readonly lastUseAt: number;
}

const COUNTERS = layout({
  generation: 'u32',
  bytesIn: 'f64',
  bytesOut: 'f64',
  packetsIn: 'f64',
  packetsOut: 'f64',
  lastUseAt: 'f64',
});

export const countersBuffer = (maxChunks: number): SharedArrayBuffer => slotsBuffer(COUNTERS.stride, maxChunks);

export class KernelCounters {
  readonly #slots: Slots;
  readonly #record: PrivateRecord = privateRecord(COUNTERS.stride);

  /** Takes `counters` of the SharedSaTable. */
  constructor(buffer: SharedArrayBuffer) {
    this.#slots = new Slots(buffer, COUNTERS.stride);
  }

  /** Only the main thread may call this. False when there is no memory for them. */
  write(handle: SaHandle, counters: SaCounters): boolean {
    if (!this.#slots.grow(Math.floor(handle.slot / CHUNK_SLOTS))) return false;
    const { view, words } = this.#record;
    view.setUint32(COUNTERS.at.generation, handle.generation);
    view.setFloat64(COUNTERS.at.bytesIn, counters.bytesIn);
    view.setFloat64(COUNTERS.at.bytesOut, counters.bytesOut);
    view.setFloat64(COUNTERS.at.packetsIn, counters.packetsIn);
    view.setFloat64(COUNTERS.at.packetsOut, counters.packetsOut);
    view.setFloat64(COUNTERS.at.lastUseAt, counters.lastUseAt);
    this.#slots.store(handle.slot, words);
    return true;
  }

  /** Undefined while nothing was written about this very SA; counters of the slot's former SA do not count. */
  read(handle: SaHandle): SaCounters | undefined {
    const { view, words } = this.#record;
    if (this.#slots.load(handle.slot, words) === undefined) return undefined;
    if (view.getUint32(COUNTERS.at.generation) !== handle.generation) return undefined;
    return {
      bytesIn: view.getFloat64(COUNTERS.at.bytesIn),
      bytesOut: view.getFloat64(COUNTERS.at.bytesOut),
      packetsIn: view.getFloat64(COUNTERS.at.packetsIn),
      packetsOut: view.getFloat64(COUNTERS.at.packetsOut),
      lastUseAt: view.getFloat64(COUNTERS.at.lastUseAt),
    };
  }
}
