/** UDP sockets of a gateway that does ESP itself. */
import { AddressFamily, OptionLevel, SocketOption, SocketType } from '../../src/kernel/linux-sockets.ts';
import { NativeSocket } from '../../src/kernel/native/native-socket.ts';
import { toSocketAddress } from '../../src/kernel/udp/endpoint-bytes.ts';
import { steerIke } from '../../src/kernel/userland/steering.ts';
import type { Endpoint } from '../../src/shared/address.ts';

/** Others can have the same address and port. `mark`: SO_MARK; 0: none. Throws SystemError. */
export const boundUdp = (local: Endpoint, mark: number): NativeSocket => {
  const family = local.address.includes(':') ? AddressFamily.INET6 : AddressFamily.INET;
  const socket = NativeSocket.open({ family, type: SocketType.DGRAM, protocol: 17 });
  socket.setInteger(OptionLevel.SOCKET, SocketOption.MARK, mark);
  socket.setInteger(OptionLevel.SOCKET, SocketOption.REUSEPORT, 1);
  socket.bind(toSocketAddress(local));
  return socket;
};

/** IKE's, on the NAT-T port: ESP has another one beside it (docs/adr/0009). Throws SystemError. */
export const openIkeSocket = (local: Endpoint, mark: number): NativeSocket => {
  const socket = boundUdp(local, mark);
  steerIke(socket);
  return socket;
};
