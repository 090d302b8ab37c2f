/** Sockets and TUN devices of the native addon, with the system's refusals as SystemError. Wrong arguments are our own fault: TypeError or RangeError. */
import { SystemError } from '../../shared/errors.ts';
import { IpOption, Ipv6Option, OptionLevel, SocketOption } from '../linux-sockets.ts';
import { type Descriptor, type NativeAddon, nativeAddon } from './native.ts';
import { PacketBatch } from './packet-batch.ts';

export interface SocketKind {
  readonly family: number;
  readonly type: number;
  readonly protocol: number;
}

export interface ReadingOptions {
  /** Bytes; what is longer is cut. */
  readonly maxSize: number;
  /** Packets that are read before others have their turn, 1 to 64. */
  readonly batch: number;
}

export interface ReadingEvents {
  /** What was there; never empty. */
  readonly onBatch: (batch: PacketBatch) => void;
  /** Reading goes on, unless `isOver`: the interface of a TUN device is gone. */
  readonly onError: (error: SystemError, isOver: boolean) => void;
}

/** Where a packet is to come from: 4 or 16 bytes of address, and the index of the interface (0: as the kernel routes). */
export interface PacketSource {
  readonly address: Uint8Array;
  readonly interfaceIndex: number;
}

/** Keeps its thread alive while it is read or waited for. Every method but `close` throws SystemError. */
export class NativeSocket {
  readonly #addon: NativeAddon;
  readonly #descriptor: Descriptor;

  /** Not blocking. */
  static open({ family, type, protocol }: SocketKind): NativeSocket {
    return NativeSocket.#made((addon) => addon.openSocket(family, type, protocol));
  }

  /** A TUN device: `name` may hold %d for the first free number; flags are IFF_*. Naming, options and addresses are for sockets only. */
  static openTun(name: string, flags: number): NativeSocket {
    return NativeSocket.#made((addon) => addon.openTun(name, flags));
  }

  static #made(open: (addon: NativeAddon) => Descriptor): NativeSocket {
    const addon = nativeAddon();
    return new NativeSocket(
      addon,
      asSystem(() => open(addon)),
    );
  }

  private constructor(addon: NativeAddon, descriptor: Descriptor) {
    this.#addon = addon;
    this.#descriptor = descriptor;
  }

  /** Of a TUN device; undefined for a socket. */
  get interfaceName(): string | undefined {
    return this.#descriptor.interfaceName;
  }

  /** `address`: a sockaddr. */
  bind(address: Uint8Array): void {
    asSystem(() => this.#addon.bindSocket(this.#descriptor, address));
  }

  /** `address`: a sockaddr. */
  connect(address: Uint8Array): void {
    asSystem(() => this.#addon.connectSocket(this.#descriptor, address));
  }

  setOption(level: number, name: number, value: Uint8Array): void {
    asSystem(() => this.#addon.setOption(this.#descriptor, level, name, value));
  }

  /** An option whose value is an int. */
  setInteger(level: number, name: number, value: number): void {
    this.setOption(level, name, new Uint8Array(Int32Array.of(value).buffer));
  }

  /** At most `length` bytes. */
  getOption(level: number, name: number, length: number): Uint8Array {
    return asSystem(() => this.#addon.getOption(this.#descriptor, level, name, length));
  }

  /** For sockets with SO_REUSEPORT; `program`: classic BPF that answers which one gets a packet, the first one bound being 0. */
  steerReusePort(program: Uint8Array): void {
    asSystem(() => this.#addon.steerReusePort(this.#descriptor, program));
  }

  /** A sockaddr. */
  localName(): Uint8Array {
    return asSystem(() => this.#addon.localName(this.#descriptor));
  }

  /** Beyond the system's limit where we may, else up to it. */
  setReceiveBuffer(bytes: number): void {
    try {
      this.setInteger(OptionLevel.SOCKET, SocketOption.RCVBUFFORCE, bytes);
    } catch (fault) {
      if (!(fault instanceof SystemError) || fault.code !== 'EPERM') throw fault;
      this.setInteger(OptionLevel.SOCKET, SocketOption.RCVBUF, bytes);
    }
  }

  /** Has batches tell which address a packet was sent to, and on which interface it came. */
  askForDestination(family: 4 | 6): void {
    if (family === 4) this.setInteger(OptionLevel.IP, IpOption.PKTINFO, 1);
    else this.setInteger(OptionLevel.IPV6, Ipv6Option.RECVPKTINFO, 1);
  }

  /** One packet, whole or in up to eight parts, without waiting: code EAGAIN where there is no room. `destination`: a sockaddr. */
  send(packet: Uint8Array | readonly Uint8Array[], destination?: Uint8Array, source?: PacketSource): void {
    try {
      this.#addon.sendPacket(this.#descriptor, packet, destination, source?.address, source?.interfaceIndex);
    } catch (fault) {
      throw systemError(fault);
    }
  }

  /** Once for a socket. */
  startReading({ maxSize, batch }: ReadingOptions, { onBatch, onError }: ReadingEvents): void {
    asSystem(() =>
      this.#addon.startReading(
        this.#descriptor,
        maxSize,
        batch,
        (slab, count) => onBatch(new PacketBatch(slab, count)),
        (fault, isOver) => {
          const error = systemError(fault);
          if (!(error instanceof SystemError)) throw error;
          onError(error, isOver);
        },
      ),
    );
  }

  /** Calls once, when there is room to send again; one caller at a time. */
  onceWritable(callback: () => void): void {
    asSystem(() => this.#addon.onceWritable(this.#descriptor, callback));
  }

  /** Nothing is called any more. May be called in any callback, and twice. */
  close(): void {
    this.#addon.closeDescriptor(this.#descriptor);
  }
}

const asSystem = <T>(call: () => T): T => {
  try {
    return call();
  } catch (fault) {
    throw systemError(fault);
  }
};

/** What the system refused, as SystemError; anything else as it is. */
const systemError = (fault: unknown): unknown =>
  fault instanceof Error && 'syscall' in fault && 'code' in fault && typeof fault.code === 'string'
    ? new SystemError(fault.message, fault.code)
    : fault;
