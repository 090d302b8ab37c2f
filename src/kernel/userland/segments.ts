/**
 * What leaves an encapsulating socket. Packets of one size that follow each other to one place go to the kernel as one datagram, which it cuts only where it has to (UDP_SEGMENT, Linux 4.18):
 * the way down to the device is most of what sending costs. Only what is not to be fragmented goes that way, and only after one of that size went alone in the same wake:
 * then the path takes the others as well, and its MTU is told of the one.
 */
import { SystemError } from '../../shared/errors.ts';

/** What it needs of a socket. */
export interface SegmentSocket {
  send(packet: Uint8Array, destination: Uint8Array): void;
  /** Sends what comes then in datagrams of this size; 0: as it is. Throws SystemError where the system does not know that. */
  setSegmentSize(bytes: number): void;
}

export class Segments {
  readonly #socket: SegmentSocket;
  readonly #onError: (error: SystemError) => void;
  readonly #slab = new Uint8Array(MOST_BYTES);
  /** Where the last packet went alone in this wake, and its size. */
  #destination: Uint8Array | undefined;
  #size = 0;
  /** Bytes that wait. */
  #length = 0;
  /** What the socket was told last. */
  #segmentSize: number | undefined;
  /** The system can cut, and the device did not say that it cannot. */
  #isAble: boolean;

  constructor(socket: SegmentSocket, onError: (error: SystemError) => void) {
    this.#socket = socket;
    this.#onError = onError;
    this.#isAble = this.#isKnown();
  }

  /** Throws SystemError; what waited before it has left by then. */
  send(packet: Uint8Array, destination: Uint8Array, mayWait: boolean): void {
    if (mayWait && this.#isAble && this.#append(packet, destination)) return;
    this.flush();
    if (this.#isAble) this.#tell(0);
    this.#socket.send(packet, destination);
    if (!mayWait) return;
    this.#destination = destination;
    this.#size = packet.length;
  }

  /** At the end of a wake, and before the socket is told anything about headers. */
  flush(): void {
    const [length, size, destination] = [this.#length, this.#size, this.#destination];
    this.#length = 0;
    this.#destination = undefined;
    if (length === 0 || destination === undefined) return;
    try {
      this.#tell(length > size ? size : 0);
      this.#socket.send(this.#slab.subarray(0, length), destination);
    } catch (fault) {
      if (!(fault instanceof SystemError)) throw fault;
      // A device that cannot, or the path has become narrower: one by one the kernel says of each what is wrong.
      this.#sendSingly(length, size, destination);
      if (fault.code === 'EIO') this.#isAble = false;
    }
  }

  /** A packet of the same size, or a shorter one that ends the datagram. */
  #append(packet: Uint8Array, destination: Uint8Array): boolean {
    if (destination !== this.#destination || packet.length > this.#size) return false;
    if (this.#length + packet.length > MOST_BYTES || this.#length >= this.#size * MOST_SEGMENTS) return false;
    this.#slab.set(packet, this.#length);
    this.#length += packet.length;
    if (packet.length < this.#size) this.flush();
    return true;
  }

  #sendSingly(length: number, size: number, destination: Uint8Array): void {
    this.#tell(0);
    for (let start = 0; start < length; start += size) {
      try {
        this.#socket.send(this.#slab.subarray(start, Math.min(start + size, length)), destination);
      } catch (fault) {
        if (!(fault instanceof SystemError)) throw fault;
        this.#onError(fault);
      }
    }
  }

  #tell(size: number): void {
    if (size === this.#segmentSize) return;
    this.#socket.setSegmentSize(size);
    this.#segmentSize = size;
  }

  #isKnown(): boolean {
    try {
      this.#tell(0);
      return true;
    } catch (fault) {
      if (!(fault instanceof SystemError)) throw fault;
      return false;
    }
  }
}

/** UDP's most over IPv4. */
const MOST_BYTES = 65_507;
/** Linux's UDP_MAX_SEGMENTS until 6.9. */
const MOST_SEGMENTS = 64;
