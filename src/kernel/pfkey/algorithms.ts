/** Algorithms: the numbers of the IPsec DOI against those of PF_KEY, and what of them this kernel has. */
import {
  AhTransform,
  AuthenticationAlgorithm,
  EncapsulationMode,
  EspTransform,
  ProtocolId,
} from '../../shared/constants/ipsec-doi.ts';
import type { IpsecSa } from '../../shared/threads/contract.ts';
import { type Capabilities, KernelError } from '../backend.ts';
import { AuthAlgorithm, EncryptAlgorithm, ExtensionType } from './constants.ts';
import type { Algorithm } from './extension.ts';
import { extensionOf, type Message } from './message.ts';

/** What the answer to a REGISTER lists. */
export interface Supported {
  readonly auth: ReadonlyMap<number, Algorithm>;
  readonly encrypt: ReadonlyMap<number, Algorithm>;
}

/** Reads the answer to a REGISTER; a list that is missing is empty. */
export const supportedBy = (answer: Message): Supported => ({
  auth: byId(extensionOf(answer, ExtensionType.SUPPORTED_AUTH)?.algorithms ?? []),
  encrypt: byId(extensionOf(answer, ExtensionType.SUPPORTED_ENCRYPT)?.algorithms ?? []),
});

const byId = (algorithms: readonly Algorithm[]): ReadonlyMap<number, Algorithm> =>
  new Map(algorithms.map((algorithm) => [algorithm.id, algorithm]));

export const capabilitiesOf = ({ auth, encrypt }: Supported): Capabilities => ({
  espTransforms: knownIn(ESP_TRANSFORMS, encrypt),
  ahTransforms: knownIn(AH_TRANSFORMS, auth),
  authentications: knownIn(AUTHENTICATIONS, auth),
  encapsulations: new Set(Object.values(EncapsulationMode)),
  onlySha2Truncation96: true,
  lastUse: false,
  routes: false,
});

const knownIn = (ours: ReadonlyMap<number, number>, theirs: ReadonlyMap<number, Algorithm>): ReadonlySet<number> =>
  new Set([...ours].filter(([, number]) => theirs.has(number)).map(([transform]) => transform));

/** PF_KEY's numbers for what was negotiated. */
export interface AlgorithmNumbers {
  readonly auth: number;
  readonly encrypt: number;
}

/** Throws KernelError 'unsupported' for what cannot be asked of this kernel, with the reason. */
export const algorithmsFor = (sa: IpsecSa, supported: Supported, sha2Truncation96: boolean): AlgorithmNumbers => {
  const isAh = sa.protocolId === ProtocolId.IPSEC_AH;
  if (!isAh && sa.protocolId !== ProtocolId.IPSEC_ESP) {
    throw new KernelError('unsupported', `PF_KEY: protocol ${sa.protocolId} is neither AH nor ESP`);
  }
  const auth = isAh ? AH_TRANSFORMS.get(sa.transformId) : authNumber(sa.authentication);
  const encrypt = isAh ? EncryptAlgorithm.NONE : ESP_TRANSFORMS.get(sa.transformId);
  if (encrypt === undefined) throw new KernelError('unsupported', `PF_KEY has no ESP transform ${sa.transformId}`);
  if (auth === undefined) {
    const what = isAh ? `AH transform ${sa.transformId}` : `authentication algorithm ${sa.authentication}`;
    throw new KernelError('unsupported', `PF_KEY has no ${what}`);
  }
  if (auth === AuthAlgorithm.X_SHA2_256_HMAC && !sha2Truncation96) {
    throw new KernelError(
      'unsupported',
      'PF_KEY truncates HMAC-SHA2-256 to 96 bits, the peer would have 128: another algorithm, or Flags=sha2-96 for a peer that truncates so',
    );
  }
  if (auth !== AuthAlgorithm.NONE) checkKey('authentication', auth, supported.auth, sa.authenticationKey);
  if (encrypt !== EncryptAlgorithm.NONE) checkKey('encryption', encrypt, supported.encrypt, sa.encryptionKey);
  return { auth, encrypt };
};

const authNumber = (authentication: number): number | undefined =>
  authentication === 0 ? AuthAlgorithm.NONE : AUTHENTICATIONS.get(authentication);

/** The kernel installs some keys of the wrong length without a word. */
const checkKey = (what: string, number: number, supported: ReadonlyMap<number, Algorithm>, key: Uint8Array): void => {
  const algorithm = supported.get(number);
  const bits = key.length * 8;
  if (algorithm === undefined) throw new KernelError('unsupported', `the kernel has no ${what} algorithm ${number}`);
  if (bits < algorithm.minBits || bits > algorithm.maxBits) {
    const { minBits, maxBits } = algorithm;
    throw new KernelError(
      'unsupported',
      `the kernel's ${what} algorithm ${number} takes keys of ${minBits} to ${maxBits} bits, not ${bits}`,
    );
  }
};

/** AES-CTR has its nonce of 4 bytes behind the key, in PF_KEY as in KEYMAT (RFC 3686 §5.1). AEAD transforms cannot be said in PF_KEY. */
const ESP_TRANSFORMS: ReadonlyMap<number, number> = new Map([
  [EspTransform.DES, EncryptAlgorithm.DES_CBC],
  [EspTransform['3DES'], EncryptAlgorithm['3DES_CBC']],
  [EspTransform.CAST, EncryptAlgorithm.X_CAST_CBC],
  [EspTransform.BLOWFISH, EncryptAlgorithm.X_BLOWFISH_CBC],
  [EspTransform.NULL, EncryptAlgorithm.NULL],
  [EspTransform.AES, EncryptAlgorithm.X_AES_CBC],
  [EspTransform.AES_CTR, EncryptAlgorithm.X_AES_CTR],
]);

const AUTHENTICATIONS: ReadonlyMap<number, number> = new Map([
  [AuthenticationAlgorithm.HMAC_MD5, AuthAlgorithm.MD5_HMAC],
  [AuthenticationAlgorithm.HMAC_SHA, AuthAlgorithm.SHA1_HMAC],
  [AuthenticationAlgorithm.HMAC_SHA2_256, AuthAlgorithm.X_SHA2_256_HMAC],
  [AuthenticationAlgorithm.HMAC_SHA2_384, AuthAlgorithm.X_SHA2_384_HMAC],
  [AuthenticationAlgorithm.HMAC_SHA2_512, AuthAlgorithm.X_SHA2_512_HMAC],
  [AuthenticationAlgorithm.HMAC_RIPEMD, AuthAlgorithm.X_RIPEMD160_HMAC],
]);

const AH_TRANSFORMS: ReadonlyMap<number, number> = new Map([
  [AhTransform.MD5, AuthAlgorithm.MD5_HMAC],
  [AhTransform.SHA, AuthAlgorithm.SHA1_HMAC],
  [AhTransform.SHA2_256, AuthAlgorithm.X_SHA2_256_HMAC],
  [AhTransform.SHA2_384, AuthAlgorithm.X_SHA2_384_HMAC],
  [AhTransform.SHA2_512, AuthAlgorithm.X_SHA2_512_HMAC],
  [AhTransform.RIPEMD, AuthAlgorithm.X_RIPEMD160_HMAC],
]);
