/** Numbers of NETLINK_XFRM (linux/netlink.h, linux/xfrm.h): message types, flags, attributes, sizes of structures. */

/** Control messages are those below 16. */
export const MessageType = {
  ERROR: 2,
  DONE: 3,
  NEWSA: 0x10,
  DELSA: 0x11,
  GETSA: 0x12,
  NEWPOLICY: 0x13,
  DELPOLICY: 0x14,
  GETPOLICY: 0x15,
  ALLOCSPI: 0x16,
  ACQUIRE: 0x17,
  EXPIRE: 0x18,
  UPDPOLICY: 0x19,
  UPDSA: 0x1a,
  MAPPING: 0x26,
} as const;

export const MessageFlag = {
  REQUEST: 1,
  MULTI: 2,
  ACK: 4,
  DUMP: 0x300,
  /** Of an error: the refused message is not repeated, only its header. */
  CAPPED: 0x100,
  /** Of an error: attributes follow (extended acknowledgement). */
  ACK_TLVS: 0x200,
} as const;

export const Attribute = {
  ALG_CRYPT: 2,
  ENCAP: 4,
  TMPL: 5,
  LTIME_VAL: 9,
  REPLAY_VAL: 10,
  SRCADDR: 13,
  ALG_AEAD: 18,
  ALG_AUTH_TRUNC: 20,
  MARK: 21,
  REPLAY_ESN_VAL: 23,
  LASTUSED: 27,
  IF_ID: 31,
} as const;

/** Multicast groups as bits, for bind. Nothing of what we do ourselves is echoed to these. */
export const XFRM_GROUPS = 0x01 /* ACQUIRE */ | 0x02 /* EXPIRE */ | 0x80; /* MAPPING */

/** Bytes. */
export const Size = {
  HEADER: 16,
  SELECTOR: 56,
  ADDRESS: 16,
  SA: 224,
  SA_ID: 24,
  SPI_RANGE: 232,
  LIFETIME: 64,
  USAGE: 32,
  POLICY: 168,
  POLICY_ID: 64,
  TEMPLATE: 64,
  ACQUIRE: 280,
  EXPIRE: 232,
  MAPPING: 64,
  ALGORITHM_NAME: 64,
  ENCAPSULATION: 24,
} as const;

/** Where fields of xfrm_usersa_info begin. */
export const SaField = {
  SELECTOR: 0,
  DESTINATION: 56,
  SPI: 72,
  PROTOCOL: 76,
  SOURCE: 80,
  LIFETIME: 96,
  USAGE: 160,
  SEQUENCE: 204,
  REQID: 208,
  FAMILY: 212,
  MODE: 214,
  REPLAY_WINDOW: 215,
  FLAGS: 216,
} as const;

/** Where fields of xfrm_userpolicy_info begin. */
export const PolicyField = { SELECTOR: 0, LIFETIME: 56, PRIORITY: 152, DIRECTION: 160 } as const;

/** Where in a xfrm_selector. */
export const SELECTOR_FAMILY = 40;

export const SaFlag = {
  /** The SA carries either family, whatever its own addresses are. */
  AF_UNSPEC: 32,
  /** The ICV of AH ends at 4 bytes, as RFC 2402 §3.3.3.2.1 wants for IPv4; Linux by itself takes 8. */
  ALIGN4: 64,
} as const;

export const Mode = { TRANSPORT: 0, TUNNEL: 1 } as const;

export const Direction = { IN: 0, OUT: 1, FORWARD: 2 } as const;
export type Direction = (typeof Direction)[keyof typeof Direction];

/** IP protocols that have SAs. */
export const IpProtocol = { ESP: 50, AH: 51 } as const;

export const Family = { IPV4: 2, IPV6: 10 } as const;
