/** Options of IKE's sockets beside userland ESP. */
import { endianness } from 'node:os';
import { OptionLevel, SocketOption as SocketOptionName } from '../linux-sockets.ts';
import type { SocketOption } from '../xfrm/socket-options.ts';

/** What the socket sends is routed by its mark, not into the tunnel device. */
export const markOption = (mark: number): SocketOption => {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setUint32(0, mark, endianness() === 'LE');
  return { level: OptionLevel.SOCKET, option: SocketOptionName.MARK, value };
};
