/** The daemon's keys and certificates as the files have them: read at start, at each reload, when files change and when the configuration names other places. */
import type { CredentialPlaces } from '../../shared/config/resolve-general.ts';
import {
  type CertificateFindings,
  certificateFindingsInSteps,
  type DatedItem,
  expiryRecord,
} from '../../shared/credentials/check-certificates.ts';
import { keyProblemsInSteps } from '../../shared/credentials/check-files.ts';
import {
  type CredentialFile,
  type CredentialFiles,
  NO_CREDENTIALS,
} from '../../shared/credentials/credential-files.ts';
import { SystemError } from '../../shared/errors.ts';
import { failure, notice } from '../../shared/log/records.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';
import { createTrustStore, type TrustStore } from '../../shared/x509/trust-store.ts';
import type { Privileged } from '../privileged/privileged.ts';
import { inSlices } from '../slices.ts';
import { type CredentialAccess, readCredentials } from './credential-reader.ts';
import { CredentialWatch } from './credential-watch.ts';

export interface DaemonCredentialsOptions {
  readonly privileged: CredentialAccess & Pick<Privileged, 'stampFiles'>;
  /** As the configuration has them now. */
  readonly places: () => CredentialPlaces;
  /** The KeyNote policy; undefined: none is asked. */
  readonly policy: () => string | undefined;
  readonly log: (record: LogRecord) => void;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** Calls back after some ms; the answer cancels. */
  readonly schedule: (milliseconds: number, callback: () => void) => () => void;
}

export class DaemonCredentials {
  readonly #options: DaemonCredentialsOptions;
  #files = NO_CREDENTIALS;
  #items: readonly DatedItem[] = [];
  #trust = createTrustStore(NO_CREDENTIALS, NO_CREDENTIALS.settings);
  /** As of the last reading. */
  #places = '';
  #stamp = '';
  #last: Promise<void> = Promise.resolve();
  #onChange: () => void = () => undefined;
  /** What was said of an item, and when: ms since 1970. */
  #told = new Map<string, number>();

  constructor(options: DaemonCredentialsOptions) {
    this.#options = options;
  }

  get files(): CredentialFiles {
    return this.#files;
  }

  /** Certificates and CRLs in use, with their days. */
  get items(): readonly DatedItem[] {
    return this.#items;
  }

  /** As lanes have it that know these files. */
  get trust(): TrustStore {
    return this.#trust;
  }

  /** Whoever hands the files on hears of new ones. */
  onChange(listener: () => void): void {
    this.#onChange = listener;
  }

  /** Reads all files anew, one reading after the other. Resolves when they are in `files`; never rejects, what is wrong is logged. */
  load(): Promise<void> {
    this.#told.clear();
    return this.#reload();
  }

  /** The configuration was edited: reads the files if it means others by now. */
  async placesMayHaveChanged(): Promise<void> {
    if (JSON.stringify(this.#options.places()) !== this.#places) await this.load();
  }

  /** From here on files that change are read again, and what expires is told once a day. The answer ends that. */
  watch(): () => void {
    const { schedule } = this.#options;
    const watch = new CredentialWatch({
      stamp: () => this.#stampNow(),
      inUse: () => this.#stamp,
      onChange: () => this.#reload(),
      schedule,
    });
    let cancel = (): void => undefined;
    const daily = (): void => {
      this.#tellExpiries();
      cancel = schedule(DAY, daily);
    };
    cancel = schedule(DAY, daily);
    return () => {
      watch.close();
      cancel();
    };
  }

  #reload(): Promise<void> {
    this.#last = this.#last.then(() => this.#read());
    return this.#last;
  }

  async #read(): Promise<void> {
    const { privileged, places, log } = this.#options;
    const wanted = places();
    this.#places = JSON.stringify(wanted);
    try {
      // Before the files are read: what changes meanwhile is read once more.
      this.#stamp = await this.#stampNow();
      const { files, problems } = await readCredentials(privileged, wanted);
      const unfit = await inSlices(keyProblemsInSteps(files));
      const { usable, findings } = await this.#checked(files);
      for (const problem of [...problems, ...unfit, ...findings.problems]) {
        log(failure('credentials-unfit', `credentials: ${problem}`));
      }
      for (const oddity of findings.oddities) log(notice('credentials-odd', `credentials: ${oddity}`));
      this.#files = { ...usable, policy: this.#options.policy() };
      this.#items = findings.items;
      this.#trust = findings.trust;
      const counts = countsOf(usable);
      if (counts !== '') log(notice('credentials', `credentials: ${counts}`));
      this.#tellExpiries();
      this.#onChange();
    } catch (fault) {
      // What is in use stays. A fault of ours costs this reading, not the daemon.
      if (fault instanceof SystemError) log(failure('credentials-unfit', `credentials: ${fault.message}`));
      else log(failure('fault', `isakmpd: a change of credentials dropped, internal fault: ${String(fault)}`));
    }
  }

  /** A CRL that was good and is broken now stays as it was: without it, what it revokes would be taken. */
  async #checked(files: CredentialFiles): Promise<{ usable: CredentialFiles; findings: CertificateFindings }> {
    const { log, wallClock } = this.#options;
    const findings = await inSlices(certificateFindingsInSteps(files, wallClock()));
    const before = new Map(this.#files.revocationLists.map((list) => [list.file, list]));
    const kept = (list: CredentialFile): CredentialFile => {
      const good = findings.brokenLists.has(list.file) ? before.get(list.file) : undefined;
      if (good !== undefined) log(notice('credentials-odd', `credentials: ${list.file} counts as it was before`));
      return good ?? list;
    };
    const usable = { ...files, revocationLists: files.revocationLists.map(kept) };
    if (findings.brokenLists.size === 0) return { usable, findings };
    const { items, trust } = await inSlices(certificateFindingsInSteps(usable, wallClock()));
    return { usable, findings: { ...findings, items, trust } };
  }

  #stampNow(): Promise<string> {
    const { privileged, places } = this.#options;
    const from = places();
    return privileged.stampFiles([
      from.privateKey,
      from.privateKeyDirectory,
      from.publicKeyDirectory,
      from.authorityDirectory,
      from.certificateDirectory,
      from.revocationListDirectory,
      from.keynoteDirectory,
    ]);
  }

  /** Each once a day, and once more where the operator asked for a reload. */
  #tellExpiries(): void {
    const { log, wallClock } = this.#options;
    const now = wallClock();
    const told = new Map<string, number>();
    for (const item of this.#items) {
      const record = expiryRecord(item, now);
      if (record === undefined) continue;
      const key = JSON.stringify([item, record.severity]);
      const before = this.#told.get(key) ?? Number.NEGATIVE_INFINITY;
      // The timer of a day and the wall clock do not agree to the second.
      const isDue = now - before >= DAY - HOUR;
      told.set(key, isDue ? now : before);
      if (isDue) log(record);
    }
    this.#told = told;
  }
}

const countsOf = (files: CredentialFiles): string =>
  [
    countOf(files.privateKeys.length, 'private key'),
    countOf(files.publicKeys.length, 'public key'),
    countOf(files.authorities.length, 'file', ' of CAs'),
    countOf(files.certificates.length, 'file', ' of certificates'),
    countOf(files.revocationLists.length, 'file', ' of CRLs'),
    countOf(files.keynoteCredentials.length, 'set', ' of KeyNote credentials'),
  ]
    .filter((text) => text !== '')
    .join(', ');

const countOf = (count: number, what: string, of = ''): string =>
  count === 0 ? '' : `${count} ${what}${count === 1 ? '' : 's'}${of}`;

/** ms */
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
