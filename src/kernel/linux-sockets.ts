/** Numbers of Linux's socket calls that this program uses; names as in the system's headers. */

/** AF_* */
export const AddressFamily = { INET: 2, INET6: 10, KEY: 15, NETLINK: 16 } as const;

/** SOCK_* */
export const SocketType = { DGRAM: 2, RAW: 3 } as const;

/** SOL_*, IPPROTO_* */
export const OptionLevel = { IP: 0, SOCKET: 1, IPV6: 41, NETLINK: 270 } as const;

/** SO_* */
export const SocketOption = { REUSEADDR: 2, RCVBUF: 8, RCVBUFFORCE: 33 } as const;

/** IP_* */
export const IpOption = { PKTINFO: 8, MTU_DISCOVER: 10 } as const;

/** NETLINK_*: refusals repeat only the header of what was refused, and say why in words. */
export const NetlinkOption = { CAP_ACK: 10, EXT_ACK: 11 } as const;

/** IPV6_* */
export const Ipv6Option = { V6ONLY: 26, RECVPKTINFO: 49 } as const;

/** IP_PMTUDISC_DONT */
export const PMTUDISC_DONT = 0;
