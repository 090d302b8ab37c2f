/** Which flow a packet belongs to: tries over remote and local prefixes, then protocol and ports. Of several flows the one with the lowest priority number counts. */
import { InvariantError } from '../errors.ts';
import type { IpPacket } from './ip-packet.ts';
import { PrefixTrie } from './prefix-trie.ts';
import { type CompiledSelector, fitsUpperLayer, type LaterFragments } from './selector.ts';

export interface TableFlow {
  readonly local: CompiledSelector;
  readonly remote: CompiledSelector;
  /** The lower, the more specific. */
  readonly priority: number;
}

export class FlowTable<F extends TableFlow> {
  readonly #byFamily = { 4: new PrefixTrie<PrefixTrie<F[]>>(), 6: new PrefixTrie<PrefixTrie<F[]>>() };
  /** Reused by every lookup. */
  readonly #remotes: PrefixTrie<F[]>[] = [];
  readonly #lists: F[][] = [];

  add(flow: F): void {
    const { local, remote } = flow;
    if (local.family !== remote.family) throw new InvariantError('a flow between IPv4 and IPv6');
    const remotes = this.#byFamily[remote.family];
    let locals = remotes.get(remote.network, remote.prefixLength);
    if (locals === undefined) {
      locals = new PrefixTrie();
      remotes.set(remote.network, remote.prefixLength, locals);
    }
    const list = locals.get(local.network, local.prefixLength);
    if (list === undefined) locals.set(local.network, local.prefixLength, [flow]);
    else list.push(flow);
  }

  /** The very object that was added. */
  remove(flow: F): void {
    const { local, remote } = flow;
    const remotes = this.#byFamily[remote.family];
    const locals = remotes.get(remote.network, remote.prefixLength);
    const list = locals?.get(local.network, local.prefixLength);
    const index = list?.indexOf(flow) ?? -1;
    if (locals === undefined || list === undefined || index < 0) return;
    list.splice(index, 1);
    if (list.length === 0) locals.delete(local.network, local.prefixLength);
    if (locals.size === 0) remotes.delete(remote.network, remote.prefixLength);
  }

  /** The flow that has the same selectors as this one. */
  same({ local, remote }: TableFlow): F | undefined {
    const list = this.#byFamily[remote.family]
      .get(remote.network, remote.prefixLength)
      ?.get(local.network, local.prefixLength);
    return list?.find((other) => isSameUpperLayer(other.local, local) && isSameUpperLayer(other.remote, remote));
  }

  /** Flow of a packet that leaves for the remote side. */
  outbound(packet: IpPacket, bytes: Uint8Array): F | undefined {
    return this.#find(packet, bytes, packet.destinationAt, packet.sourceAt, true);
  }

  /** Flow of a packet that comes from the remote side. */
  inbound(packet: IpPacket, bytes: Uint8Array): F | undefined {
    return this.#find(packet, bytes, packet.sourceAt, packet.destinationAt, false);
  }

  /**
   * A later fragment has no ports. It takes the best flow without ports; where there is none, the best one that its addresses and protocol fit:
   * it is never outside of both (RFC 4301 §7).
   */
  #find(packet: IpPacket, bytes: Uint8Array, remoteAt: number, localAt: number, isOut: boolean): F | undefined {
    this.#lists.length = 0;
    this.#remotes.length = 0;
    this.#byFamily[packet.family].collect(bytes, remoteAt, this.#remotes);
    for (const locals of this.#remotes) locals.collect(bytes, localAt, this.#lists);
    const strict = best(this.#lists, packet, isOut, 'refused');
    return strict === undefined && packet.isLaterFragment ? best(this.#lists, packet, isOut, 'allowed') : strict;
  }
}

const isSameUpperLayer = (a: CompiledSelector, b: CompiledSelector): boolean =>
  a.protocol === b.protocol && a.port === b.port;

const best = <F extends TableFlow>(
  lists: readonly (readonly F[])[],
  packet: IpPacket,
  isOut: boolean,
  laterFragments: LaterFragments,
): F | undefined => {
  let found: F | undefined;
  for (const list of lists) {
    for (const flow of list) {
      if (found !== undefined && found.priority <= flow.priority) continue;
      if (fits(flow, packet, isOut, laterFragments)) found = flow;
    }
  }
  return found;
};

const fits = (flow: TableFlow, packet: IpPacket, isOut: boolean, laterFragments: LaterFragments): boolean =>
  isOut
    ? fitsUpperLayer(packet, flow.local, flow.remote, laterFragments)
    : fitsUpperLayer(packet, flow.remote, flow.local, laterFragments);
