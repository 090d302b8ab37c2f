/** What the kernel is told of an SA besides its keys, from what its quick mode agreed on. */
import type { SaContext, SaLife } from '../../kernel/backend.ts';
import { DEFAULT_LIFE_SECONDS } from '../../shared/constants/ipsec-doi.ts';
import type { Selector } from '../../shared/flow.ts';
import { isInUdp } from '../../shared/policy/encapsulation.ts';
import type { Identity } from '../../shared/policy/peer-policy.ts';
import { prefixesOf } from '../../shared/policy/prefixes.ts';
import type { Agreement, IpsecSa } from '../../shared/threads/contract.ts';

/** What all SAs of a pair have in common. */
export interface PairContext {
  readonly agreement: Agreement;
  readonly reqid: number;
  /** The sequence of the upcall that it answers. */
  readonly acquire: number | undefined;
  /** HMAC-SHA2-256 as the peer truncates it. */
  readonly sha2Truncation96: boolean;
}

/** For one direction of a pair. */
export const saContext = (
  { direction, encapsulation }: Pick<IpsecSa, 'direction' | 'encapsulation'>,
  { agreement, reqid, acquire, sha2Truncation96 }: PairContext,
): SaContext => {
  const { path } = agreement;
  const local = singlePrefix(agreement.localSelector);
  const remote = singlePrefix(agreement.remoteSelector);
  const isInbound = direction === 'in';
  const [source, destination] = isInbound ? [remote, local] : [local, remote];
  const [from, to] = isInbound ? [path.remote, path.local] : [path.local, path.remote];
  return {
    reqid,
    acquire,
    udp: isInUdp(encapsulation) ? { source: from.port, destination: to.port } : undefined,
    selectors: source === undefined || destination === undefined ? undefined : { source, destination },
    life: lifeOf(agreement),
    sha2Truncation96,
    route: agreement.route,
  };
};

/**
 * Time is the connection core's: the kernel's limit is for the case that it does not come to it. Bytes only the kernel counts; the initiator comes first,
 * so that ordinarily only one end renews.
 */
const lifeOf = ({ role, lifeSeconds, lifeKilobytes }: Agreement): SaLife => {
  const hardBytes = lifeKilobytes * 1024;
  return {
    softSeconds: 0,
    hardSeconds: (lifeSeconds === 0 ? DEFAULT_LIFE_SECONDS : lifeSeconds) + GRACE_SECONDS,
    softBytes: Math.floor(hardBytes * (role === 'initiator' ? INITIATOR_SOFT : RESPONDER_SOFT)),
    hardBytes,
  };
};

const singlePrefix = (identity: Identity): Selector | undefined => {
  const [prefix, ...more] = prefixesOf(identity) ?? [];
  return more.length === 0 ? prefix : undefined;
};

const GRACE_SECONDS = 60;
const INITIATOR_SOFT = 0.85;
const RESPONDER_SOFT = 0.92;
