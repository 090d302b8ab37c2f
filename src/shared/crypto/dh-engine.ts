/** A way to do Diffie-Hellman in one group. There are two for each kind of group, and which is faster depends on the version of Node. */
import { NotifyType } from '../constants/isakmp.ts';
import { ProtocolError } from '../errors.ts';

export interface DhEngine {
  /** g^x as the KE payload carries it, always of the group's public size. */
  readonly publicValue: (privateValue: Uint8Array) => Uint8Array;
  /** g^xy, always of the group's secret size. Throws a ProtocolError (INVALID_KEY_INFORMATION) for a peer's value that is none. */
  readonly sharedSecret: (privateValue: Uint8Array, peerPublic: Uint8Array) => Uint8Array;
}

export const invalidPublicValue = (reason: string): ProtocolError =>
  new ProtocolError(NotifyType.INVALID_KEY_INFORMATION, `the public value ${reason}`);

/**
 * Runs one call into OpenSSL in which only the peer's value can be at fault. Node 22 and 24 give these faults no code to tell
 * them by, so nothing else may happen inside `call`.
 */
export const blamingPeer = <T>(call: () => T): T => {
  try {
    return call();
  } catch {
    throw invalidPublicValue('was refused by OpenSSL');
  }
};
