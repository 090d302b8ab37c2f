/** Phase 1 attributes and their values: RFC 2409 appendix A, groups of RFC 3526, 5903, 5114 and 6932. Names as isakmpd.conf(5) writes them. */

/** Phase 1 attribute types, RFC 2409 appendix A. */
export const OakleyAttribute = {
  ENCRYPTION_ALGORITHM: 1,
  HASH_ALGORITHM: 2,
  AUTHENTICATION_METHOD: 3,
  GROUP_DESCRIPTION: 4,
  GROUP_TYPE: 5,
  GROUP_PRIME: 6,
  GROUP_GENERATOR_ONE: 7,
  GROUP_GENERATOR_TWO: 8,
  GROUP_CURVE_A: 9,
  GROUP_CURVE_B: 10,
  LIFE_TYPE: 11,
  LIFE_DURATION: 12,
  PRF: 13,
  KEY_LENGTH: 14,
  FIELD_SIZE: 15,
  GROUP_ORDER: 16,
} as const;

export const EncryptionAlgorithm = {
  DES_CBC: 1,
  IDEA_CBC: 2,
  BLOWFISH_CBC: 3,
  RC5_R16_B64_CBC: 4,
  '3DES_CBC': 5,
  CAST_CBC: 6,
  AES_CBC: 7,
} as const;

export const HashAlgorithm = { MD5: 1, SHA: 2, TIGER: 3, SHA2_256: 4, SHA2_384: 5, SHA2_512: 6 } as const;

export const AuthenticationMethod = {
  PRE_SHARED: 1,
  DSS: 2,
  RSA_SIG: 3,
  RSA_ENC: 4,
  RSA_ENC_REV: 5,
  EL_GAMAL_ENC: 6,
  EL_GAMAL_ENC_REV: 7,
  ECDSA_SIG: 8,
  // RFC 4754: on P-256, P-384 and P-521.
  ECDSA_256: 9,
  ECDSA_384: 10,
  ECDSA_521: 11,
} as const;

export const GroupDescription = {
  MODP_768: 1,
  MODP_1024: 2,
  EC2N_155: 3,
  EC2N_185: 4,
  MODP_1536: 5,
  MODP_2048: 14,
  MODP_3072: 15,
  MODP_4096: 16,
  MODP_6144: 17,
  MODP_8192: 18,
  ECP_256: 19,
  ECP_384: 20,
  ECP_521: 21,
  ECP_192: 25,
  ECP_224: 26,
  BP_224: 27,
  BP_256: 28,
  BP_384: 29,
  BP_512: 30,
} as const;

/** Life types, the same in phase 1 (RFC 2409 appendix A) and phase 2 (RFC 2407 §4.5). */
export const LifeType = { SECONDS: 1, KILOBYTES: 2 } as const;

/** The one ISAKMP transform, RFC 2407 §4.4.2. */
export const KEY_IKE = 1;

/** The name of value `value` in one of the tables above; an unknown value prints as itself. */
export const nameOf = (table: Readonly<Record<string, number>>, value: number): string => {
  for (const [name, number] of Object.entries(table)) if (number === value) return name;
  return String(value);
};
