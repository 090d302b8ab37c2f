/**
 * Two gateways in network namespaces of their own with a wire between them, a backend of the same kind on each, and a host behind the second. Over IPv4
 * they are 10.9.0.1 with 10.1.0.1 and 10.1.0.2, and 10.9.0.2 (10.9.0.3 too) with 10.2.0.1 and 10.2.0.2, the host is 10.2.5.1; over IPv6
 * fd09::1 with fd01::1, and fd09::2 with fd02::1.
 */
import { spawnSync } from 'node:child_process';
import type { Capabilities } from '../../../src/kernel/backend.ts';
import { InvariantError } from '../../../src/shared/errors.ts';
import { until } from '../../interop/processes.ts';
import { EndProcess } from './end-process.ts';
import type { Implementation, Name } from './implementations.ts';

/** Output of ip(8) in a namespace. */
const ip = (namespace: string, words: string): string => {
  const { status, stdout, stderr } = spawnSync('ip', ['-n', namespace, ...words.split(' ')], { encoding: 'utf8' });
  if (status !== 0) throw new InvariantError(`ip ${words.replace(/0x[0-9a-f]{32,}/g, '...')}: ${stderr}`);
  return stdout;
};

export class Place {
  readonly implementation: Implementation;
  readonly here: string;
  readonly there: string;
  readonly #behind: string;
  #ends: { readonly here: EndProcess; readonly there: EndProcess; readonly behind: EndProcess } | undefined;
  capabilities: Capabilities | undefined;
  #isClosed = false;

  constructor(implementation: Implementation) {
    const name = `contract-${implementation.name}-${process.pid}`;
    this.implementation = implementation;
    [this.here, this.there, this.#behind] = [`${name}-a`, `${name}-b`, `${name}-c`];
  }

  /** The network. */
  make(): void {
    for (const namespace of this.#namespaces) {
      spawnSync('ip', ['netns', 'add', namespace]);
      ip(namespace, 'link set lo up');
    }
    ip(this.here, `link add wire type veth peer name wire netns ${this.there}`);
    ip(this.there, `link add inside type veth peer name inside netns ${this.#behind}`);
    for (const [namespace, device, addresses] of [
      [this.here, 'wire', ['10.9.0.1/24', 'fd09::1/64']],
      [this.there, 'wire', ['10.9.0.2/24', '10.9.0.3/24', 'fd09::2/64']],
      [this.there, 'inside', ['10.2.5.2/24']],
      [this.#behind, 'inside', ['10.2.5.1/24']],
      [this.here, 'lo', ['10.1.0.1/32', '10.1.0.2/32', 'fd01::1/128']],
      [this.there, 'lo', ['10.2.0.1/32', '10.2.0.2/32', 'fd02::1/128']],
    ] as const) {
      ip(namespace, `link set ${device} up`);
      for (const address of addresses) {
        ip(namespace, `addr add ${address} dev ${device}${address.includes(':') ? ' nodad' : ''}`);
      }
    }
    ip(this.here, 'route add 10.2.0.0/16 via 10.9.0.2 src 10.1.0.1');
    ip(this.there, 'route add 10.1.0.0/16 via 10.9.0.1 src 10.2.0.1');
    ip(this.here, 'route add fd02::/32 via fd09::2 src fd01::1');
    ip(this.there, 'route add fd01::/32 via fd09::1 src fd02::1');
    ip(this.#behind, 'route add default via 10.2.5.2');
    spawnSync('ip', ['netns', 'exec', this.there, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
  }

  get #namespaces(): readonly string[] {
    return [this.here, this.there, this.#behind];
  }

  get ends(): { readonly here: EndProcess; readonly there: EndProcess; readonly behind: EndProcess } {
    if (this.#ends === undefined) throw new InvariantError('the ends are not open');
    return this.#ends;
  }

  async open(): Promise<void> {
    this.#ends = {
      here: new EndProcess(this.here),
      there: new EndProcess(this.there),
      behind: new EndProcess(this.#behind),
    };
    const [capabilities] = await Promise.all([this.ends.here, this.ends.there].map((end) => end.open(this.#name)));
    this.capabilities = capabilities;
  }

  /** Nothing is left, neither of ours nor of others, and nothing is heard any more. The backends stay open: to ask PF_KEY for its algorithms takes seconds. */
  async clear(): Promise<void> {
    const ends = [this.ends.here, this.ends.there];
    await this.ends.here.straighten();
    if (this.#isClosed) await this.ends.here.open(this.#name);
    this.#isClosed = false;
    await Promise.all(ends.map((end) => end.withTime(end.purgeOwn())));
    this.#flush();
    for (const end of ends) {
      await end.elapse(0);
      end.forget();
    }
  }

  /** Of this side; `clear` opens it again. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.ends.here.close();
  }

  /** The process of this side dies, and another one takes over. */
  async crash(): Promise<EndProcess> {
    const { there, behind } = this.ends;
    await this.ends.here.kill();
    const here = new EndProcess(this.here);
    this.#ends = { here, there, behind };
    await here.open(this.#name);
    return here;
  }

  /** The backend of this side is closed and another one opened. */
  async reopen(receiveBuffer?: number): Promise<void> {
    await this.ends.here.close();
    await this.ends.here.open(this.#name, receiveBuffer);
  }

  /** Whether this side is answered when it pings. */
  pings(from: string, to: string): boolean {
    const words = ['netns', 'exec', this.here, 'ping', '-n', '-q', '-c', '1', '-W', '1', '-I', from, to];
    return spawnSync('ip', words).status === 0;
  }

  /** Whether this side, which knows nobody on the wire, finds the other one there for a datagram that passes all policies. */
  async findsNeighbour(from: string, to: string): Promise<boolean> {
    for (const namespace of [this.here, this.there]) ip(namespace, 'neigh flush dev wire');
    await this.ends.here.sendIke({ address: from, port: 0 }, { address: to, port: 500 });
    const state = await until(
      () => `${to} is neither found nor given up`,
      20,
      () => / (REACHABLE|FAILED)/.exec(ip(this.here, `neigh show to ${to} dev wire`))?.[1],
    );
    return state === 'REACHABLE';
  }

  /** Everything that a kernel has on this side, as ip(8) says it. */
  show(): string {
    return this.implementation.show.map((words) => ip(this.here, words)).join('\n');
  }

  makeForeign(): void {
    for (const words of this.implementation.foreign) ip(this.here, words);
  }

  async remove(): Promise<void> {
    if (this.#ends !== undefined) await Promise.all(Object.values(this.#ends).map((end) => end.kill()));
    for (const namespace of this.#namespaces) spawnSync('ip', ['netns', 'delete', namespace]);
  }

  get #name(): Name {
    return this.implementation.name;
  }

  #flush(): void {
    for (const namespace of [this.here, this.there])
      for (const words of this.implementation.flush) ip(namespace, words);
  }
}
