/** What userland ESP can do in this process. */
import { AuthenticationAlgorithm, EncapsulationMode, EspTransform } from '../../shared/constants/ipsec-doi.ts';
import { createOpener } from '../../shared/esp/create-transform.ts';
import { type EspSuite, espSuite } from '../../shared/esp/suite.ts';
import { isTransport, standardMode } from '../../shared/policy/encapsulation.ts';
import type { Capabilities } from '../backend.ts';
import { isMissingAlgorithm } from './make-sa.ts';

export const userlandCapabilities = (): Capabilities => ({
  espTransforms: new Set(Object.values(EspTransform).filter((transform) => isTransformThere(transform))),
  ahTransforms: new Set(),
  authentications: new Set(
    Object.values(AuthenticationAlgorithm).filter((authentication) =>
      isThere(espSuite(EspTransform.NULL, 0, authentication, false)),
    ),
  ),
  encapsulations: new Set(Object.values(EncapsulationMode).filter((mode) => !isTransport(standardMode(mode)))),
  onlySha2Truncation96: false,
  lastUse: true,
  routes: false,
});

/** With an integrity check of its own, or one that every OpenSSL has. */
const isTransformThere = (transform: number): boolean =>
  isThere(espSuite(transform, 0, 0, false) ?? espSuite(transform, 0, AuthenticationAlgorithm.HMAC_SHA, false));

const isThere = (suite: EspSuite | undefined): boolean => {
  if (suite === undefined) return false;
  try {
    // Not all zero: OpenSSL refuses triple DES keys of equal parts in some builds.
    const key = Uint8Array.from({ length: suite.keySize + suite.saltSize }, (_, index) => index * 7 + 1);
    createOpener(suite, key, new Uint8Array(suite.hmacKeySize));
    return true;
  } catch (fault) {
    if (isMissingAlgorithm(fault)) return false;
    throw fault;
  }
};
