/** UDP where there is no native addon: node:dgram, which reads one datagram at a time. */
import { createSocket, type Socket } from 'node:dgram';
import type { Endpoint } from '../../shared/address.ts';
import { SystemError } from '../../shared/errors.ts';
import { type OpenUdp, UDP_RECEIVE_BUFFER, type UdpEvents, type UdpSocket } from './udp-socket.ts';

/** The receive buffer is cut to net.core.rmem_max; no port can be shared. */
export const openDgramUdp: OpenUdp = ({ family, address, port, steering }) =>
  new Promise((resolve, reject) => {
    if (steering !== undefined) throw new SystemError('a port can be shared only with the native addon');
    const socket = createSocket({
      type: family === 4 ? 'udp4' : 'udp6',
      ipv6Only: family === 6,
      recvBufferSize: UDP_RECEIVE_BUFFER,
    });
    const fail = (fault: Error): void => {
      socket.close();
      reject(fault);
    };
    socket.once('error', fail);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeListener('error', fail);
      resolve(new DgramUdp(socket, { address, port: socket.address().port }));
    });
  });

class DgramUdp implements UdpSocket {
  readonly local: Endpoint;
  readonly #socket: Socket;
  #closed: Promise<void> | undefined;

  constructor(socket: Socket, local: Endpoint) {
    this.#socket = socket;
    this.local = local;
  }

  receive({ onDatagram, onError }: UdpEvents): void {
    this.#socket.on('message', (bytes, { address, port }) => onDatagram(bytes, { address, port }));
    this.#socket.on('error', onError);
  }

  send(
    datagram: Uint8Array | readonly Uint8Array[],
    { address, port }: Endpoint,
    onFault: (error: Error) => void,
  ): void {
    try {
      this.#socket.send(datagram, port, address, (fault) => {
        if (fault !== null) onFault(fault);
      });
    } catch (fault) {
      // A port or address that no socket takes, port 0 for example, is refused at once.
      if (!(fault instanceof Error) || !('code' in fault)) throw fault;
      onFault(fault);
    }
  }

  setOption(level: number): never {
    throw new SystemError(`ENOSYS: an option of level ${level} cannot be set without the native addon`, 'ENOSYS');
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => this.#socket.close(() => resolve()));
    return this.#closed;
  }
}
