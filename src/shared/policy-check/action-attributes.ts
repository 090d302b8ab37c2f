/** The action attributes of isakmpd.policy(5): what a quick mode is about, as conditions of a KeyNote policy see it. Names that there are none of have the value ''. */
import { AhTransform, AuthenticationAlgorithm, EspTransform, ProtocolId } from '../constants/ipsec-doi.ts';
import { ExchangeType } from '../constants/isakmp.ts';
import { isInUdp, isTransport } from '../policy/encapsulation.ts';
import { identityOfAddress } from '../policy/identity.ts';
import type { Identity } from '../policy/peer-policy.ts';
import type { Phase2Choice, Phase2ProtocolChoice } from '../policy/phase2-fit.ts';
import type { Selectors } from '../policy/selectors.ts';
import type { Path } from '../threads/contract.ts';
import { gmtTime, identityAttribute, localTime } from './attribute-forms.ts';

/** What is known in phase 1 of what the peer will ask for. */
export interface PeerAction {
  /** ExchangeType of phase 1. */
  readonly exchangeType: number;
  /** Group of phase 1. */
  readonly group: number;
  /** Who the peer is. */
  readonly remoteId: Identity;
  readonly path: Path;
  /** ms since 1970 */
  readonly at: number;
}

/** A candidate of a quick mode, and under whose ISAKMP SA it is negotiated. */
export interface QuickModeAction extends PeerAction {
  /** We began the quick mode. */
  readonly isInitiator: boolean;
  /** From this host's view. */
  readonly selectors: Selectors;
  readonly choice: Phase2Choice;
}

/** The value of an attribute by its name. */
export const attributesOf = (action: QuickModeAction): ((name: string) => string) => {
  const inPhase1 = attributesInPhase1(action);
  return (name) => inPhase1(name) ?? quickModeAttribute(action, name);
};

/** The same in phase 1; undefined where quick mode is going to tell. */
export const attributesInPhase1 =
  (action: PeerAction) =>
  (name: string): string | undefined => {
    const general = PEER.get(name);
    if (general !== undefined) return general(action);
    const identity = /^remote_id(?:_(.*))?$/.exec(name);
    if (identity !== null) return identityAttribute(action.remoteId, identity[1] ?? '');
    return QUICK_MODE.has(name) || OF_QUICK_MODE.test(name) ? undefined : '';
  };

const quickModeAttribute = (action: QuickModeAction, name: string): string => {
  const general = QUICK_MODE.get(name);
  if (general !== undefined) return general(action);
  const [, subject = '', detail = ''] = OF_QUICK_MODE.exec(name) ?? [];
  const protocolId = PROTOCOLS.get(subject);
  if (protocolId === undefined) {
    const { local, remote } = action.selectors;
    return identityAttribute(subject === 'remote_filter' ? remote : local, detail);
  }
  const protocol = action.choice.protocols.find((one) => one.protocolId === protocolId);
  if (detail === 'present') return yesOrNo(protocol !== undefined);
  return protocol === undefined ? '' : (PROTOCOL.get(detail)?.(protocol, action) ?? '');
};

const OF_QUICK_MODE = /^(esp|ah|comp|remote_filter|local_filter)(?:_(.*))?$/;

const yesOrNo = (value: boolean): string => (value ? 'yes' : 'no');
/** As the manual page has it, and not "0" as it says elsewhere: what is not there is ''. */
const numberText = (value: number | undefined): string => (value === undefined || value === 0 ? '' : String(value));

const addressText = (address: string): string => identityAttribute(identityOfAddress(address), '');

type PeerAttribute = (action: PeerAction) => string;

const PEER: ReadonlyMap<string, PeerAttribute> = new Map<string, PeerAttribute>([
  ['app_domain', () => 'IPsec policy'],
  ['doi', () => 'ipsec'],
  ['phase_1', ({ exchangeType }) => (exchangeType === ExchangeType.AGGRESSIVE ? 'aggressive' : 'main')],
  ['phase1_group_desc', ({ group }) => numberText(group)],
  ['remote_negotiation_address', ({ path }) => addressText(path.remote.address)],
  ['remote_ike_address', ({ path }) => addressText(path.remote.address)],
  ['local_negotiation_address', ({ path }) => addressText(path.local.address)],
  ['local_ike_address', ({ path }) => addressText(path.local.address)],
  ['GMTTimeOfDay', ({ at }) => gmtTime(at)],
  ['LocalTimeOfDay', ({ at }) => localTime(at)],
]);

type QuickModeAttribute = (action: QuickModeAction) => string;

const QUICK_MODE: ReadonlyMap<string, QuickModeAttribute> = new Map<string, QuickModeAttribute>([
  ['initiator', ({ isInitiator }) => yesOrNo(isInitiator)],
  ['pfs', ({ choice }) => yesOrNo(choice.group !== undefined)],
]);

const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['esp', ProtocolId.IPSEC_ESP],
  ['ah', ProtocolId.IPSEC_AH],
  ['comp', ProtocolId.IPCOMP],
]);

type ProtocolAttribute = (protocol: Phase2ProtocolChoice, action: QuickModeAction) => string;

const PROTOCOL: ReadonlyMap<string, ProtocolAttribute> = new Map<string, ProtocolAttribute>([
  [
    'enc_alg',
    ({ protocolId, transformId }) => (protocolId === ProtocolId.IPSEC_ESP ? nameIn(CIPHERS, transformId) : ''),
  ],
  // The original has the SHA-2 ones in ah_auth_alg.
  [
    'hash_alg',
    ({ protocolId, transformId }) => (protocolId === ProtocolId.IPSEC_AH ? nameIn(HASHES, transformId) : ''),
  ],
  ['auth_alg', ({ authentication }) => nameIn(AUTHENTICATIONS, authentication)],
  ['life_kbytes', (_, { choice }) => numberText(choice.lifetimes.kilobytes)],
  ['life_seconds', (_, { choice }) => numberText(choice.lifetimes.seconds)],
  ['group_desc', (_, { choice }) => numberText(choice.group)],
  ['key_length', ({ keyLength }) => numberText(keyLength)],
  ['encapsulation', ({ encapsulation }) => modeText(encapsulation)],
  ['ecn', () => 'no'],
]);

/** The original calls transport mode in UDP transport, too. */
const modeText = (mode: number): string => {
  if (isTransport(mode)) return 'transport';
  return isInUdp(mode) ? 'udp-encap-tunnel' : 'tunnel';
};

const nameIn = (names: ReadonlyMap<number, string>, value: number | undefined): string => names.get(value ?? 0) ?? '';

/** Every mode of AES is `aes`. */
const CIPHERS: ReadonlyMap<number, string> = new Map([
  [EspTransform.DES_IV64, 'des-iv64'],
  [EspTransform.DES, 'des'],
  [EspTransform['3DES'], '3des'],
  [EspTransform.CAST, 'cast'],
  [EspTransform.BLOWFISH, 'blowfish'],
  [EspTransform.NULL, 'null'],
  [EspTransform.AES, 'aes'],
  [EspTransform.AES_CTR, 'aes'],
  [EspTransform.AES_GCM_16, 'aes'],
  [EspTransform.AES_GMAC, 'aes'],
]);

const HASHES: ReadonlyMap<number, string> = new Map([
  [AhTransform.MD5, 'md5'],
  [AhTransform.SHA, 'sha'],
  [AhTransform.RIPEMD, 'ripemd'],
  [AhTransform.DES, 'des'],
  [AhTransform.SHA2_256, 'sha2-256'],
  [AhTransform.SHA2_384, 'sha2-384'],
  [AhTransform.SHA2_512, 'sha2-512'],
]);

const AUTHENTICATIONS: ReadonlyMap<number, string> = new Map([
  [AuthenticationAlgorithm.HMAC_MD5, 'hmac-md5'],
  [AuthenticationAlgorithm.HMAC_SHA, 'hmac-sha'],
  [AuthenticationAlgorithm.HMAC_RIPEMD, 'hmac-ripemd'],
  [AuthenticationAlgorithm.DES_MAC, 'des-mac'],
  [AuthenticationAlgorithm.KPDK, 'kpdk'],
  [AuthenticationAlgorithm.HMAC_SHA2_256, 'hmac-sha2-256'],
  [AuthenticationAlgorithm.HMAC_SHA2_384, 'hmac-sha2-384'],
  [AuthenticationAlgorithm.HMAC_SHA2_512, 'hmac-sha2-512'],
]);
