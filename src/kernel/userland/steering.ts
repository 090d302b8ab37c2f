/**
 * Who reads what on the NAT-T port (RFC 3948 §2.2): two sockets share it. What begins with the non-ESP marker, and what is too short for an SPI, goes to the one that was bound
 * first, IKE's; everything else to the second one, the ESP thread's. While there is only one it gets everything.
 */
import { endianness } from 'node:os';
import type { NativeSocket } from '../native/native-socket.ts';

/** For either socket, once it is bound (with SO_REUSEPORT). Throws SystemError. */
export const steerIke = (socket: NativeSocket): void => {
  socket.steerReusePort(IKE_STEERING);
};

/** Classic BPF over the UDP payload: { u16 code, u8 jump if true, u8 jump if false, u32 operand } each. */
const instructions: readonly (readonly [code: number, ifTrue: number, ifFalse: number, operand: number])[] = [
  // A = length; below 4: IKE.
  [0x80, 0, 0, 0],
  [0x35, 0, 2, 4],
  // A = the first four bytes; 0: IKE.
  [0x20, 0, 0, 0],
  [0x15, 0, 1, 0],
  [0x06, 0, 0, 0],
  [0x06, 0, 0, 1],
];

const assembled = (): Uint8Array => {
  const view = new DataView(new ArrayBuffer(instructions.length * 8));
  const isLittle = endianness() === 'LE';
  instructions.forEach(([code, ifTrue, ifFalse, operand], index) => {
    view.setUint16(index * 8, code, isLittle);
    view.setUint8(index * 8 + 2, ifTrue);
    view.setUint8(index * 8 + 3, ifFalse);
    view.setUint32(index * 8 + 4, operand, isLittle);
  });
  return new Uint8Array(view.buffer);
};

/** The same for whoever opens IKE's socket. */
export const IKE_STEERING = assembled();
