/**
 * How packets find the tunnel device, as lines for ip(8) -batch: routing rules per flow, and two tables of our own with routes into the device and, behind them, blackholes that
 * remain when the device is gone. docs/adr/0009-userland-esp.md has the reasons.
 */
import { parseAddress } from '../../shared/address.ts';
import { InvariantError } from '../../shared/errors.ts';
import { beginsWith } from '../../shared/esp/prefix-trie.ts';
import type { Flow, Selector } from '../backend.ts';
import type { Blackhole } from './ip-command.ts';

export interface RoutingPlan {
  readonly interfaceName: string;
  /** This routing table and the next one are ours. */
  readonly table: number;
  /** Thirteen rule priorities from here on are ours. */
  readonly firstRule: number;
  /** SO_MARK of packets that must not be routed into the device: ESP's and IKE's own. */
  readonly mark: number;
  /** UDP ports of IKE and NAT-T here: they are never taken for cleartext of a flow. */
  readonly ports: readonly number[];
}

/** A line without its verb. `key` tells lines apart that stand for the same thing. */
export interface RoutingLine {
  readonly kind: 'rule' | 'route';
  readonly key: string;
  readonly text: string;
  /** It goes with the device, and has to be made again with the next one. */
  readonly isOfDevice: boolean;
}

/** What a flow needs. `ownAddresses`: of this host, in text. */
export const linesOfFlow = (plan: RoutingPlan, flow: Flow, ownAddresses: readonly string[]): readonly RoutingLine[] => {
  const { firstRule, table } = plan;
  const [local, remote] = [prefixOf(flow.local), prefixOf(flow.remote)];
  const hasOuterInside = isWithin(flow.localAddress, flow.local) && isWithin(flow.remoteAddress, flow.remote);
  return [
    ...(hasOuterInside ? outerLines(plan, flow) : []),
    rule(firstRule + CLEARTEXT, `from ${remote} to ${local}${protocolOf(flow)}${portsOf(flow)} blackhole`),
    ...(protocolOf(flow) === '' ? [rule(firstRule + FORWARDED, `from ${remote} to ${local} blackhole`)] : []),
    // Not the ports: later fragments have none, and the ESP thread drops what is not for the flow.
    rule(firstRule + TUNNEL, `from ${local} to ${remote}${protocolOf(flow)} lookup ${table}`),
    ...ownLines(plan, flow, ownAddresses),
  ];
};

/** What all flows of a family need. */
export const commonLines = (plan: RoutingPlan, family: 4 | 6): readonly RoutingLine[] => {
  const { firstRule, table, interfaceName, mark } = plan;
  const all = family === 4 ? '0.0.0.0/0' : '::/0';
  return [
    // What came out of the device, and what this host sends, is not what came in clear.
    ...[interfaceName, 'lo'].flatMap((name) => [
      rule(firstRule + TRUSTED, `iif ${name} goto ${firstRule + LOCAL}`),
      rule(firstRule + TRUSTED_FORWARDED, `iif ${name} goto ${firstRule + MARKED}`),
    ]),
    ...HOST_PROTOCOLS.map((protocol) =>
      rule(firstRule + PROTOCOLS, `ipproto ${protocol} goto ${firstRule + CLEARTEXT_BEGIN}`),
    ),
    rule(firstRule + OTHERS, `goto ${firstRule + LOCAL}`),
    rule(firstRule + CLEARTEXT_BEGIN, 'nop'),
    rule(firstRule + MARKED, `fwmark 0x${mark.toString(16)} goto ${firstRule + END}`),
    rule(firstRule + END, 'nop'),
    ...tunnelRoutes(interfaceName, all, table, ''),
  ];
};

/**
 * The rule that finds local addresses. Linux has it in front of all others, so that nothing could be dropped that comes in clear for this host: while there are flows it
 * stands behind our rules against cleartext.
 */
export const localLookup = ({ firstRule }: RoutingPlan) => ({
  usual: { priority: USUAL, text: `pref ${USUAL} lookup local` },
  moved: { priority: firstRule + LOCAL, text: `pref ${firstRule + LOCAL} lookup local` },
});

/** Priorities of our rules, but for that one. */
export const rulePriorities = ({ firstRule }: RoutingPlan): readonly number[] =>
  OURS.map((offset) => firstRule + offset);

/**
 * What a predecessor left there, and `wanted` does not have: the rules by their priority, once per rule, and blackholes. Every rule that is wanted was made after those that were left, so
 * it stands behind them, and deleting by priority gets the right ones.
 */
export const leftovers = (plan: RoutingPlan, wanted: readonly RoutingLine[], there: Placed): Leftovers => {
  const rules = rulePriorities(plan).flatMap((priority) => {
    const ours = wanted.filter(({ text }) => text.startsWith(`pref ${priority} `)).length;
    return there.priorities.filter((one) => one === priority).slice(ours);
  });
  const keys = new Set(wanted.map(({ key }) => key));
  const blackholes = there.blackholes
    .filter(({ table, metric }) => (table === plan.table || table === plan.table + 1) && metric === BEHIND)
    .filter(({ to, table }) => !keys.has(blackholeKey(to, table)));
  return {
    flows: rules.filter((priority) => priority === plan.firstRule + TUNNEL).length,
    lines: [
      ...rules.map((priority) => `rule del pref ${priority}`),
      ...blackholes.map(({ to, table }) => `route del ${blackholeText(to, table)}`),
    ],
  };
};

/** What the kernel has of one family. */
interface Placed {
  /** Of every rule. */
  readonly priorities: readonly number[];
  readonly blackholes: readonly Blackhole[];
}

interface Leftovers {
  /** So many flows it was that they were for. */
  readonly flows: number;
  /** They remove them. */
  readonly lines: readonly string[];
}

/** Our own packets from the peer, where they are between addresses of the flow. */
const outerLines = ({ firstRule, ports }: RoutingPlan, flow: Flow): readonly RoutingLine[] => {
  const ends = `from ${flow.remoteAddress} to ${flow.localAddress}`;
  const on = (what: string): RoutingLine => rule(firstRule + OUTER, `${ends} ${what} goto ${firstRule + LOCAL}`);
  return [on(`ipproto ${ESP}`), ...ports.map((port) => on(`ipproto ${UDP} dport ${port}`))];
};

/**
 * For programs on this host that leave the source address to the kernel: where one of ours is in the flow's local network, it is to be that one. The source is not known yet when
 * the route is looked up; IPv4 can tell that by a rule, IPv6 cannot.
 */
const ownLines = (plan: RoutingPlan, flow: Flow, ownAddresses: readonly string[]): readonly RoutingLine[] => {
  const { firstRule, interfaceName } = plan;
  const source = ownAddresses.find((address) => isWithin(address, flow.local));
  if (source === undefined) return [];
  const [remote, table] = [prefixOf(flow.remote), plan.table + 1];
  const unspecified = source.includes(':') ? '' : ' from 0.0.0.0/32';
  return [
    rule(firstRule + OWN, `iif lo${unspecified} to ${remote}${protocolOf(flow)} lookup ${table}`),
    ...tunnelRoutes(interfaceName, remote, table, ` src ${source}`),
  ];
};

const tunnelRoutes = (interfaceName: string, to: string, table: number, hint: string): readonly RoutingLine[] => {
  const route = (key: string, text: string, isOfDevice: boolean): RoutingLine => ({
    kind: 'route',
    key,
    text,
    isOfDevice,
  });
  return [
    route(blackholeKey(to, table), blackholeText(to, table), false),
    route(`${to} ${table}`, `${to} dev ${interfaceName} table ${table} metric 1${hint}`, true),
  ];
};

const blackholeKey = (to: string, table: number): string => `blackhole ${to} ${table}`;

const blackholeText = (to: string, table: number): string => `blackhole ${to} table ${table} metric ${BEHIND}`;

const protocolOf = ({ local, remote }: Flow): string => {
  const protocol = local.protocol || remote.protocol;
  return protocol === 0 ? '' : ` ipproto ${protocol}`;
};

/** Of packets from the remote side. */
const portsOf = ({ local, remote }: Flow): string =>
  `${remote.port === 0 ? '' : ` sport ${remote.port}`}${local.port === 0 ? '' : ` dport ${local.port}`}`;

/**
 * Linux deletes the first rule that has all that is named, and takes a length of 0 for nothing named: a wide flow would take the rules of a narrow one with it. So every rule says
 * by whom it was made (FRA_PROTOCOL), with a number that stands for what it names: of one priority only rules that name the same have the same.
 */
const rule = (priority: number, what: string): RoutingLine => {
  const shape = NAMED.reduce((sum, pattern, bit) => sum + (pattern.test(what) ? 1 << bit : 0), 0);
  const text = `pref ${priority} protocol ${FIRST_MAKER + shape} ${what}`;
  return { kind: 'rule', key: `rule ${text}`, text, isOfDevice: false };
};

const prefixOf = ({ address, prefixLength }: Selector): string => `${address}/${prefixLength}`;

const isWithin = (address: string, { address: network, prefixLength }: Selector): boolean => {
  const [inner, outer] = [parseAddress(address), parseAddress(network)];
  if (outer === undefined) throw new InvariantError(`${network} is no network`);
  return inner?.family === outer.family && beginsWith(inner.bytes, 0, outer.bytes, prefixLength);
};

/** What a rule may name or not. */
const NAMED = [/\bfrom \S+\/[1-9]/, /\bto \S+\/[1-9]/, /\bipproto /, /\bsport /, /\bdport /];
/** Of 32 numbers that no routing daemon has (rt_protos of iproute2). */
const FIRST_MAKER = 128;
/** Where Linux has the lookup of local addresses. */
const USUAL = 0;
/** Offsets of rule priorities. */
const TRUSTED = 0;
const OUTER = 1;
const PROTOCOLS = 2;
const OTHERS = 3;
const CLEARTEXT_BEGIN = 4;
const CLEARTEXT = 5;
const LOCAL = 6;
const TRUSTED_FORWARDED = 7;
const FORWARDED = 8;
const MARKED = 9;
const TUNNEL = 10;
const OWN = 11;
const END = 12;
/** But for the lookup of local addresses. */
const OURS = [
  TRUSTED,
  OUTER,
  PROTOCOLS,
  OTHERS,
  CLEARTEXT_BEGIN,
  CLEARTEXT,
  TRUSTED_FORWARDED,
  FORWARDED,
  MARKED,
  TUNNEL,
  OWN,
  END,
];
/**
 * What a host may take for itself: ICMP, IGMP, IP in IP, TCP, UDP, DCCP, IPv6 in IP, GRE, AH, EIGRP, OSPF, PIM, VRRP, L2TP, SCTP, UDP-Lite. ARP looks up routes as well, without
 * a protocol, and must find the host's addresses; so must neighbour discovery, which is ICMPv6.
 */
const HOST_PROTOCOLS = [1, 2, 4, 6, 17, 33, 41, 47, 51, 88, 89, 103, 112, 115, 132, 136];
/** A metric behind any other. */
const BEHIND = 0x7fffffff;
const ESP = 50;
const UDP = 17;
