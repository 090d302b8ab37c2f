/** Options of our own UDP sockets: IKE passes by all policies, and the kernel takes ESP out of UDP (RFC 3948). */
import { Draft, HOST_IS_LITTLE } from './draft.ts';
import { Direction, Family, MessageType, PolicyField, SELECTOR_FAMILY, Size } from './layout.ts';
import { NO_LIMITS, UDP_ENCAP_ESPINUDP, writeLife } from './sa-messages.ts';

/** For setsockopt(2). */
export interface SocketOption {
  readonly level: number;
  readonly option: number;
  readonly value: Uint8Array;
}

/** One for each direction: whatever the flows are, packets of this socket are neither protected nor have to be. */
export const bypassOptions = (family: 4 | 6): readonly SocketOption[] =>
  [Direction.IN, Direction.OUT].map((direction) => {
    const draft = new Draft(MessageType.NEWPOLICY, 0, Size.POLICY);
    draft.u16(PolicyField.SELECTOR + SELECTOR_FAMILY, family === 4 ? Family.IPV4 : Family.IPV6);
    writeLife(draft, PolicyField.LIFETIME, NO_LIMITS);
    draft.u8(PolicyField.DIRECTION, direction);
    const [level, option] = family === 4 ? [SOL_IP, IP_XFRM_POLICY] : [SOL_IPV6, IPV6_XFRM_POLICY];
    return { level, option, value: draft.finish().slice(Size.HEADER) };
  });

/** For the socket of the NAT-T port: ESP that comes there goes to the kernel's SAs, keepalives vanish, the rest is ours with its marker. */
export const udpEncapsulationOption = (): SocketOption => {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setInt32(0, UDP_ENCAP_ESPINUDP, HOST_IS_LITTLE);
  return { level: SOL_UDP, option: UDP_ENCAP, value };
};

const SOL_IP = 0;
const SOL_UDP = 17;
const SOL_IPV6 = 41;
const IP_XFRM_POLICY = 17;
const IPV6_XFRM_POLICY = 35;
const UDP_ENCAP = 100;
