/**
 * The kernel's policies: which should be there, and the pair that each points to. A policy exists once for its selectors and route, whoever wants it; of those who
 * do, the one whose pair came last decides.
 */
import { EncapsulationMode, ProtocolId } from '../constants/ipsec-doi.ts';
import type { Flow, Route, Selector } from '../flow.ts';
import { prefixesOf } from '../policy/prefixes.ts';
import type { Agreement } from '../threads/contract.ts';
import type { Deadline } from './deadlines.ts';
import type { Desk } from './desk.ts';
import type { Pair, Tunnel } from './records.ts';

/** What one of those who want a policy says about it. */
type Claim = Omit<Flow, 'id' | 'local' | 'remote'>;

export class Flows {
  readonly #desk: Desk;
  readonly #bySelectors = new Map<string, Policy>();
  readonly #byId = new Map<number, Policy>();
  readonly #byHolder = new Map<object, readonly Policy[]>();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  get size(): number {
    return this.#bySelectors.size;
  }

  /** Outbound traffic of this tunnel uses this pair from now on. */
  point(tunnel: Tunnel, { agreement, reqid }: Pair): void {
    const policies = this.#byHolder.get(tunnel) ?? this.#policiesFor(agreement);
    this.#byHolder.set(tunnel, policies);
    const claim = { ...claimOf(agreement), reqid };
    for (const policy of policies) {
      // The latest comes last.
      policy.claims.delete(tunnel);
      policy.claims.set(tunnel, claim);
      this.#put(policy);
    }
  }

  /** The tunnel has no pair any more. */
  release(tunnel: Tunnel): void {
    for (const policy of this.#byHolder.get(tunnel) ?? []) {
      policy.claims.delete(tunnel);
      this.#put(policy);
    }
    this.#byHolder.delete(tunnel);
  }

  /** The kernel has not taken it; whatever it was, it may be over some time. */
  refused(id: number): void {
    const policy = this.#byId.get(id);
    if (policy === undefined) return;
    policy.retry?.cancel();
    policy.retry = this.#desk.after(this.#desk.view.checkIntervalSeconds * 1000, () => this.#put(policy));
  }

  #policiesFor({ localSelector, remoteSelector, route }: Agreement): readonly Policy[] {
    const locals = prefixesOf(localSelector) ?? [];
    const remotes = prefixesOf(remoteSelector) ?? [];
    return locals.flatMap((local) => remotes.map((remote) => this.#policy(local, remote, route)));
  }

  #policy(local: Selector, remote: Selector, { mark, markMask, interfaceId }: Route): Policy {
    const key = [selectorText(local), selectorText(remote), mark, markMask, interfaceId].join(' ');
    const known = this.#bySelectors.get(key);
    if (known !== undefined) return known;
    const policy: Policy = { key, id: this.#desk.nextNumber(), local, remote, claims: new Map(), retry: undefined };
    this.#bySelectors.set(key, policy);
    this.#byId.set(policy.id, policy);
    return policy;
  }

  #put(policy: Policy): void {
    const { key, id, local, remote, claims } = policy;
    policy.retry?.cancel();
    policy.retry = undefined;
    const claim = [...claims.values()].at(-1);
    if (claim === undefined) {
      this.#bySelectors.delete(key);
      this.#byId.delete(id);
      this.#desk.emit({ kind: 'deleteFlow', id });
    } else this.#desk.emit({ kind: 'putFlow', flow: { ...claim, id, local, remote } });
  }
}

interface Policy {
  readonly key: string;
  readonly id: number;
  readonly local: Selector;
  readonly remote: Selector;
  /** By who wants it; the last one counts. */
  readonly claims: Map<object, Claim>;
  retry: Deadline | undefined;
}

const claimOf = ({ path, protocols, route }: Agreement): Omit<Claim, 'reqid'> => ({
  localAddress: path.local.address,
  remoteAddress: path.remote.address,
  // RFC 2401 §4.3: of a bundle in transport mode ESP is applied first, AH goes over it.
  protocols: protocols.map(({ protocolId }) => protocolId).sort((a, b) => orderOf(a) - orderOf(b)),
  encapsulation: protocols.some(({ encapsulation }) => TRANSPORT_MODES.has(encapsulation)) ? 'transport' : 'tunnel',
  route,
});

const orderOf = (protocolId: number): number => (protocolId === ProtocolId.IPSEC_AH ? 1 : 0);

const selectorText = ({ address, prefixLength, protocol, port }: Selector): string =>
  `${address}/${prefixLength}/${protocol}/${port}`;

const TRANSPORT_MODES: ReadonlySet<number> = new Set([
  EncapsulationMode.TRANSPORT,
  EncapsulationMode.UDP_ENCAP_TRANSPORT,
  EncapsulationMode.UDP_ENCAP_TRANSPORT_DRAFT,
]);
