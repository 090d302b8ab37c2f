/** Clients behind a NAT and a gateway before it, each in a network namespace of this host; the NAT gives them one address and other ports. */
import { execFileSync } from 'node:child_process';
import type { Host } from '../../../loadtest/esp/gateway-configuration.ts';
import { EspEndpoint, Namespace } from '../../../loadtest/esp/namespaces.ts';

/** One end of a tunnel. */
export interface End extends Host {
  readonly namespace: Namespace;
  readonly outer: string;
  /** CIDR of the network behind it. */
  readonly net: string;
}

export class Field {
  readonly gate: End;
  readonly clients: readonly End[];
  readonly nat: Namespace;
  readonly #all: Namespace[] = [];

  constructor(clients = 1) {
    try {
      this.nat = this.#namespace('nat');
      this.nat.run('sysctl -qw net.ipv4.ip_forward=1');
      this.gate = this.#end('gate', '10.91.0.2', '10.91.0.1', '10.91.2', 'outside');
      this.clients = Array.from({ length: clients }, (_, i) =>
        this.#end(`client${i}`, `192.168.${i}.2`, `192.168.${i}.1`, `10.91.${11 + i}`, `inside${i}`),
      );
      for (const { namespace, outer } of this.clients) namespace.run(`ip route add default via ${routerOf(outer)}`);
      this.remap('20000-29999');
    } catch (fault) {
      void this.end();
      throw fault;
    }
  }

  /** From now on whatever comes from inside gets a source port of this range; connections that are known keep theirs until `forget`. */
  remap(ports: string): void {
    const rules = `flush ruleset
table ip nat {
  chain post {
    type nat hook postrouting priority 100;
    oifname "outside" meta l4proto udp masquerade to :${ports} random
    oifname "outside" masquerade
  }
}
`;
    execFileSync('ip', ['netns', 'exec', this.nat.name, 'nft', '-f', '-'], { input: rules });
  }

  /** The NAT's table of connections is empty, as after a restart. */
  forget(): void {
    this.nat.run('conntrack -F');
  }

  async end(): Promise<void> {
    await Promise.all([this.gate, ...(this.clients ?? [])].map((end) => end?.endpoint.end()));
    for (const namespace of this.#all) namespace.delete();
  }

  #end(name: string, outer: string, router: string, net: string, natInterface: string): End {
    const namespace = this.#namespace(name);
    namespace.run(`ip link add out0 type veth peer name ${natInterface} netns ${this.nat.name}`);
    namespace.run(`ip addr add ${outer}/24 dev out0`);
    this.nat.run(`ip addr add ${router}/24 dev ${natInterface}`);
    namespace.run('ip link set out0 up');
    this.nat.run(`ip link set ${natInterface} up`);
    namespace.run(`ip addr add ${net}.1/32 dev lo`);
    return { namespace, endpoint: new EspEndpoint(namespace), outer, inner: `${net}.1`, net: `${net}.0/24` };
  }

  #namespace(name: string): Namespace {
    const namespace = new Namespace(`host-${name}`);
    this.#all.push(namespace);
    return namespace;
  }
}

const routerOf = (outer: string): string => outer.replace(/2$/, '1');
