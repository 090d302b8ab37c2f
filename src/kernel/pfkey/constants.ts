/** Numbers of PF_KEY v2: RFC 2367, and what Linux adds to it (linux/pfkeyv2.h, after KAME). X_ marks what is not in the RFC. */

/** The only version, RFC 2367 §2.1. */
export const PF_KEY_V2 = 2;

/** Message types, RFC 2367 §3.1. */
export const MessageType = {
  GETSPI: 1,
  UPDATE: 2,
  ADD: 3,
  DELETE: 4,
  GET: 5,
  ACQUIRE: 6,
  REGISTER: 7,
  EXPIRE: 8,
  FLUSH: 9,
  DUMP: 10,
  X_SPDUPDATE: 13,
  X_SPDADD: 14,
  X_SPDDELETE: 15,
  X_SPDDUMP: 18,
  X_SPDFLUSH: 19,
  X_NAT_T_NEW_MAPPING: 23,
  X_MIGRATE: 24,
} as const;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** Extension types, RFC 2367 §2.3. */
export const ExtensionType = {
  SA: 1,
  LIFETIME_CURRENT: 2,
  LIFETIME_HARD: 3,
  LIFETIME_SOFT: 4,
  ADDRESS_SRC: 5,
  ADDRESS_DST: 6,
  ADDRESS_PROXY: 7,
  KEY_AUTH: 8,
  KEY_ENCRYPT: 9,
  SUPPORTED_AUTH: 14,
  SUPPORTED_ENCRYPT: 15,
  SPIRANGE: 16,
  X_POLICY: 18,
  X_SA2: 19,
  X_NAT_T_TYPE: 20,
  X_NAT_T_SPORT: 21,
  X_NAT_T_DPORT: 22,
} as const;

/** Kinds of SA, RFC 2367 §3.1. */
export const SaType = { UNSPEC: 0, AH: 2, ESP: 3 } as const;
export type SaType = (typeof SaType)[keyof typeof SaType];

/** States of an SA, RFC 2367 §3.1. */
export const SaState = { LARVAL: 0, MATURE: 1, DYING: 2, DEAD: 3 } as const;

/** Authentication algorithms, RFC 2367 §3.5 and linux/pfkeyv2.h. */
export const AuthAlgorithm = {
  NONE: 0,
  MD5_HMAC: 2,
  SHA1_HMAC: 3,
  X_SHA2_256_HMAC: 5,
  X_SHA2_384_HMAC: 6,
  X_SHA2_512_HMAC: 7,
  X_RIPEMD160_HMAC: 8,
} as const;

/** Encryption algorithms, RFC 2367 §3.5 and linux/pfkeyv2.h. */
export const EncryptAlgorithm = {
  NONE: 0,
  DES_CBC: 2,
  '3DES_CBC': 3,
  X_CAST_CBC: 6,
  X_BLOWFISH_CBC: 7,
  NULL: 11,
  X_AES_CBC: 12,
  X_AES_CTR: 13,
} as const;

/** What a policy does with packets. BYPASS exists on sockets only. */
export const PolicyType = { DISCARD: 0, NONE: 1, IPSEC: 2, ENTRUST: 3, BYPASS: 4 } as const;

/** Directions of a policy; also the low three bits of a policy's index, less one. */
export const PolicyDirection = { IN: 1, OUT: 2, FORWARD: 3 } as const;
export type PolicyDirection = (typeof PolicyDirection)[keyof typeof PolicyDirection];

/** What a policy asks of an SA: any that fits, or only one with the request's reqid. */
export const PolicyLevel = { USE: 1, REQUIRE: 2, UNIQUE: 3 } as const;

/** Modes of an SA. */
export const SaMode = { TRANSPORT: 1, TUNNEL: 2 } as const;
export type SaMode = (typeof SaMode)[keyof typeof SaMode];

/** UDP_ENCAP_ESPINUDP of linux/udp.h, RFC 3948. */
export const ESP_IN_UDP = 2;

/** IP protocol numbers of the security protocols. */
export const IpProtocol = { ESP: 50, AH: 51 } as const;

/** Linux puts a number of its own in place of any greater reqid of a policy, without a word. */
export const LAST_REQID = 0x3fff;

/** errno values of answers that mean something to us (asm-generic/errno.h). */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EBUSY: 16,
  EEXIST: 17,
  EINVAL: 22,
  ENOSYS: 38,
  ENOPROTOOPT: 92,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
} as const;
