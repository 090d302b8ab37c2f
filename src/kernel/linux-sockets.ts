/** Numbers of Linux's socket calls that this program uses; names as in the system's headers. */

/** AF_* */
export const AddressFamily = { INET: 2, INET6: 10, KEY: 15, NETLINK: 16, PACKET: 17 } as const;

/** SOCK_* */
export const SocketType = { DGRAM: 2, RAW: 3 } as const;

/** SOL_*, IPPROTO_* */
export const OptionLevel = { IP: 0, SOCKET: 1, UDP: 17, IPV6: 41, NETLINK: 270 } as const;

/** One option with its value, for setsockopt(2). */
export interface SocketSetting {
  readonly level: number;
  readonly option: number;
  readonly value: Uint8Array;
}

/** SO_* */
export const SocketOption = { REUSEADDR: 2, RCVBUF: 8, REUSEPORT: 15, RCVBUFFORCE: 33, MARK: 36 } as const;

/** IP_* */
export const IpOption = { TOS: 1, PKTINFO: 8, MTU_DISCOVER: 10, MTU: 14 } as const;

/** UDP_* */
export const UdpOption = { SEGMENT: 103 } as const;

/** NETLINK_*: refusals repeat only the header of what was refused, and say why in words. */
export const NetlinkOption = { CAP_ACK: 10, EXT_ACK: 11 } as const;

/** IPV6_* */
export const Ipv6Option = { MTU_DISCOVER: 23, MTU: 24, V6ONLY: 26, RECVPKTINFO: 49, TCLASS: 67 } as const;

/** IP_PMTUDISC_*; the same numbers for IPv6. */
export const PMTUDISC_DONT = 0;
export const PMTUDISC_DO = 2;
