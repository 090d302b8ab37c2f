/** Our own IKE sockets pass by all policies: a negotiation must not wait for the SA that it makes. */
import { ExtensionType, PolicyDirection, PolicyType } from './constants.ts';
import { type Policy, sizeOfExtension } from './extension.ts';
import { writeExtension } from './extension-writer.ts';

/** For setsockopt(). */
export interface SocketOption {
  readonly level: number;
  readonly option: number;
  readonly value: Uint8Array;
}

/** IP_IPSEC_POLICY of Linux, once per direction. The kernel refuses it (EINVAL) before the first PF_KEY socket of this machine was opened. */
export const bypassOptions = (family: 4 | 6): readonly SocketOption[] =>
  [PolicyDirection.IN, PolicyDirection.OUT].map((direction) => {
    const policy: Policy = {
      type: ExtensionType.X_POLICY,
      action: PolicyType.BYPASS,
      direction,
      id: 0,
      priority: 0,
      requests: [],
    };
    const value = new Uint8Array(sizeOfExtension(policy));
    writeExtension(policy, value);
    return family === 4
      ? { level: SOL_IP, option: IP_IPSEC_POLICY, value }
      : { level: SOL_IPV6, option: IPV6_IPSEC_POLICY, value };
  });

const SOL_IP = 0;
const IP_IPSEC_POLICY = 16;
const SOL_IPV6 = 41;
const IPV6_IPSEC_POLICY = 34;
