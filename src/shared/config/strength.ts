/** Which algorithms are too weak to be used at all, only on request, or without a warning. */
import { AuthenticationAlgorithm, EspTransform, ProtocolId } from '../constants/ipsec-doi.ts';
import { EncryptionAlgorithm, GroupDescription, HashAlgorithm, nameOf } from '../constants/oakley.ts';
import type { PeerPolicy, Phase1Transform, SuiteProtocol } from '../policy/peer-policy.ts';
import { refusedValue } from './read-tag.ts';
import type { Resolution } from './resolution.ts';
import type { Tag } from './schema.ts';

/** 'legacy': only with Legacy-crypto=yes; 'weak': works when named, with a warning; what is not in a table is strong. */
type Strength = 'never' | 'legacy' | 'weak';
type Strengths = ReadonlyMap<number, Strength>;

/** Throws a ConfigError for an algorithm that may not be used with this peer. */
export const admit = (
  { reader, peer, legacyCrypto }: Resolution,
  section: string,
  row: Tag<unknown>,
  value: number,
  strengths: Strengths,
): void => {
  const strength = strengths.get(value);
  if (strength === 'never') throw refusedValue(reader, section, row, NEVER);
  if (strength === 'legacy' && !legacyCrypto) throw refusedValue(reader, section, row, onRequest(peer));
};

/** What allows an algorithm that is refused otherwise. */
export const onRequest = (peer: string): string => `it is too weak, only [${peer}]:Legacy-crypto=yes allows it`;

/** The one warning about a peer's weak algorithms, to go on after its name; undefined where it has none. */
export const weaknessWarning = ({ transforms, connections }: PeerPolicy): string | undefined => {
  const protocols = connections.flatMap(({ suites }) => suites.flatMap((suite) => suite.protocols));
  const weak = new Set([...transforms.flatMap(weakInPhase1), ...protocols.flatMap(weakInPhase2)]);
  if (weak.size === 0) return undefined;
  const remedy = 'take AES, SHA2_256 and MODP_2048 or better as soon as the peer can';
  return `allows weak algorithms: ${[...weak].join(', ')}; ${remedy}`;
};

const weakInPhase1 = ({ encryption, hash, group }: Phase1Transform): readonly string[] => [
  ...weakName(EncryptionAlgorithm, ENCRYPTION_STRENGTHS, encryption),
  ...weakName(HashAlgorithm, HASH_STRENGTHS, hash),
  ...weakName(GroupDescription, GROUP_STRENGTHS, group),
];

const weakInPhase2 = ({ protocolId, transforms }: SuiteProtocol): readonly string[] =>
  transforms.flatMap(({ transformId, authentication, group }) => [
    ...(protocolId === ProtocolId.IPSEC_ESP ? weakName(EspTransform, ESP_STRENGTHS, transformId) : []),
    ...weakName(AuthenticationAlgorithm, INTEGRITY_STRENGTHS, authentication),
    ...weakName(GroupDescription, GROUP_STRENGTHS, group),
    ...(isUnauthenticated(protocolId, transformId, authentication) ? ['ESP without authentication'] : []),
  ]);

const weakName = (
  names: Readonly<Record<string, number>>,
  strengths: Strengths,
  value: number | 'ANY' | undefined,
): readonly string[] => (value === undefined || value === 'ANY' || !strengths.has(value) ? [] : [nameOf(names, value)]);

/** ESP that anybody on the way could alter: no authentication, and a cipher that does not bring its own. */
export const isUnauthenticated = (
  protocolId: number,
  transformId: number,
  authentication: number | undefined,
): boolean =>
  protocolId === ProtocolId.IPSEC_ESP && authentication === undefined && !authenticatesItself(protocolId, transformId);

/** GCM and GMAC. */
export const authenticatesItself = (protocolId: number, transformId: number): boolean =>
  protocolId === ProtocolId.IPSEC_ESP &&
  (transformId === EspTransform.AES_GCM_16 || transformId === EspTransform.AES_GMAC);

/** Refused whatever is configured. */
export const NEVER = 'it is broken or obsolete and is never used';

export const ENCRYPTION_STRENGTHS: Strengths = new Map([
  [EncryptionAlgorithm.DES_CBC, 'legacy'],
  [EncryptionAlgorithm.IDEA_CBC, 'never'],
  [EncryptionAlgorithm.BLOWFISH_CBC, 'weak'],
  [EncryptionAlgorithm.RC5_R16_B64_CBC, 'never'],
  [EncryptionAlgorithm['3DES_CBC'], 'weak'],
  [EncryptionAlgorithm.CAST_CBC, 'weak'],
]);

export const HASH_STRENGTHS: Strengths = new Map([
  [HashAlgorithm.MD5, 'weak'],
  [HashAlgorithm.SHA, 'weak'],
  [HashAlgorithm.TIGER, 'never'],
]);

export const GROUP_STRENGTHS: Strengths = new Map([
  [GroupDescription.MODP_768, 'legacy'],
  [GroupDescription.MODP_1024, 'weak'],
  [GroupDescription.EC2N_155, 'never'],
  [GroupDescription.EC2N_185, 'never'],
  [GroupDescription.MODP_1536, 'weak'],
]);

export const ESP_STRENGTHS: Strengths = new Map([
  [EspTransform.DES_IV64, 'never'],
  [EspTransform.DES, 'legacy'],
  [EspTransform['3DES'], 'weak'],
  [EspTransform.RC5, 'never'],
  [EspTransform.IDEA, 'never'],
  [EspTransform.CAST, 'weak'],
  [EspTransform.BLOWFISH, 'weak'],
  [EspTransform['3IDEA'], 'never'],
  [EspTransform.DES_IV32, 'never'],
  [EspTransform.RC4, 'never'],
  [EspTransform.NULL, 'weak'],
]);

export const INTEGRITY_STRENGTHS: Strengths = new Map([
  [AuthenticationAlgorithm.HMAC_MD5, 'weak'],
  [AuthenticationAlgorithm.HMAC_SHA, 'weak'],
  [AuthenticationAlgorithm.DES_MAC, 'never'],
  [AuthenticationAlgorithm.KPDK, 'never'],
  [AuthenticationAlgorithm.HMAC_RIPEMD, 'weak'],
]);
