/** What is too weak to be accepted from a peer unless its section says Legacy-crypto=yes, even where configuration leaves the choice to the peer. */
import { EspTransform, ProtocolId } from '../constants/ipsec-doi.ts';
import { EncryptionAlgorithm, GroupDescription } from '../constants/oakley.ts';

/** Phase 1: single DES and group 1. */
export const needsLegacyPhase1 = ({
  encryption,
  group,
}: {
  readonly encryption: number;
  readonly group: number;
}): boolean => encryption === EncryptionAlgorithm.DES_CBC || group === GroupDescription.MODP_768;

/** Quick mode: single DES, PFS with group 1, and ESP that anybody on the way could alter. */
export const needsLegacyPhase2 = (
  protocolId: number,
  transformId: number,
  authentication: number | undefined,
  group: number | undefined,
): boolean =>
  group === GroupDescription.MODP_768 ||
  (protocolId === ProtocolId.IPSEC_ESP &&
    (transformId === EspTransform.DES || (authentication === undefined && !AUTHENTICATES_ITSELF.has(transformId))));

const AUTHENTICATES_ITSELF: ReadonlySet<number> = new Set([EspTransform.AES_GCM_16, EspTransform.AES_GMAC]);
