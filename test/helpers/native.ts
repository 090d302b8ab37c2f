/** What tests of the native addon share. */
import { AddressFamily, SocketType } from '../../src/kernel/linux-sockets.ts';
import { nativeAddonFault } from '../../src/kernel/native/native.ts';
import { NativeSocket, type ReadingEvents } from '../../src/kernel/native/native-socket.ts';
import type { PacketBatch } from '../../src/kernel/native/packet-batch.ts';
import { packSocketAddress, unpackSocketAddress } from '../../src/kernel/sockaddr.ts';

/** Options of tests that need the addon. */
export const NEEDS_ADDON = { skip: nativeAddonFault() ?? false };

export const loopback = (port: number, last = 1): Uint8Array =>
  packSocketAddress({ address: Uint8Array.of(127, 0, 0, last), port, scope: 0 });

export const udp = (): NativeSocket =>
  NativeSocket.open({ family: AddressFamily.INET, type: SocketType.DGRAM, protocol: 0 });

/** On any port of 127.0.0.`last`. */
export const boundUdp = (last = 1): NativeSocket => {
  const socket = udp();
  socket.bind(loopback(0, last));
  return socket;
};

export const portOf = (socket: NativeSocket): number => unpackSocketAddress(socket.localName())?.port ?? 0;

/** The next batch or error of a socket. */
export const nextOf = (
  socket: NativeSocket,
  { maxSize = 2048, batch = 64 } = {},
): Promise<{ readonly batch: PacketBatch } | { readonly error: string | undefined; readonly isOver: boolean }> =>
  new Promise((resolve) => {
    const events: ReadingEvents = {
      onBatch: (found) => resolve({ batch: found }),
      onError: ({ code }, isOver) => resolve({ error: code, isOver }),
    };
    socket.startReading({ maxSize, batch }, events);
  });
