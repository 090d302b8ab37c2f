/** A bound UDP socket, as the daemon uses it: over the native addon (native-udp.ts) or over node:dgram (dgram-udp.ts). */
import type { Endpoint } from '../../shared/address.ts';

export interface UdpRequest {
  readonly family: 4 | 6;
  /** Numeric; link-local ones with `%zone`. */
  readonly address: string;
  readonly port: number;
  /**
   * Another socket of this program will share the port (SO_REUSEPORT), and this classic BPF program says which of the two gets a datagram. Absent: nobody
   * else can have the port.
   */
  readonly steering?: Uint8Array | undefined;
}

/** Errors are those of the system, with the errno's name as `code`. */
export interface UdpSocket {
  /** Where it is bound; the address as parseAddress writes it. */
  readonly local: Endpoint;
  /** Once; datagrams that came before are not lost. */
  receive(events: UdpEvents): void;
  /** Sends one datagram, of several parts perhaps, which must not change afterwards. `onFault` is called, now or later, where it cannot be sent. */
  send(datagram: Uint8Array | readonly Uint8Array[], remote: Endpoint, onFault: (error: Error) => void): void;
  /** setsockopt(2); throws SystemError. */
  setOption(level: number, name: number, value: Uint8Array): void;
  /** Nothing is received any more, even what was read already. Resolves when the port is free. May be called twice. */
  close(): Promise<void>;
}

export interface UdpEvents {
  /** The bytes are the receiver's. */
  readonly onDatagram: (bytes: Uint8Array, remote: Endpoint) => void;
  /** Receiving goes on. */
  readonly onError: (error: Error) => void;
}

/** IPv6 sockets take no IPv4. Rejects with an error as above. */
export type OpenUdp = (request: UdpRequest) => Promise<UdpSocket>;

/** Bytes of receive buffer: what ten thousand peers send at once. Linux counts 1,280 for a datagram of 300. */
export const UDP_RECEIVE_BUFFER = 16 * 1024 * 1024;
