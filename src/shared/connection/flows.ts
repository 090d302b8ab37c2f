/**
 * The kernel's policies: which should be there, and the pair that each leads to. A policy exists once for its selectors and route, whoever wants it; of
 * those who do, the one whose pair came last decides. Without a pair it blocks: nothing leaves in clear.
 */
import { compareBytes, firstOf, maskFromPrefix, parseAddress } from '../address.ts';
import type { Flow, Route, Selector } from '../flow.ts';
import type { Acquire } from '../kernel-news.ts';
import type { Identity } from '../policy/peer-policy.ts';
import { prefixesOf } from '../policy/prefixes.ts';
import type { Deadline } from './deadlines.ts';
import type { Desk } from './desk.ts';
import { tooManyPolicies } from './log-lines.ts';
import type { Reqids } from './reqids.ts';

/** A policy that a predecessor has left. */
export type Inherited = Pick<Flow, 'local' | 'remote' | 'reqid' | 'route'>;

/** What one of those who want a policy says about it. */
export interface Claim extends Omit<Flow, 'id' | 'local' | 'remote' | 'reqid'> {
  readonly connection: string;
  /** The pair's; undefined: there is none. */
  readonly reqid: number | undefined;
}

export class Flows {
  readonly #desk: Desk;
  readonly #reqids: Reqids;
  readonly #bySelectors = new Map<string, Policy>();
  readonly #byId = new Map<number, Policy>();
  /** By the outer address of the other end. */
  readonly #byRemote = new Map<string, Set<Policy>>();
  readonly #byHolder = new Map<object, readonly Policy[]>();
  readonly #inherited = new Map<string, number>();
  #isOff = false;

  /** `inherited`: where a predecessor's policies lead, which stay as they are until there is a pair. */
  constructor(desk: Desk, reqids: Reqids, inherited: readonly Inherited[]) {
    this.#desk = desk;
    this.#reqids = reqids;
    for (const one of inherited) this.#inherited.set(policyKey(one), one.reqid);
  }

  /** How many the kernel should have. */
  get size(): number {
    return this.#isOff ? 0 : this.#bySelectors.size;
  }

  /** The kernel has not taken all of them yet. */
  get hasRefusals(): boolean {
    return [...this.#byId.values()].some(({ retry }) => retry !== undefined);
  }

  /** Acquire-Only: others make the policies. */
  get isOff(): boolean {
    return this.#isOff;
  }

  /** Puts all there are, or deletes them. */
  switch(isOff: boolean): void {
    if (this.#isOff === isOff) return;
    this.#isOff = isOff;
    for (const policy of this.#byId.values()) {
      if (!isOff) this.#put(policy);
      else this.#withdraw(policy);
    }
  }

  /** `holder` wants the policies for these selectors to be like this; what it wanted before is void. */
  claim(holder: object, selectors: { readonly local: Identity; readonly remote: Identity }, claim: Claim): void {
    const policies = this.#policiesFor(selectors.local, selectors.remote, claim);
    for (const policy of this.#byHolder.get(holder) ?? []) if (!policies.includes(policy)) this.#drop(policy, holder);
    this.#byHolder.set(holder, policies);
    for (const policy of policies) {
      // The latest comes last.
      policy.claims.delete(holder);
      policy.claims.set(holder, claim);
      this.#put(policy);
    }
  }

  /** It wants none any more. */
  release(holder: object): void {
    for (const policy of this.#byHolder.get(holder) ?? []) this.#drop(policy, holder);
    this.#byHolder.delete(holder);
  }

  /** The kernel has not taken it; whatever it was, it may be over some time. */
  refused(id: number): void {
    const policy = this.#byId.get(id);
    if (policy === undefined || this.#isOff) return;
    policy.retry?.cancel();
    policy.sent = undefined;
    policy.retry = this.#desk.after(this.#desk.view.checkIntervalSeconds * 1000, 'flow_retry', '', () =>
      this.#put(policy),
    );
  }

  /** The connection whose traffic a packet is: that of the policy, else of the most specific one for these addresses. */
  connectionFor({ flow, destination, packet }: Acquire): string | undefined {
    const policy = flow === undefined ? undefined : this.#byId.get(flow);
    if (policy !== undefined || packet === undefined) return policy && deciding(policy)?.connection;
    const candidates = [...(this.#byRemote.get(destination) ?? [])].filter(
      ({ local, remote }) => covers(local, packet.source) && covers(remote, packet.destination),
    );
    const [best] = candidates.sort((a, b) => specificity(b) - specificity(a));
    return best && deciding(best)?.connection;
  }

  /** Removes all of them. */
  clear(): void {
    for (const holder of [...this.#byHolder.keys()]) this.release(holder);
  }

  #policiesFor(localId: Identity, remoteId: Identity, { connection, route }: Claim): readonly Policy[] {
    const locals = prefixesOf(localId) ?? [];
    const remotes = prefixesOf(remoteId) ?? [];
    const count = locals.length * remotes.length;
    if (count > MOST_POLICIES) {
      this.#desk.emit({ kind: 'log', record: tooManyPolicies(connection, count, MOST_POLICIES) });
      return [];
    }
    return locals.flatMap((local) => remotes.map((remote) => this.#policy({ local, remote, route })));
  }

  #policy(traffic: Traffic): Policy {
    const key = policyKey(traffic);
    const known = this.#bySelectors.get(key);
    if (known !== undefined) return known;
    const policy: Policy = {
      ...{ key, id: this.#desk.nextNumber(), local: traffic.local, remote: traffic.remote, claims: new Map() },
      ...{ sent: undefined, retry: undefined, blockingReqid: undefined, remoteAddress: undefined },
    };
    this.#bySelectors.set(key, policy);
    this.#byId.set(policy.id, policy);
    return policy;
  }

  #drop(policy: Policy, holder: object): void {
    policy.claims.delete(holder);
    if (policy.claims.size > 0) this.#put(policy);
    else this.#remove(policy);
  }

  #remove(policy: Policy): void {
    this.#withdraw(policy);
    this.#bySelectors.delete(policy.key);
    this.#byId.delete(policy.id);
    this.#moveTo(policy, undefined);
    if (policy.blockingReqid !== undefined) this.#reqids.release(policy.blockingReqid);
  }

  #withdraw(policy: Policy): void {
    const isThere = policy.sent !== undefined || policy.retry !== undefined;
    policy.retry?.cancel();
    policy.retry = undefined;
    policy.sent = undefined;
    if (isThere) this.#desk.emit({ kind: 'deleteFlow', id: policy.id });
  }

  #put(policy: Policy): void {
    const claim = deciding(policy);
    if (claim === undefined) return;
    this.#moveTo(policy, claim.remoteAddress);
    if (this.#isOff) return;
    const { id, local, remote } = policy;
    const { localAddress, remoteAddress, protocols, encapsulation, route } = claim;
    const reqid = claim.reqid ?? this.#blockingReqid(policy);
    const flow = { id, local, remote, localAddress, remoteAddress, protocols, encapsulation, reqid, route };
    const text = JSON.stringify(flow);
    if (policy.sent === text) return;
    policy.retry?.cancel();
    policy.retry = undefined;
    policy.sent = text;
    this.#desk.emit({ kind: 'putFlow', flow });
  }

  /** One that no SA has, of the policy's own where there are enough: Linux is silent about all policies of one reqid and peer while it waits for an SA of one of them. */
  #blockingReqid(policy: Policy): number {
    policy.blockingReqid ??= this.#inherited.get(policy.key) ?? this.#reqids.takeSpare();
    return policy.blockingReqid ?? this.#reqids.nobody;
  }

  #moveTo(policy: Policy, remoteAddress: string | undefined): void {
    const before = policy.remoteAddress;
    if (before === remoteAddress) return;
    policy.remoteAddress = remoteAddress;
    if (before !== undefined) {
      const others = this.#byRemote.get(before);
      others?.delete(policy);
      if (others?.size === 0) this.#byRemote.delete(before);
    }
    if (remoteAddress === undefined) return;
    const policies = this.#byRemote.get(remoteAddress) ?? new Set();
    this.#byRemote.set(remoteAddress, policies.add(policy));
  }
}

/** What tells policies apart. */
interface Traffic {
  readonly local: Selector;
  readonly remote: Selector;
  readonly route: Route;
}

interface Policy {
  readonly key: string;
  readonly id: number;
  readonly local: Selector;
  readonly remote: Selector;
  /** By who wants it. */
  readonly claims: Map<object, Claim>;
  /** What the kernel was last told of it. */
  sent: string | undefined;
  retry: Deadline | undefined;
  blockingReqid: number | undefined;
  /** Where it leads. */
  remoteAddress: string | undefined;
}

/** The last one with a pair, else the last one. */
const deciding = ({ claims }: Policy): Claim | undefined => {
  let last: Claim | undefined;
  let lastWithPair: Claim | undefined;
  for (const claim of claims.values()) {
    last = claim;
    if (claim.reqid !== undefined) lastWithPair = claim;
  }
  return lastWithPair ?? last;
};

const covers = (selector: Selector, packet: Selector): boolean => {
  const net = parseAddress(selector.address);
  const address = parseAddress(packet.address);
  if (net === undefined || address?.family !== net.family) return false;
  const first = firstOf(address.bytes, maskFromPrefix(net.family, selector.prefixLength));
  const isInside = packet.prefixLength >= selector.prefixLength && compareBytes(first, net.bytes) === 0;
  const { protocol, port } = selector;
  return isInside && (protocol === 0 || protocol === packet.protocol) && (port === 0 || port === packet.port);
};

/** Larger is more specific: prefixes, then protocol, then ports. */
const specificity = ({ local, remote }: Policy): number =>
  (local.prefixLength + remote.prefixLength) * 4 +
  (local.protocol === 0 ? 0 : 2) +
  (local.port === 0 && remote.port === 0 ? 0 : 1);

const policyKey = ({ local, remote, route }: Traffic): string =>
  [selectorText(local), selectorText(remote), route.mark, route.markMask, route.interfaceId].join(' ');

const selectorText = ({ address, prefixLength, protocol, port }: Selector): string =>
  `${address}/${prefixLength}/${protocol}/${port}`;

/** Of one connection. Ranges with odd ends on both sides make many. */
const MOST_POLICIES = 1024;
