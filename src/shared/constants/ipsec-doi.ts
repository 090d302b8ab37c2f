/** Numbers of the IPsec DOI: RFC 2407, AES additions of RFC 3602, 3686, 4106, 4543, SHA-2 of RFC 4868, UDP modes of RFC 3947. Names as isakmpd.conf(5) writes them. */

/** How long an IPsec SA lives where no life was agreed, RFC 2407 §4.5. */
export const DEFAULT_LIFE_SECONDS = 28_800;

/** The only situation we take part in, RFC 2407 §4.2. */
export const SITUATION_IDENTITY_ONLY = 1;

/** Security protocols, RFC 2407 §4.4.1. */
export const ProtocolId = { ISAKMP: 1, IPSEC_AH: 2, IPSEC_ESP: 3, IPCOMP: 4 } as const;

/** AH transforms, RFC 2407 §4.4.3 and RFC 4868. */
export const AhTransform = { MD5: 2, SHA: 3, DES: 4, SHA2_256: 5, SHA2_384: 6, SHA2_512: 7, RIPEMD: 8 } as const;

/** ESP transforms, RFC 2407 §4.4.4 and the AES RFCs. */
export const EspTransform = {
  DES_IV64: 1,
  DES: 2,
  '3DES': 3,
  RC5: 4,
  IDEA: 5,
  CAST: 6,
  BLOWFISH: 7,
  '3IDEA': 8,
  DES_IV32: 9,
  RC4: 10,
  NULL: 11,
  AES: 12,
  AES_CTR: 13,
  AES_GCM_16: 20,
  AES_GMAC: 23,
} as const;

/** Phase 2 attribute types, RFC 2407 §4.5; ECN_TUNNEL from RFC 3168 §9.2.1. */
export const IpsecAttribute = {
  LIFE_TYPE: 1,
  LIFE_DURATION: 2,
  GROUP_DESCRIPTION: 3,
  ENCAPSULATION_MODE: 4,
  AUTHENTICATION_ALGORITHM: 5,
  KEY_LENGTH: 6,
  KEY_ROUNDS: 7,
  COMPRESS_DICTIONARY_SIZE: 8,
  COMPRESS_PRIVATE_ALGORITHM: 9,
  ECN_TUNNEL: 10,
} as const;

export const EncapsulationMode = {
  TUNNEL: 1,
  TRANSPORT: 2,
  UDP_ENCAP_TUNNEL: 3,
  UDP_ENCAP_TRANSPORT: 4,
  UDP_ENCAP_TUNNEL_DRAFT: 61443,
  UDP_ENCAP_TRANSPORT_DRAFT: 61444,
} as const;

/** Phase 2 authentication algorithms, RFC 2407 §4.5 and RFC 4868. */
export const AuthenticationAlgorithm = {
  HMAC_MD5: 1,
  HMAC_SHA: 2,
  DES_MAC: 3,
  KPDK: 4,
  HMAC_SHA2_256: 5,
  HMAC_SHA2_384: 6,
  HMAC_SHA2_512: 7,
  HMAC_RIPEMD: 8,
} as const;

/** Identification types, RFC 2407 §4.6.2.1. */
export const IdType = {
  IPV4_ADDR: 1,
  FQDN: 2,
  USER_FQDN: 3,
  IPV4_ADDR_SUBNET: 4,
  IPV6_ADDR: 5,
  IPV6_ADDR_SUBNET: 6,
  IPV4_RANGE: 7,
  IPV6_RANGE: 8,
  DER_ASN1_DN: 9,
  DER_ASN1_GN: 10,
  KEY_ID: 11,
} as const;
const idTypeNames = new Map<number, string>(Object.entries(IdType).map(([name, value]) => [value, name]));
export const idTypeName = (value: number): string => idTypeNames.get(value) ?? String(value);
