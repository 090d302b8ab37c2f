/**
 * Connections for packets that met a policy of somebody else's: written into the configuration as isakmpd does, counted by how many connections use each
 * section, and removed with the last of them.
 */
import { addressFromBytes, maskFromPrefix, parseAddress } from '../../shared/address.ts';
import { defaultSuites } from '../../shared/config/generated.ts';
import type { ConfigurationStore } from '../../shared/config/store.ts';
import type { ConnectionEvent } from '../../shared/connection/events.ts';
import type { Selector } from '../../shared/flow.ts';
import type { Acquire } from '../../shared/kernel-news.ts';
import { notice } from '../../shared/log/records.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';

export interface OnDemandOptions {
  readonly configuration: {
    readonly store: Pick<ConfigurationStore, 'get' | 'set' | 'exists' | 'removeSection'>;
    /** A connection that was made counts as listed, or no longer. */
    list(connection: string, isListed: boolean): void;
  };
  /** For the connection core, once lanes and name servers have been asked what they must be. */
  readonly tell: (event: ConnectionEvent) => void;
  readonly log: (record: LogRecord) => void;
}

/** A section and its tags. */
type Section = readonly [name: string, tags: Readonly<Record<string, string>>];

export class OnDemand {
  readonly #options: OnDemandOptions;
  /** Connections by what they are for. */
  readonly #byPurpose = new Map<string, string>();
  /** The sections that each connection uses and we have written. */
  readonly #sections = new Map<string, readonly string[]>();
  readonly #users = new Map<string, number>();
  #counter = 0;

  constructor(options: OnDemandOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sections.size;
  }

  /** Makes a connection for what the kernel asked, or takes the one that was made. */
  demand(acquire: Acquire): void {
    const selectors = acquire.policy ?? acquire.packet;
    const reason = this.#refusal(acquire);
    if (selectors === undefined || reason !== undefined) {
      const why = reason ?? 'the kernel does not say which it is';
      const text = `acquire: no connection is made for traffic by way of ${acquire.destination}: ${why}` as const;
      this.#options.log(notice('acquire-refused', text, { address: acquire.destination }));
      return;
    }
    const from = idName('from', selectors.source);
    const to = idName('to', selectors.destination);
    const purpose = `${from} ${to} ${acquire.source} ${acquire.destination}`;
    const connection = this.#made(purpose) ?? this.#make(acquire, selectors.source, selectors.destination);
    this.#byPurpose.set(purpose, connection);
    this.#options.tell({ kind: 'acquire', acquire, connection });
  }

  /** Nothing is left of a connection. */
  over(connection: string): void {
    const { configuration } = this.#options;
    const { store } = configuration;
    configuration.list(connection, false);
    for (const section of this.#sections.get(connection) ?? []) {
      const users = (this.#users.get(section) ?? 1) - 1;
      if (users > 0) {
        this.#users.set(section, users);
        store.set(section, 'Refcount', String(users), true);
      } else {
        this.#users.delete(section);
        store.removeSection(section);
      }
    }
    this.#sections.delete(connection);
    for (const [purpose, made] of this.#byPurpose) if (made === connection) this.#byPurpose.delete(purpose);
  }

  /** A reload voids what was not in the file. */
  #made(purpose: string): string | undefined {
    const connection = this.#byPurpose.get(purpose);
    if (connection === undefined || this.#options.configuration.store.exists(connection)) return connection;
    this.over(connection);
    return undefined;
  }

  #refusal({ destination }: Acquire): string | undefined {
    const address = parseAddress(destination);
    if (address === undefined || address.bytes.every((byte) => byte === 0)) return 'its policy names no peer';
    return this.#sections.size >= MOST_CONNECTIONS
      ? `there are ${MOST_CONNECTIONS} such connections already`
      : undefined;
  }

  #make({ source, destination }: Acquire, from: Selector, to: Selector): string {
    const { configuration, log } = this.#options;
    const { store } = configuration;
    this.#counter++;
    const connection = `Connection-${this.#counter}`;
    const peer = this.#peerFor(source, destination);
    const [localId, remoteId] = [idName('from', from), idName('to', to)];
    const ipsec = `phase2-${localId}-${remoteId}`;
    const suites = defaultSuites((section, tag) => store.get(section, tag));
    const wanted: readonly Section[] = [
      ...peer.sections,
      [localId, idTags(from)],
      [remoteId, idTags(to)],
      [ipsec, { EXCHANGE_TYPE: 'QUICK_MODE', DOI: 'IPSEC', Suites: suites }],
      [
        connection,
        {
          ...{ Phase: '2', 'ISAKMP-peer': peer.name, Flags: '__ondemand' },
          ...{ 'Local-ID': localId, 'Remote-ID': remoteId, Configuration: ipsec },
        },
      ],
    ];
    this.#sections.set(
      connection,
      wanted.flatMap(([section, tags]) => (this.#use(section, tags) ? [section] : [])),
    );
    configuration.list(connection, true);
    log(
      notice(
        'acquire-made',
        `acquire: connection ${connection} is made for traffic ${localId} ${remoteId} by way of ${destination}`,
        {
          connection,
          address: destination,
        },
      ),
    );
    return connection;
  }

  /** A section that an operator has written is used as it is, and stays. */
  #use(section: string, tags: Section[1]): boolean {
    const { store } = this.#options.configuration;
    const users = this.#users.get(section) ?? 0;
    if (users === 0 && store.exists(section)) return false;
    if (!store.exists(section)) for (const [tag, value] of Object.entries(tags)) store.set(section, tag, value, true);
    this.#users.set(section, users + 1);
    store.set(section, 'Refcount', String(users + 1), true);
    return true;
  }

  #peerFor(source: string, destination: string): { readonly name: string; readonly sections: readonly Section[] } {
    const { store } = this.#options.configuration;
    const plain = `peer-${destination}`;
    const isAnySource = parseAddress(source)?.bytes.every((byte) => byte === 0) ?? true;
    const name = isAnySource || store.exists(plain) ? plain : `${plain}-local-${source}`;
    const configuration = `phase1-${name}`;
    const transforms = store.get('Default-phase-1-configuration', 'Transforms') ?? '';
    return {
      name,
      sections: [
        [configuration, { EXCHANGE_TYPE: 'ID_PROT', Transforms: transforms }],
        [
          name,
          {
            ...{ Phase: '1', Address: destination, Configuration: configuration },
            ...(isAnySource ? {} : { 'Local-address': source }),
          },
        ],
      ],
    };
  }
}

/** behaviour 5.17: `from-<net>[/len][=proto][:port]`. */
const idName = (end: 'from' | 'to', { address, prefixLength, protocol, port }: Selector): string => {
  const net = isHost(address, prefixLength) ? address : `${address}/${prefixLength}`;
  return `${end}-${net}${protocol === 0 ? '' : `=${protocol}`}${port === 0 ? '' : `:${port}`}`;
};

const idTags = ({ address, prefixLength, protocol, port }: Selector): Section[1] => {
  const family = parseAddress(address)?.family === 6 ? 'IPV6' : 'IPV4';
  return {
    ...(isHost(address, prefixLength)
      ? { 'ID-type': `${family}_ADDR`, Address: address }
      : { 'ID-type': `${family}_ADDR_SUBNET`, Network: address, Netmask: netmask(address, prefixLength) }),
    ...(protocol === 0 ? {} : { Protocol: String(protocol) }),
    ...(port === 0 ? {} : { Port: String(port) }),
  };
};

const isHost = (address: string, prefixLength: number): boolean =>
  prefixLength === (parseAddress(address)?.family === 6 ? 128 : 32);

const netmask = (address: string, prefixLength: number): string =>
  addressFromBytes(maskFromPrefix(parseAddress(address)?.family ?? 4, prefixLength)).text;

/** Each costs a few sections of configuration; policies that ask for more than these are too general. */
const MOST_CONNECTIONS = 1000;
