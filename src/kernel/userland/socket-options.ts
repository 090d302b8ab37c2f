/** Options of IKE's sockets beside userland ESP. */
import { endianness } from 'node:os';
import { OptionLevel, SocketOption, type SocketSetting } from '../linux-sockets.ts';

/** What the socket sends is routed by its mark, not into the tunnel device. */
export const markOption = (mark: number): SocketSetting => {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setUint32(0, mark, endianness() === 'LE');
  return { level: OptionLevel.SOCKET, option: SocketOption.MARK, value };
};
