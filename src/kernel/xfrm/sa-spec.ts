/** What was negotiated, in the kernel's words. */

import type { Route } from '../../shared/flow.ts';
import type { IpsecSa } from '../../shared/threads/contract.ts';
import { KernelError, type SaContext } from '../backend.ts';
import { AUTHENTICATIONS, CIPHERS, icvBitsOf } from './algorithms.ts';
import { IpProtocol, Mode, SaFlag } from './layout.ts';
import type { Keyed, SaSpec } from './sa-messages.ts';
import { addressBytes, ipProtocolOf } from './structs.ts';

/**
 * `isInner` false: another SA of its pair makes the tunnel, so this one is in transport mode whatever was negotiated. Throws KernelError
 * 'unsupported' for algorithms the kernel has no name for.
 */
export const specOf = (sa: IpsecSa, context: SaContext, isInner: boolean): SaSpec => {
  const isIn = sa.direction === 'in';
  const { protocolId, spi, source, destination } = sa;
  return {
    id: { protocolId, spi, destination },
    source,
    reqid: context.reqid,
    sequence: isIn ? 0 : (context.acquire ?? 0),
    mode: isInner ? modeOf(sa.encapsulation) : Mode.TRANSPORT,
    flags: (context.selectors === undefined ? SaFlag.AF_UNSPEC : 0) | (isAhOverIpv4(sa) ? SaFlag.ALIGN4 : 0),
    // Sequence numbers that we send ourselves are not checked.
    replayWindow: isIn ? sa.replayWindow : 0,
    selectors: context.selectors,
    life: context.life,
    softPackets: isIn ? 0 : SOFT_PACKETS,
    encryption: encryptionOf(sa),
    authentication: authenticationOf(sa, context.sha2Truncation96),
    udp: context.udp,
    route: isIn ? unmarked(context.route) : context.route,
  };
};

/** Mode by EncapsulationMode of the DOI: tunnels have odd numbers (1, 3, 61443), transport even ones (2, 4, 61444). */
const modeOf = (encapsulation: number): number => (encapsulation % 2 === 1 ? Mode.TUNNEL : Mode.TRANSPORT);

const isAhOverIpv4 = ({ protocolId, destination }: IpsecSa): boolean =>
  ipProtocolOf(protocolId) === IpProtocol.AH && addressBytes(destination).length === 4;

const encryptionOf = ({ protocolId, transformId, encryptionKey }: IpsecSa): Keyed | undefined => {
  if (ipProtocolOf(protocolId) === IpProtocol.AH) return undefined;
  const cipher = CIPHERS.get(transformId);
  if (cipher === undefined) throw new KernelError('unsupported', `ESP transform ${transformId} has no name in XFRM`);
  return { ...cipher, key: encryptionKey };
};

const authenticationOf = (sa: IpsecSa, sha2Truncation96: boolean): Keyed | undefined => {
  if (sa.authentication === 0) return undefined;
  const row = AUTHENTICATIONS.get(sa.authentication);
  if (row === undefined)
    throw new KernelError('unsupported', `authentication ${sa.authentication} has no name in XFRM`);
  return { name: row.name, icvBits: icvBitsOf(sa.authentication, row, sha2Truncation96), key: sa.authenticationKey };
};

/** ESP packets come without the mark: it is set on what is inside, by policies and tunnel interfaces. */
const unmarked = ({ interfaceId }: Route): Route => ({ mark: 0, markMask: 0, interfaceId });

/** Sequence numbers end at 2^32, and each move of an SA leaves some out. */
const SOFT_PACKETS = 0xe000_0000;
