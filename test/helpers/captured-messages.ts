/** Messages for captures. */
import type { CapturedMessage } from '../../src/shared/capture/packet.ts';

export const V4 = { local: { address: '192.0.2.1', port: 500 }, remote: { address: '192.0.2.2', port: 501 } };
export const V6 = { local: { address: '2001:db8::1', port: 500 }, remote: { address: '2001:db8::2', port: 500 } };

/** Header of a main mode message with one vendor id; the Encryption flag is set. */
export const MESSAGE: Uint8Array = Uint8Array.from([
  ...[1, 2, 3, 4, 5, 6, 7, 8],
  ...[9, 10, 11, 12, 13, 14, 15, 16],
  ...[13, 0x10, 2, 1, 0, 0, 0, 0, 0, 0, 0, 37],
  ...[0, 0, 0, 9, 1, 2, 3, 4, 5],
]);

export const message = (changes: Partial<CapturedMessage> = {}): CapturedMessage => ({
  path: { ...V4, encapsulated: false },
  isSent: true,
  bytes: MESSAGE,
  ...changes,
});

/** The message over IPv4, IPv6 and UDP encapsulation. */
export const messagesOfAllKinds: readonly CapturedMessage[] = [
  { ...V4, encapsulated: false },
  { ...V6, encapsulated: false },
  { local: { ...V4.local, port: 4500 }, remote: { ...V4.remote, port: 4500 }, encapsulated: true },
].map((path) => message({ path }));
