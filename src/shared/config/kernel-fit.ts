/** What of a configuration the kernel in use cannot do, and why. */
import {
  AhTransform,
  AuthenticationAlgorithm,
  EncapsulationMode,
  EspTransform,
  ProtocolId,
} from '../constants/ipsec-doi.ts';
import type { Phase2Transform } from '../policy/peer-policy.ts';

/** A kernel and what it has; numbers of the IPsec DOI. */
export interface KernelFit {
  readonly name: string;
  readonly espTransforms: ReadonlySet<number>;
  readonly ahTransforms: ReadonlySet<number>;
  readonly authentications: ReadonlySet<number>;
  readonly encapsulations: ReadonlySet<number>;
  /** It cannot truncate HMAC-SHA2-256 to 128 bits (RFC 4868), only to 96 as the draft did. */
  readonly onlySha2Truncation96: boolean;
}

/** Why a transform cannot be used with this kernel; undefined: it can. `sha2Truncation96`: the peer truncates as the draft did. */
export const misfitOf = (
  { name, espTransforms, ahTransforms, authentications, encapsulations, onlySha2Truncation96 }: KernelFit,
  protocolId: number,
  { transformId, authentication, encapsulation }: Phase2Transform,
  sha2Truncation96: boolean,
): string | undefined => {
  const isAh = protocolId === ProtocolId.IPSEC_AH;
  if (!(isAh ? ahTransforms : espTransforms).has(transformId)) {
    const what = isAh ? `AH with ${wordOf(AhTransform, transformId)}` : wordOf(EspTransform, transformId);
    return `${name} does not have ${what} on this machine`;
  }
  if (!isAh && authentication !== undefined && !authentications.has(authentication)) {
    return `${name} does not have ${wordOf(AuthenticationAlgorithm, authentication)} on this machine`;
  }
  if (!encapsulations.has(encapsulation)) {
    return `${name} does not have ${wordOf(EncapsulationMode, encapsulation)} mode, take another or [General]:Kernel=xfrm`;
  }
  const isSha256 = authentication === AuthenticationAlgorithm.HMAC_SHA2_256;
  return isSha256 && onlySha2Truncation96 && !sha2Truncation96 ? truncationText(name) : undefined;
};

const truncationText = (name: string): string =>
  `${name} truncates HMAC_SHA2_256 to 96 bits, and peers take 128: take [General]:Kernel=xfrm or HMAC_SHA2_512; or Flags=sha2-96 in its section for a peer that takes 96`;

const wordOf = (table: Readonly<Record<string, number>>, number: number): string =>
  Object.entries(table).find(([, value]) => value === number)?.[0] ?? String(number);
