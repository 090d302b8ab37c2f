/** What is asked of the kernel about policies, as messages; and which policies a flow is. Pure. */
import { addressFromBytes } from '../../shared/address.ts';
import { ProtocolId } from '../../shared/constants/ipsec-doi.ts';
import { type Flow, KernelError, type Selector } from '../backend.ts';
import { passagesOf } from '../neighbours.ts';
import { priorityOf } from '../priority.ts';
import {
  ExtensionType,
  IpProtocol,
  MessageType,
  PolicyDirection,
  PolicyLevel,
  PolicyType,
  SaMode,
  SaType,
} from './constants.ts';
import type { Address, IpsecRequest, Policy } from './extension.ts';
import { extensionOf, type Message } from './message.ts';
import { bytesOf, type Request } from './sa-requests.ts';

/** One policy as the kernel keeps it; selectors are those of the packets. */
export interface KernelPolicy {
  readonly direction: PolicyDirection;
  readonly source: Selector;
  readonly destination: Selector;
  readonly priority: number;
  /** None: packets pass as they are. */
  readonly requests: readonly IpsecRequest[];
}

/**
 * The policies of a flow, to be made in this order and removed in the opposite one: only the requests of the first, outbound one keep a reqid and
 * tell whose all of them are. Throws KernelError 'unsupported'.
 */
export const policiesOf = (flow: Flow): readonly [KernelPolicy, KernelPolicy, KernelPolicy] => {
  const { local, remote, localAddress, remoteAddress, route } = flow;
  if (route.mark !== 0 || route.interfaceId !== 0) throw new KernelError('unsupported', NO_ROUTES);
  const priority = priorityOf(local, remote);
  const outbound = requestsOf(flow, PolicyLevel.UNIQUE, localAddress, remoteAddress);
  // Any SA of the peer will do: after a renewal it may go on sending through the old one for a while.
  const inbound = requestsOf(flow, PolicyLevel.REQUIRE, remoteAddress, localAddress);
  const into = { source: remote, destination: local, priority, requests: inbound };
  return [
    { direction: PolicyDirection.OUT, source: local, destination: remote, priority, requests: outbound },
    { ...into, direction: PolicyDirection.IN },
    // Packets that are passed on after they came out of a tunnel. Linux makes none by itself.
    { ...into, direction: PolicyDirection.FORWARD },
  ];
};

/** What passes beside the flow of this outbound policy, in the clear or, as the other end may have it, through the flow's SAs. */
export const neighbourPolicies = ({ source, destination, requests }: KernelPolicy): readonly KernelPolicy[] => {
  const [outer] = requests;
  const localAddress =
    outer?.tunnel === undefined ? source.address : addressFromBytes(outer.tunnel.source.address).text;
  const protectedOnes = requests.map(
    ({ tunnel, ...request }): IpsecRequest => ({
      ...request,
      ...{ level: PolicyLevel.USE, reqid: 0 },
      tunnel: tunnel && { source: tunnel.destination, destination: tunnel.source },
    }),
  );
  return passagesOf({ local: source, remote: destination, localAddress }).map((passage) => ({
    direction: passage.direction === 'out' ? PolicyDirection.OUT : PolicyDirection.IN,
    source: passage.source,
    destination: passage.destination,
    priority: priorityOf(passage.source, passage.destination),
    requests: passage.direction === 'out' ? [] : protectedOnes,
  }));
};

/** Why flows and SAs with a route are refused. */
export const NO_ROUTES = 'PF_KEY has neither marks nor interface ids: route-based tunnels need Kernel=xfrm';

/** The first SA that a packet gets makes the tunnel, further ones protect what it made. */
const requestsOf = (flow: Flow, level: number, source: string, destination: string): readonly IpsecRequest[] =>
  flow.protocols.map((protocolId, i) => {
    const isTunnel = i === 0 && flow.encapsulation === 'tunnel';
    return {
      protocol: ipProtocolOf(protocolId),
      mode: isTunnel ? SaMode.TUNNEL : SaMode.TRANSPORT,
      level,
      reqid: level === PolicyLevel.UNIQUE ? flow.reqid : 0,
      tunnel: isTunnel ? tunnelBetween(source, destination) : undefined,
    };
  });

/** Outer addresses of a request, given as text. */
export const tunnelBetween = (source: string, destination: string): NonNullable<IpsecRequest['tunnel']> => ({
  source: { address: bytesOf(source), port: 0 },
  destination: { address: bytesOf(destination), port: 0 },
});

/** IP protocol number of an SA's ProtocolId. Throws KernelError 'unsupported'. */
export const ipProtocolOf = (protocolId: number): number => {
  if (protocolId === ProtocolId.IPSEC_ESP) return IpProtocol.ESP;
  if (protocolId === ProtocolId.IPSEC_AH) return IpProtocol.AH;
  throw new KernelError('unsupported', `PF_KEY: protocol ${protocolId} in a flow is neither AH nor ESP`);
};

/** X_SPDADD, X_SPDUPDATE or X_SPDDELETE; the last one looks at direction and selectors only. */
export const policyRequest = (
  type: typeof MessageType.X_SPDADD | typeof MessageType.X_SPDUPDATE | typeof MessageType.X_SPDDELETE,
  policy: KernelPolicy,
): Request => ({
  type,
  saType: SaType.UNSPEC,
  extensions: [
    policyExtension(policy),
    selectorAddress(ExtensionType.ADDRESS_SRC, policy.source),
    selectorAddress(ExtensionType.ADDRESS_DST, policy.destination),
  ],
});

const selectorAddress = <T extends 5 | 6>(type: T, selector: Selector): Address<T> => {
  const { protocol, prefixLength, address, port } = selector;
  return { type, protocol, prefixLength, address: bytesOf(address), port };
};

/** X_MIGRATE of what this policy asks for: in each pair an SA as it is, and the same between other addresses. In transport mode too these have addresses. */
export const migrateRequest = (saType: number, policy: KernelPolicy, pair: readonly IpsecRequest[]): Request => ({
  type: MessageType.X_MIGRATE,
  saType,
  extensions: [
    selectorAddress(ExtensionType.ADDRESS_SRC, policy.source),
    selectorAddress(ExtensionType.ADDRESS_DST, policy.destination),
    policyExtension({ ...policy, requests: pair }),
  ],
});

const policyExtension = ({ direction, priority, requests }: KernelPolicy): Policy => ({
  type: ExtensionType.X_POLICY,
  action: requests.length === 0 ? PolicyType.NONE : PolicyType.IPSEC,
  direction,
  id: 0,
  priority,
  requests,
});

/** The policy in an answer or a dump, and the kernel's number for it; undefined where the message has none that we could have made. */
export const policyIn = (message: Message): { readonly policy: KernelPolicy; readonly index: number } | undefined => {
  const policy = extensionOf(message, ExtensionType.X_POLICY);
  const source = extensionOf(message, ExtensionType.ADDRESS_SRC);
  const destination = extensionOf(message, ExtensionType.ADDRESS_DST);
  const direction = Object.values(PolicyDirection).find((one) => one === policy?.direction);
  if (policy === undefined || source === undefined || destination === undefined || direction === undefined)
    return undefined;
  if (policy.action !== PolicyType.IPSEC && policy.action !== PolicyType.NONE) return undefined;
  const { priority, requests, id } = policy;
  return {
    policy: { direction, source: selectorOf(source), destination: selectorOf(destination), priority, requests },
    index: id,
  };
};

const selectorOf = ({ address, prefixLength, protocol, port }: Address<5> | Address<6>): Selector => ({
  address: addressFromBytes(address).text,
  prefixLength,
  protocol: protocol === ANY_PROTOCOL ? 0 : protocol,
  port,
});

/** Linux has one policy at most for these. */
export const selectorsKey = ({ direction, source, destination }: Omit<KernelPolicy, 'requests' | 'priority'>): string =>
  `${direction} ${selectorKey(source)} ${selectorKey(destination)}`;

const selectorKey = ({ address, prefixLength, protocol, port }: Selector): string =>
  `${addressFromBytes(bytesOf(address)).text}/${prefixLength} ${protocol} ${port}`;

/** Policies for the same packets that do the same with them, in the same order of precedence. */
export const areAlike = (a: KernelPolicy, b: KernelPolicy): boolean =>
  a.priority === b.priority && sameRequests(a.requests, b.requests);

/** Whether both ask for the same SAs. */
export const sameRequests = (a: readonly IpsecRequest[], b: readonly IpsecRequest[]): boolean =>
  a.length === b.length && a.every((request, i) => requestKey(request) === requestKey(b[i]));

const requestKey = (request: IpsecRequest | undefined): string =>
  request === undefined
    ? ''
    : `${request.protocol} ${request.mode} ${request.level} ${request.reqid} ${request.tunnel?.source.address} ${request.tunnel?.destination.address}`;

/** How Linux says any protocol in what it sends. */
const ANY_PROTOCOL = 255;
