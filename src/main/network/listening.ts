/** Keeps the sockets on the addresses that [General]:Listen-on means at the moment, and says which ones it waits for. */
import { type ListenAddresses, listenAddresses } from '../../shared/config/listen-on.ts';
import { SystemError } from '../../shared/errors.ts';
import { failure, notice } from '../../shared/log/records.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';
import type { DaemonConfiguration } from '../configuration.ts';
import type { UdpSockets } from './sockets.ts';

export interface ListeningOptions {
  readonly configuration: Pick<DaemonConfiguration, 'general' | 'store'>;
  readonly network: Pick<UdpSockets, 'listen' | 'endpoints'>;
  readonly log: (record: LogRecord) => void;
}

export class Listening {
  readonly #options: ListeningOptions;
  /** Addresses and names that there is nothing to listen on for yet. */
  #awaited: ReadonlySet<string> = new Set();
  /** This host's addresses when it was last looked. */
  #local: ReadonlySet<string> = new Set();
  /** Listen-on at the last scan, and what it meant. */
  #listenOn: readonly string[] | undefined;
  #scanned = '';
  #isDeafTold = false;

  constructor(options: ListeningOptions) {
    this.#options = options;
  }

  /**
   * Whether another scan may be worth while though no interface has changed: an address is waited for (IPv6 addresses are tentative at first), or names
   * stand for other addresses than at the last scan. An edit of Listen-on alone waits for the next reload.
   */
  get isDue(): boolean {
    return this.#awaited.size > 0 || textOf(this.#meant()) !== this.#scanned;
  }

  /** At start and at a reload. An address that is not there is no fault; rejects with SystemError when our port cannot be had on any that is. */
  async rescan(): Promise<void> {
    const { configuration, network } = this.#options;
    this.#listenOn = configuration.general().daemon.listenOn;
    const meant = this.#meant();
    const { addresses, unknown } = meant;
    this.#scanned = textOf(meant);
    const local = new Set(configuration.store.addressBook.allAddresses());
    const remaining = addresses.filter((address) => local.has(address) || !this.#local.has(address));
    this.#local = local;
    // The socket of an address that is gone would stay open, and be deaf for ever.
    if (remaining.length < addresses.length) await network.listen(remaining);
    const absent = await network.listen(addresses);
    this.#tell(new Set([...unknown, ...absent]));
  }

  /** The same when addresses have changed by themselves: what cannot be had is logged. */
  async addressesChanged(): Promise<void> {
    try {
      await this.rescan();
    } catch (fault) {
      if (!(fault instanceof SystemError)) throw fault;
      this.#options.log(failure('listen-failed', fault.message));
    }
  }

  #meant(): ListenAddresses {
    return listenAddresses(this.#listenOn, this.#options.configuration.store.addressBook);
  }

  #tell(awaited: ReadonlySet<string>): void {
    const { log, network } = this.#options;
    for (const member of awaited) {
      if (this.#awaited.has(member)) continue;
      log(
        notice(
          'listen-waiting',
          `[General]:Listen-on has ${member}, but this host has no such address yet: it is opened when it has`,
        ),
      );
    }
    for (const member of this.#awaited) {
      if (!awaited.has(member)) log(notice('listen-waiting', `[General]:Listen-on: ${member} is no longer waited for`));
    }
    this.#awaited = awaited;
    const isDeaf = network.endpoints().length === 0;
    if (isDeaf && !this.#isDeafTold) {
      log(notice('listen-waiting', 'there is no address to listen on yet: no peer can be reached until there is one'));
    }
    this.#isDeafTold = isDeaf;
  }
}

/** Name servers that hand out a host's addresses in turns change nothing. */
const textOf = ({ addresses }: ListenAddresses): string => addresses.toSorted().join();
