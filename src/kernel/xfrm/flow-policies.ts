/** What a flow is in the kernel's words, and which of the kernel's policies are ours. Nothing here talks to it. */
import type { Flow } from '../../shared/flow.ts';
import { passagesOf } from '../neighbours.ts';
import { isOwn, type OwnReqids } from '../own-reqids.ts';
import { priorityOf } from '../priority.ts';
import { Direction, Mode } from './layout.ts';
import type { PolicyName, PolicySpec, Template } from './policy-messages.ts';
import { ipProtocolOf, type Selectors } from './structs.ts';

/**
 * Outbound, inbound, forwarded, to be made in this order and removed in the opposite one: only the first has our reqid, and tells whose the others
 * are. An inbound packet may come through any SA of ours whose selectors allow it, so their templates have none.
 */
export const policiesOf = (flow: Flow): readonly [PolicySpec, PolicySpec, PolicySpec] => {
  const common = { route: flow.route, priority: priorityOf(flow.local, flow.remote) };
  const outbound = { source: flow.local, destination: flow.remote };
  const inbound = { source: flow.remote, destination: flow.local };
  const incoming = { ...common, selectors: inbound, templates: templatesOf(flow, 'in') };
  return [
    { ...common, direction: Direction.OUT, selectors: outbound, templates: templatesOf(flow, 'out') },
    { ...incoming, direction: Direction.IN },
    { ...incoming, direction: Direction.FORWARD },
  ];
};

/** The first SA that a packet gets makes the tunnel, further ones protect what it made. */
const templatesOf = (flow: Flow, direction: 'in' | 'out'): readonly Template[] =>
  flow.protocols.map((protocolId, i) => ({
    protocol: ipProtocolOf(protocolId),
    mode: i === 0 && flow.encapsulation === 'tunnel' ? Mode.TUNNEL : Mode.TRANSPORT,
    reqid: direction === 'out' ? flow.reqid : 0,
    source: direction === 'out' ? flow.localAddress : flow.remoteAddress,
    destination: direction === 'out' ? flow.remoteAddress : flow.localAddress,
    isOptional: false,
  }));

/** What passes beside the flow of this outbound policy, in the clear or, as the other end may have it, through the flow's SAs. */
export const neighbourPolicies = ({ selectors, templates, route }: PolicySpec): readonly PolicySpec[] => {
  const [{ source: localAddress } = { source: selectors.source.address }] = templates;
  const protectedOnes = templates.map(
    (template): Template => ({
      ...template,
      ...{ reqid: 0, source: template.destination, destination: template.source, isOptional: true },
    }),
  );
  return passagesOf({ local: selectors.source, remote: selectors.destination, localAddress }).map(
    ({ direction, source, destination }) => ({
      direction: direction === 'out' ? Direction.OUT : Direction.IN,
      selectors: { source, destination },
      route,
      priority: priorityOf(source, destination),
      templates: direction === 'out' ? [] : protectedOnes,
    }),
  );
};

/** For keys of maps. */
export const policyKey = ({ direction, selectors: { source, destination }, route }: PolicyName): string => {
  const ends = [source, destination].map(({ address, prefixLength, port }) => `${address}/${prefixLength} ${port}`);
  return [direction, ...ends, source.protocol, route.mark, route.markMask, route.interfaceId].join(' ');
};

/** For messages: `policy out 10.1.0.0/16 > 10.2.0.0/16`. */
export const policyText = ({ direction, selectors: { source, destination } }: PolicyName): string => {
  const [from, to] = [source, destination].map(({ address, prefixLength, protocol, port }) => {
    const narrower = protocol === 0 ? '' : port === 0 ? `[${protocol}]` : `[${protocol}/${port}]`;
    return `${address}/${prefixLength}${narrower}`;
  });
  return `policy ${DIRECTIONS[direction]} ${from} > ${to}`;
};
const DIRECTIONS = ['in', 'out', 'forward'] as const;

/** Ours among all: the outbound ones with a reqid of ours, and those that `policiesOf` and `neighbourPolicies` would make with them. Each once. */
export const ownPolicies = (all: readonly PolicySpec[], reqids: OwnReqids): readonly PolicySpec[] => {
  const byName = new Map(all.map((policy) => [policyKey(policy), policy]));
  const own = all
    .filter((policy) => policy.direction === Direction.OUT && hasOwnReqid(policy, reqids))
    .flatMap((outbound) => [
      outbound,
      ...[Direction.IN, Direction.FORWARD].flatMap((direction) => {
        const opposite = byName.get(
          policyKey({ direction, selectors: reversed(outbound.selectors), route: outbound.route }),
        );
        return opposite !== undefined && belongsTo(opposite, outbound) ? [opposite] : [];
      }),
      ...neighbourPolicies(outbound).flatMap((wanted) => {
        const found = byName.get(policyKey(wanted));
        return found !== undefined && areAlike(found, wanted) ? [found] : [];
      }),
    ]);
  return [...new Set(own)];
};

export const hasOwnReqid = ({ templates }: PolicySpec, reqids: OwnReqids): boolean =>
  templates.some(({ reqid }) => isOwn(reqids, reqid));

/** The same SAs in the same order of precedence. */
export const areAlike = (one: PolicySpec, other: PolicySpec): boolean =>
  one.priority === other.priority &&
  one.templates.length === other.templates.length &&
  one.templates.every((template, i) => {
    const twin = other.templates[i];
    return (
      template.reqid === twin?.reqid &&
      template.protocol === twin.protocol &&
      template.mode === twin.mode &&
      template.isOptional === twin.isOptional &&
      // In transport mode the kernel looks at no addresses.
      (template.mode === Mode.TRANSPORT ||
        (template.source === twin.source && template.destination === twin.destination))
    );
  });

/** The same SAs in the other direction, of any reqid. */
const belongsTo = (opposite: PolicySpec, outbound: PolicySpec): boolean =>
  opposite.priority === outbound.priority &&
  opposite.templates.length === outbound.templates.length &&
  opposite.templates.every((template, i) => {
    const other = outbound.templates[i];
    return (
      template.reqid === 0 &&
      template.protocol === other?.protocol &&
      template.mode === other.mode &&
      template.source === other.destination &&
      template.destination === other.source
    );
  });

const reversed = ({ source, destination }: Selectors): Selectors => ({ source: destination, destination: source });
