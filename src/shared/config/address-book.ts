/** What names in the configuration stand for at the moment: interfaces, the default route, hosts, protocols and services. Main fills it in; whoever resolves reads it. */
import type { IpAddress } from '../address.ts';
import { fold } from './case-fold.ts';
import { DEFAULT_ROUTE_PIECE, hostPiece, interfacePiece } from './dependencies.ts';
import { numbersByName } from './names.ts';

export interface InterfaceAddress {
  /** Link-local ones with `%zone`. */
  readonly address: IpAddress;
  readonly netmask: IpAddress;
}

/** Interfaces that are up by name, and those of the default routes. */
export interface Interfaces {
  readonly addresses: ReadonlyMap<string, readonly InterfaceAddress[]>;
  readonly default4: string | undefined;
  readonly default6: string | undefined;
}

/** What the last look-up of a host said: its canonical addresses, or why there are none. */
export type HostAnswer =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'failed'; readonly reason: string };

export interface AddressView {
  /** The addresses of an interface, or for `default` of those that carry the default routes; undefined where there is no such interface. */
  interfaceAddresses(name: string): readonly InterfaceAddress[] | undefined;
  /** Undefined: nobody has looked it up yet. */
  hostAnswer(name: string): HostAnswer | undefined;
  /** As /etc/protocols has it. */
  protocolNumber(name: string): number | undefined;
  /** As /etc/services has it, whatever the protocol. */
  serviceNumber(name: string): number | undefined;
}

export class AddressBook implements AddressView {
  readonly #changed: (piece: string) => void;
  #interfaces: Interfaces = { addresses: new Map(), default4: undefined, default6: undefined };
  readonly #hosts = new Map<string, HostAnswer>();
  #protocols: ReadonlyMap<string, number> = new Map();
  #services: ReadonlyMap<string, number> = new Map();

  /** `changed` hears of every piece (dependencies.ts) whose meaning changes, after it did. */
  constructor(changed: (piece: string) => void = () => undefined) {
    this.#changed = changed;
  }

  /** Takes a new state of the interfaces; answers whether anything is different. */
  setInterfaces(interfaces: Interfaces): boolean {
    const before = this.#interfaces;
    const defaultBefore = textOf(this.interfaceAddresses(DEFAULT));
    this.#interfaces = interfaces;
    const names = new Set([...before.addresses.keys(), ...interfaces.addresses.keys()]);
    const pieces = Array.from(names)
      .filter((name) => textOf(before.addresses.get(name)) !== textOf(interfaces.addresses.get(name)))
      .map(interfacePiece);
    if (textOf(this.interfaceAddresses(DEFAULT)) !== defaultBefore) pieces.push(DEFAULT_ROUTE_PIECE);
    for (const piece of pieces) this.#changed(piece);
    return pieces.length > 0;
  }

  /** Name servers that hand out a host's addresses in turns change nothing. */
  setHost(name: string, answer: HostAnswer): void {
    const before = this.#hosts.get(name);
    if (before !== undefined && hostText(before) === hostText(answer)) return;
    this.#hosts.set(name, answer);
    this.#changed(hostPiece(name));
  }

  /** Takes the texts of protocols(5) and services(5), once at start. */
  setNumbers(protocols: string, services: string): void {
    this.#protocols = numbersByName(protocols);
    this.#services = numbersByName(services);
  }

  interfaceAddresses(name: string): readonly InterfaceAddress[] | undefined {
    const { addresses, default4, default6 } = this.#interfaces;
    if (name !== DEFAULT) return addresses.get(name);
    const of4 = addresses.get(default4 ?? '') ?? [];
    const of6 = addresses.get(default6 ?? '') ?? [];
    return [...of4.filter(({ address }) => address.family === 4), ...of6.filter(({ address }) => address.family === 6)];
  }

  /** Addresses of all interfaces. */
  allAddresses(): readonly string[] {
    return [...this.#interfaces.addresses.values()].flatMap((addresses) =>
      addresses.map(({ address }) => address.text),
    );
  }

  hostAnswer(name: string): HostAnswer | undefined {
    return this.#hosts.get(name);
  }

  protocolNumber(name: string): number | undefined {
    return this.#protocols.get(fold(name));
  }

  serviceNumber(name: string): number | undefined {
    return this.#services.get(fold(name));
  }
}

/** The word that stands for the interfaces of the default routes. */
const DEFAULT = 'default';

const textOf = (addresses: readonly InterfaceAddress[] | undefined): string | undefined =>
  addresses?.map(({ address, netmask }) => `${address.text} ${netmask.text}`).join();

const hostText = (answer: HostAnswer): string =>
  answer.kind === 'addresses' ? answer.addresses.toSorted().join() : `failed ${answer.reason}`;
