/** UDP sockets of the daemon, bound to the ports that it may have. */
import { createSocket, type Socket } from 'node:dgram';
import { mayListen } from '../../shared/cli/port.ts';
import { SystemError } from '../../shared/errors.ts';
import { causeOf, codeOf } from './system-fault.ts';

export interface UdpRequest {
  readonly family: 4 | 6;
  /** Numeric; link-local ones with `%zone`. */
  readonly address: string;
  readonly port: number;
  /** Lets a wildcard socket and specific ones share the port. Then a second daemon can take the port as well: leave it off otherwise. */
  readonly shared: boolean;
}

/** A bound socket without listeners. IPv6 sockets take no IPv4. Rejects with SystemError. */
export const openUdpSocket = (request: UdpRequest): Promise<Socket> => {
  const { family, address, port } = request;
  const what = `cannot listen on ${family === 6 ? `[${address}]` : address} port ${port}`;
  if (!mayListen(port))
    return Promise.reject(new SystemError(`${what}: only port 500 and ports from 1024 are allowed`));
  return new Promise((resolve, reject) => {
    const socket = createSocket({
      type: family === 4 ? 'udp4' : 'udp6',
      reuseAddr: request.shared,
      ipv6Only: family === 6,
      recvBufferSize: RECEIVE_BUFFER,
    });
    const fail = (fault: Error): void => {
      socket.close();
      reject(new SystemError(`${what}: ${causeOf(fault)}`, codeOf(fault)));
    };
    socket.once('error', fail);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeListener('error', fail);
      resolve(socket);
    });
  });
};

/** Bytes; the kernel cuts it to net.core.rmem_max. Holds what a thousand peers send at once while main is busy for a moment. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;
