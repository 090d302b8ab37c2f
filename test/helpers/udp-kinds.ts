/** Both ways to a UDP socket, for tests that both have to pass. */
import { openDgramUdp } from '../../src/kernel/udp/dgram-udp.ts';
import { openNativeUdp } from '../../src/kernel/udp/native-udp.ts';
import type { OpenUdp } from '../../src/kernel/udp/udp-socket.ts';
import { NEEDS_ADDON } from './native.ts';

interface UdpKind {
  readonly name: string;
  readonly open: OpenUdp;
  /** Of its tests. */
  readonly options: { readonly skip: string | false };
}

export const UDP_KINDS: readonly UdpKind[] = [
  { name: 'over dgram', open: openDgramUdp, options: { skip: false } },
  { name: 'over the native addon', open: openNativeUdp, options: NEEDS_ADDON },
];
