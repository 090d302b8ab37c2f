/** The daemon's keys as the files have them: read at start, at each reload and when the configuration names other places. */
import type { CredentialPlaces } from '../../shared/config/resolve-general.ts';
import { keyProblemsInSteps } from '../../shared/credentials/check-files.ts';
import { type CredentialFiles, NO_CREDENTIALS } from '../../shared/credentials/credential-files.ts';
import { SystemError } from '../../shared/errors.ts';
import { failure, notice } from '../../shared/log/records.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';
import { inSlices } from '../slices.ts';
import { type CredentialAccess, readCredentials } from './credential-reader.ts';

export interface DaemonCredentialsOptions {
  readonly privileged: CredentialAccess;
  /** As the configuration has them now. */
  readonly places: () => CredentialPlaces;
  readonly log: (record: LogRecord) => void;
}

export class DaemonCredentials {
  readonly #options: DaemonCredentialsOptions;
  #files = NO_CREDENTIALS;
  /** As of the last reading. */
  #places = '';
  #last: Promise<void> = Promise.resolve();
  #onChange: () => void = () => undefined;

  constructor(options: DaemonCredentialsOptions) {
    this.#options = options;
  }

  get files(): CredentialFiles {
    return this.#files;
  }

  /** Whoever hands the files on hears of new ones. */
  onChange(listener: () => void): void {
    this.#onChange = listener;
  }

  /** Reads all files anew, one reading after the other. Resolves when they are in `files`; never rejects, what is wrong is logged. */
  load(): Promise<void> {
    this.#last = this.#last.then(() => this.#read());
    return this.#last;
  }

  /** The configuration was edited: reads the files if it means others by now. */
  async placesMayHaveChanged(): Promise<void> {
    if (JSON.stringify(this.#options.places()) !== this.#places) await this.load();
  }

  async #read(): Promise<void> {
    const { privileged, places, log } = this.#options;
    const wanted = places();
    this.#places = JSON.stringify(wanted);
    try {
      const { files, problems } = await readCredentials(privileged, wanted);
      const unfit = await inSlices(keyProblemsInSteps(files));
      for (const problem of [...problems, ...unfit]) log(failure('credentials-unfit', `credentials: ${problem}`));
      this.#files = files;
      const counts = countsOf(files);
      if (counts !== '') log(notice('credentials', `credentials: ${counts}`));
      this.#onChange();
    } catch (fault) {
      if (!(fault instanceof SystemError)) throw fault;
      log(failure('credentials-unfit', `credentials: ${fault.message}`));
    }
  }
}

const countsOf = ({ privateKeys, publicKeys }: CredentialFiles): string =>
  [countOf(privateKeys.length, 'private key'), countOf(publicKeys.length, 'public key')]
    .filter((text) => text !== '')
    .join(', ');

const countOf = (count: number, what: string): string =>
  count === 0 ? '' : `${count} ${what}${count === 1 ? '' : 's'}`;
