/** Options of our own UDP sockets: IKE passes by all policies, and the kernel takes ESP out of UDP (RFC 3948). */
import { OptionLevel, type SocketSetting } from '../linux-sockets.ts';
import { Draft, HOST_IS_LITTLE } from './draft.ts';
import { Direction, Family, MessageType, PolicyField, SELECTOR_FAMILY, Size } from './layout.ts';
import { NO_LIMITS, UDP_ENCAP_ESPINUDP, writeLife } from './sa-messages.ts';

/** One for each direction: whatever the flows are, packets of this socket are neither protected nor have to be. */
export const bypassOptions = (family: 4 | 6): readonly SocketSetting[] =>
  [Direction.IN, Direction.OUT].map((direction) => {
    const draft = new Draft(MessageType.NEWPOLICY, 0, Size.POLICY);
    draft.u16(PolicyField.SELECTOR + SELECTOR_FAMILY, family === 4 ? Family.IPV4 : Family.IPV6);
    writeLife(draft, PolicyField.LIFETIME, NO_LIMITS);
    draft.u8(PolicyField.DIRECTION, direction);
    const [level, option] = family === 4 ? [OptionLevel.IP, IP_XFRM_POLICY] : [OptionLevel.IPV6, IPV6_XFRM_POLICY];
    return { level, option, value: draft.finish().slice(Size.HEADER) };
  });

/** For the socket of the NAT-T port: ESP that comes there goes to the kernel's SAs, keepalives vanish, the rest is ours with its marker. */
export const udpEncapsulationOption = (): SocketSetting => {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setInt32(0, UDP_ENCAP_ESPINUDP, HOST_IS_LITTLE);
  return { level: OptionLevel.UDP, option: UDP_ENCAP, value };
};

const IP_XFRM_POLICY = 17;
const IPV6_XFRM_POLICY = 35;
const UDP_ENCAP = 100;
