/** SIGHUP and the FIFO command `R`: the configuration file is read again, and what it changes is carried to everybody, one reload after the other. */
import { reloadChangesInSteps } from '../shared/config/reload-changes.ts';
import type { ConnectionEvent } from '../shared/connection/events.ts';
import { ConfigError, SystemError } from '../shared/errors.ts';
import { failure, notice } from '../shared/log/records.ts';
import { reloadLines } from '../shared/log/reload-lines.ts';
import type { Verbosity } from '../shared/log/verbosity.ts';
import type { LogRecord } from '../shared/threads/contract.ts';
import { readConfigurationFile } from './cli/configuration-file.ts';
import type { DaemonConfiguration } from './configuration.ts';
import type { DaemonCredentials } from './credentials/daemon-credentials.ts';
import type { PolicyFile } from './credentials/policy-file.ts';
import type { Listening } from './network/listening.ts';
import type { PeerAddresses } from './network/peer-addresses.ts';
import type { Operator } from './operator.ts';
import type { Privileged } from './privileged/privileged.ts';
import { inSlices } from './slices.ts';

export interface ReinitializationOptions {
  readonly configurationFile: string;
  readonly configuration: DaemonConfiguration;
  readonly credentials: Pick<DaemonCredentials, 'load'>;
  readonly policy: Pick<PolicyFile, 'reload'>;
  readonly privileged: Pick<Privileged, 'readSecretFile'>;
  readonly operator: Pick<Operator, 'tell' | 'upToDate'>;
  readonly peerAddresses: Pick<PeerAddresses, 'forget'>;
  readonly listening: Pick<Listening, 'rescan'>;
  readonly verbosity: Pick<Verbosity, 'configure'>;
  /** For the service manager. */
  readonly onBegin: () => void;
  readonly onEnd: () => void;
  readonly log: (record: LogRecord) => void;
}

export class Reinitialization {
  readonly #options: ReinitializationOptions;
  #running: Promise<void> = Promise.resolve();
  #isWaiting = false;

  constructor(options: ReinitializationOptions) {
    this.#options = options;
  }

  /** Resolves when it is done; never rejects. Whoever asks while one waits to begin gets that one. */
  request(): Promise<void> {
    if (this.#isWaiting) return this.#running;
    this.#isWaiting = true;
    this.#running = this.#running.then(() => {
      this.#isWaiting = false;
      return this.#run();
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    const { log, onBegin, onEnd } = this.#options;
    onBegin();
    log(notice('reinitializing', 'isakmpd: reinitializing daemon'));
    try {
      await this.#reload();
    } catch (fault) {
      if (!(fault instanceof SystemError)) throw fault;
      log(failure('reload-failed', fault.message));
    } finally {
      onEnd();
    }
  }

  async #reload(): Promise<void> {
    const { configuration, credentials, policy, operator, peerAddresses, listening, verbosity, log } = this.#options;
    const renew = await this.#readFile();
    await policy.reload();
    await credentials.load();
    verbosity.configure(configuration.general().daemon).forEach(log);
    const renegotiate = configuration.general().daemon.renegotiateOnHup;
    peerAddresses.forget();
    try {
      await listening.rescan();
    } finally {
      operator.tell({ kind: 'reloaded', ...renew, renegotiate });
    }
  }

  /** Answers whose phase 1 has to be made anew. Whatever is wrong with the file leaves everything as it is. */
  async #readFile(): Promise<Renewed> {
    const { configuration, configurationFile: path, privileged, operator, log } = this.#options;
    const file = await readConfigurationFile(privileged, path);
    if (file.kind === 'missing') {
      log(notice('reload', `${path} is not there: what was set through the FIFO stays`));
      return NOBODY;
    }
    if (file.kind === 'refused') return this.#keep(file.reason);
    const read = await refusal(configuration.read(file.text, path));
    if (read instanceof ConfigError) return this.#keep(read.message);
    const before = await inSlices(operator.upToDate().snapshotInSteps());
    await configuration.reload(read);
    const after = await inSlices(operator.upToDate().snapshotInSteps());
    const changes = await inSlices(reloadChangesInSteps(before, after));
    for (const record of reloadLines(changes)) log(record);
    const renewed = changes.changedPeers.filter(({ isRenewed }) => isRenewed);
    return { renew: renewed.map(({ name }) => name), renewIdentities: changes.changedSecrets };
  }

  #keep(reason: string): Renewed {
    this.#options.log(failure('reload-failed', reason));
    this.#options.log(failure('reload-failed', 'isakmpd: nothing was reloaded, the configuration stays as it was'));
    return NOBODY;
  }
}

type Renewed = Pick<Extract<ConnectionEvent, { readonly kind: 'reloaded' }>, 'renew' | 'renewIdentities'>;

const NOBODY: Renewed = { renew: [], renewIdentities: [] };

/** The answer, or the ConfigError instead of it. */
const refusal = async <T>(answer: Promise<T>): Promise<T | ConfigError> => {
  try {
    return await answer;
  } catch (fault) {
    if (fault instanceof ConfigError) return fault;
    throw fault;
  }
};
