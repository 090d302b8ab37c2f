/** What tests of the native addon share. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { AddressFamily, SocketType } from '../../src/kernel/linux-sockets.ts';
import { nativeAddonFault } from '../../src/kernel/native/native.ts';
import { NativeSocket, type ReadingEvents } from '../../src/kernel/native/native-socket.ts';
import type { PacketBatch } from '../../src/kernel/native/packet-batch.ts';
import { packSocketAddress, unpackSocketAddress } from '../../src/kernel/sockaddr.ts';
import { SystemError } from '../../src/shared/errors.ts';

/** Options of tests that need the addon. */
export const NEEDS_ADDON: { readonly skip: string | false } = { skip: nativeAddonFault() ?? false };

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

/** IFF_TUN (IP packets) or IFF_TAP (frames of Ethernet), with IFF_NO_PI. */
const DEVICE_FLAGS = { tun: 0x1001, tap: 0x1002 } as const;

/** A device without packet information, up, with the address; it goes with the test. Undefined, and the test is skipped, where this system has none for us. */
export const openDevice = (t: TestContext, kind: 'tun' | 'tap', address: string): NativeSocket | undefined => {
  let device: NativeSocket;
  try {
    device = NativeSocket.openTun(`isaktest%d`, DEVICE_FLAGS[kind]);
  } catch (fault) {
    if (!(fault instanceof SystemError)) throw fault;
    t.skip(fault.message);
    return undefined;
  }
  t.after(() => device.close());
  ip('link', 'set', device.interfaceName ?? '', 'up');
  ip('addr', 'add', address, 'dev', device.interfaceName ?? '');
  return device;
};

/** ip(8). */
export const ip = (...values: readonly string[]): void => {
  const { status, stderr } = spawnSync('ip', values, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
};
