/**
 * The native addon as it is: functions over descriptors, loaded when first asked for. Wrong arguments throw TypeError or RangeError, the system's
 * refusals an Error with `code` ('ENOBUFS'), `errno` (negative) and `syscall`. The rest of the program uses it through native-socket.ts.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { SystemError } from '../../shared/errors.ts';

/** An open file descriptor, closed at the latest when this object is collected or its thread ends. */
export interface Descriptor {
  /** Of a TUN device. */
  readonly interfaceName?: string;
}

export interface NativeAddon {
  /** `type`: SOCK_DGRAM or SOCK_RAW. */
  readonly openSocket: (family: number, type: number, protocol: number) => Descriptor;
  /** `address`: a sockaddr. */
  readonly bindSocket: (descriptor: Descriptor, address: Uint8Array) => void;
  readonly connectSocket: (descriptor: Descriptor, address: Uint8Array) => void;
  readonly setOption: (descriptor: Descriptor, level: number, name: number, value: Uint8Array) => void;
  /** At most `length` bytes. */
  readonly getOption: (descriptor: Descriptor, level: number, name: number, length: number) => Uint8Array;
  /** `program`: classic BPF over the payload that answers which socket of this address and port gets a packet, the first one bound being 0. */
  readonly steerReusePort: (descriptor: Descriptor, program: Uint8Array) => void;
  /** A sockaddr. */
  readonly localName: (descriptor: Descriptor) => Uint8Array;
  /** Does not wait. `destination`: a sockaddr; `source`: 4 or 16 bytes of address. */
  readonly sendPacket: (
    descriptor: Descriptor,
    packet: Uint8Array | readonly Uint8Array[],
    destination?: Uint8Array,
    source?: Uint8Array,
    interfaceIndex?: number,
  ) => void;
  /** Packets of at most `maxSize` bytes, at most `batch` (up to 64) at a time. packet-batch.ts reads the slab. */
  readonly startReading: (
    descriptor: Descriptor,
    maxSize: number,
    batch: number,
    onBatch: (slab: ArrayBuffer, count: number) => void,
    onError: (error: Error, isOver: boolean) => void,
  ) => void;
  /** Calls once, when a packet can be sent again. */
  readonly onceWritable: (descriptor: Descriptor, callback: () => void) => void;
  /** May be called in any callback, and twice. */
  readonly closeDescriptor: (descriptor: Descriptor) => void;
  readonly createFifo: (path: string, mode: number) => void;
  readonly openTun: (name: string, flags: number) => Descriptor;
  /** 0: there is none. */
  readonly interfaceIndex: (name: string) => number;
  readonly interfaceName: (index: number) => string | undefined;
}

/** The addon of this thread. Throws SystemError where there is none. */
export const nativeAddon = (): NativeAddon => {
  const { addon, fault } = loadOnce();
  if (addon === undefined) throw new SystemError(`there is no native addon: ${fault}`);
  return addon;
};

/** Why there is no addon; undefined where there is one. */
export const nativeAddonFault = (): string | undefined => loadOnce().fault;

interface Loaded {
  readonly addon?: NativeAddon;
  readonly fault?: string;
}

let loaded: Loaded | undefined;

const loadOnce = (): Loaded => {
  loaded ??= load(process.env['ISAKMPD_ADDON'] ?? BUILT);
  return loaded;
};

const load = (path: string): Loaded => {
  if (!existsSync(path)) return { fault: `${path} was not built (npm run build:native, with a C compiler)` };
  try {
    return { addon: createRequire(import.meta.url)(path) };
  } catch (fault) {
    if (!(fault instanceof Error)) throw fault;
    return { fault: fault.message };
  }
};

/** Where build.mjs puts it, seen from dist/src/kernel/native. */
const BUILT = fileURLToPath(new URL('../../../../build/isakmpd.node', import.meta.url));
