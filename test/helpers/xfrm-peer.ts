/** The far end of SAs of the XFRM backend, and sockets that kernels have to know of, in the network of two-gates.ts. */
import { AddressFamily, SocketType } from '../../src/kernel/linux-sockets.ts';
import { NativeSocket } from '../../src/kernel/native/native-socket.ts';
import { packSocketAddress } from '../../src/kernel/sockaddr.ts';
import { AUTHENTICATIONS, CIPHERS } from '../../src/kernel/xfrm/algorithms.ts';
import { udpEncapsulationOption } from '../../src/kernel/xfrm/socket-options.ts';
import type { IpsecSa } from '../../src/shared/threads/contract.ts';
import { run, runAtPeer } from './two-gates.ts';

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`;

/** The same SA at the peer, as ip(8) takes it. */
export const mirror = ({ protocolId, spi, source, destination, ...sa }: IpsecSa, more = ''): void => {
  const cipher = protocolId === 3 ? CIPHERS.get(sa.transformId) : undefined;
  const hash = AUTHENTICATIONS.get(sa.authentication);
  const mode = sa.encapsulation % 2 === 1 ? 'tunnel' : 'transport';
  const algorithms = [
    cipher === undefined
      ? ''
      : cipher.icvBits > 0
        ? `aead '${cipher.name}' ${hex(sa.encryptionKey)} ${cipher.icvBits}`
        : `enc '${cipher.name}' ${hex(sa.encryptionKey)}`,
    hash === undefined ? '' : `auth-trunc '${hash.name}' ${hex(sa.authenticationKey)} ${hash.icvBits}`,
  ]
    .join(' ')
    .replace("'ecb(cipher_null)' 0x", "'ecb(cipher_null)' ''");
  runAtPeer(
    `xfrm state add src ${source} dst ${destination} proto ${protocolId === 3 ? 'esp' : 'ah'} spi ${spi} reqid 1 mode ${mode} ${algorithms} ${more}`,
  );
};

/** A datagram from 10.1.0.1 to the other side, with a mark. */
export const sendMarked = (mark: string): string => run(`/usr/bin/python3 -c '${MARKED_DATAGRAM}' ${mark}`);

/** SO_MARK is 36. */
const MARKED_DATAGRAM = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 36, int(sys.argv[1], 0))
s.bind(("10.1.0.1", 0))
s.sendto(b"marked", ("10.2.0.1", 9))`;

/** Ours for the NAT-T port. */
export const encapsulatingSocket = (): NativeSocket => {
  const socket = NativeSocket.open({ family: AddressFamily.INET, type: SocketType.DGRAM, protocol: 0 });
  socket.bind(packSocketAddress({ address: Uint8Array.of(10, 9, 0, 1), port: 4500, scope: 0 }));
  const { level, option, value } = udpEncapsulationOption();
  socket.setOption(level, option, value);
  return socket;
};
