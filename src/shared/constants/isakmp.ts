/** Numbers of the ISAKMP framework: RFC 2408, with the payload types of RFC 3947 and the vendors' private ones. */

/** Payload types, RFC 2408 §3.1; NAT-D and NAT-OA from RFC 3947 §3.2 (drafts: 130, 131); 132 is Cisco's IKE fragment. */
export const PayloadType = {
  NONE: 0,
  SA: 1,
  P: 2,
  T: 3,
  KE: 4,
  ID: 5,
  CERT: 6,
  CERTREQ: 7,
  HASH: 8,
  SIG: 9,
  NONCE: 10,
  NOTIFY: 11,
  DELETE: 12,
  VID: 13,
  ATTRIBUTE: 14,
  NAT_D: 20,
  NAT_OA: 21,
  NAT_D_DRAFT: 130,
  NAT_OA_DRAFT: 131,
  FRAGMENT: 132,
} as const;
export type PayloadType = (typeof PayloadType)[keyof typeof PayloadType];

/** Exchange types, RFC 2408 §3.1 and RFC 2409 appendix A; TRANSACTION is mode config's. */
export const ExchangeType = {
  NONE: 0,
  BASE: 1,
  ID_PROT: 2,
  AUTH_ONLY: 3,
  AGGRESSIVE: 4,
  INFO: 5,
  TRANSACTION: 6,
  QUICK_MODE: 32,
  NEW_GROUP_MODE: 33,
} as const;
export type ExchangeType = (typeof ExchangeType)[keyof typeof ExchangeType];

/** Header flags, RFC 2408 §3.1. */
export const HeaderFlag = { ENCRYPTION: 0x01, COMMIT: 0x02, AUTHENTICATION: 0x04 } as const;

/** Domains of interpretation, RFC 2408 §2.5 and RFC 2407 §4.1. */
export const Doi = { ISAKMP: 0, IPSEC: 1 } as const;

/** CERT and CERTREQ payloads, RFC 2408 §3.9; those that are used. */
export const CertificateEncoding = { PKCS7: 1, X509_SIGNATURE: 4, KEYNOTE: 11 } as const;

/** Notify message types, RFC 2408 §3.14.1, RFC 2407 §4.6.3, RFC 3706 §5.3. */
export const NotifyType = {
  INVALID_PAYLOAD_TYPE: 1,
  DOI_NOT_SUPPORTED: 2,
  SITUATION_NOT_SUPPORTED: 3,
  INVALID_COOKIE: 4,
  INVALID_MAJOR_VERSION: 5,
  INVALID_MINOR_VERSION: 6,
  INVALID_EXCHANGE_TYPE: 7,
  INVALID_FLAGS: 8,
  INVALID_MESSAGE_ID: 9,
  INVALID_PROTOCOL_ID: 10,
  INVALID_SPI: 11,
  INVALID_TRANSFORM_ID: 12,
  ATTRIBUTES_NOT_SUPPORTED: 13,
  NO_PROPOSAL_CHOSEN: 14,
  BAD_PROPOSAL_SYNTAX: 15,
  PAYLOAD_MALFORMED: 16,
  INVALID_KEY_INFORMATION: 17,
  INVALID_ID_INFORMATION: 18,
  INVALID_CERT_ENCODING: 19,
  INVALID_CERTIFICATE: 20,
  CERT_TYPE_UNSUPPORTED: 21,
  INVALID_CERT_AUTHORITY: 22,
  INVALID_HASH_INFORMATION: 23,
  AUTHENTICATION_FAILED: 24,
  INVALID_SIGNATURE: 25,
  ADDRESS_NOTIFICATION: 26,
  NOTIFY_SA_LIFETIME: 27,
  CERTIFICATE_UNAVAILABLE: 28,
  UNSUPPORTED_EXCHANGE_TYPE: 29,
  UNEQUAL_PAYLOAD_LENGTHS: 30,
  CONNECTED: 16384,
  RESPONDER_LIFETIME: 24576,
  REPLAY_STATUS: 24577,
  INITIAL_CONTACT: 24578,
  R_U_THERE: 36136,
  R_U_THERE_ACK: 36137,
} as const;
export type NotifyType = (typeof NotifyType)[keyof typeof NotifyType];

/** Error notifies are 1 to 8191, RFC 2408 §3.14.1; larger ones report a status. */
export const LAST_ERROR_NOTIFY = 8191;

const nameTable = (table: Readonly<Record<string, number>>): ReadonlyMap<number, string> =>
  new Map(Object.entries(table).map(([name, value]) => [value, name]));
const payloadNames = nameTable(PayloadType);
const exchangeNames = nameTable(ExchangeType);
const notifyNames = nameTable(NotifyType);

/** The name of a number for log lines; an unknown number prints as itself. */
export const payloadName = (value: number): string => payloadNames.get(value) ?? String(value);
export const exchangeName = (value: number): string => exchangeNames.get(value) ?? String(value);
export const notifyName = (value: number): string => notifyNames.get(value) ?? String(value);
