/** Our own IKE sockets pass by all policies: a negotiation must not wait for the SA that it makes. */
import { OptionLevel, type SocketSetting } from '../linux-sockets.ts';
import { ExtensionType, PolicyDirection, PolicyType } from './constants.ts';
import { type Policy, sizeOfExtension } from './extension.ts';
import { writeExtension } from './extension-writer.ts';

/** IP_IPSEC_POLICY of Linux, once per direction. The kernel refuses it (EINVAL) before the first PF_KEY socket of this machine was opened. */
export const bypassOptions = (family: 4 | 6): readonly SocketSetting[] =>
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
      ? { level: OptionLevel.IP, option: IP_IPSEC_POLICY, value }
      : { level: OptionLevel.IPV6, option: IPV6_IPSEC_POLICY, value };
  });

const IP_IPSEC_POLICY = 16;
const IPV6_IPSEC_POLICY = 34;
