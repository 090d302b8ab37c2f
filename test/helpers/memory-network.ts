/** A network without sockets for whole assemblies in one process: every datagram arrives, in order, a moment later. */

import type { UdpSockets } from '../../src/main/network/sockets.ts';
import { parseAddress } from '../../src/shared/address.ts';
import type { Path } from '../../src/shared/threads/contract.ts';

type Receive = (path: Path, bytes: Uint8Array) => void;

export interface Sent {
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
}

export class MemoryNetwork {
  /** Everything that was sent since this was last emptied, arrived or not. */
  readonly wire: Sent[] = [];
  readonly #hosts = new Map<string, Receive>();

  /** For `openNetwork` of an assembly: the host with this address. */
  host(address: string, port: number): (receive: Receive) => UdpSockets {
    const family = parseAddress(address)?.family;
    return (receive) => ({
      listen: async () => {
        this.#hosts.set(address, receive);
        return [];
      },
      send: (path, bytes) => this.#send(path, bytes),
      sendKeepalive: (path) => this.#send(path, Uint8Array.of(0xff)),
      localAddressFor: async (remote) => (parseAddress(remote)?.family === family ? address : undefined),
      openSockets: () => [{ local: { address, port }, encapsulated: false, number: 1 }],
      endpoints: () => [{ address, port }],
      close: async () => {
        this.#hosts.delete(address);
      },
    });
  }

  #send({ local, remote, encapsulated }: Path, bytes: Uint8Array): void {
    const copy = bytes.slice();
    this.wire.push({ from: local.address, to: remote.address, bytes: copy });
    setImmediate(() => this.#hosts.get(remote.address)?.({ local: remote, remote: local, encapsulated }, copy.slice()));
  }
}
