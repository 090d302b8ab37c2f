/** The KeyNote policy as its file has it: read at start, where nothing works without it, and at each reload, where whatever is wrong leaves it as it was. */
import { SystemError } from '../../shared/errors.ts';
import { parseAssertions } from '../../shared/keynote/assertion.ts';
import { createPolicy } from '../../shared/keynote/policy.ts';
import { failure, notice } from '../../shared/log/records.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';
import type { Privileged } from '../privileged/privileged.ts';

export interface PolicyFileOptions {
  readonly privileged: Pick<Privileged, 'readSecretFile'>;
  /** Undefined: no policy is asked (-K, Use-Keynote). */
  readonly path: () => string | undefined;
  readonly log: (record: LogRecord) => void;
}

export class PolicyFile {
  readonly #options: PolicyFileOptions;
  #text: string | undefined;

  constructor(options: PolicyFileOptions) {
    this.#options = options;
  }

  /** A byte string; undefined: no policy is asked. */
  get text(): string | undefined {
    return this.#text;
  }

  /** At start. Assertions that cannot be read are logged and left out. Rejects with SystemError where there is no file, it may not be used, or it permits nothing. */
  async load(): Promise<void> {
    const { privileged, path, log } = this.#options;
    const file = path();
    if (file === undefined) return;
    const { text, faults } = await readPolicy(privileged, file);
    for (const fault of faults) log(failure('policy-unfit', `policy: ${fault}; the assertion does not count`));
    this.#take(file, text);
  }

  /** Never rejects. Since every assertion that is left out takes SAs from somebody, none may be. */
  async reload(): Promise<void> {
    const { privileged, path, log } = this.#options;
    const file = path();
    if (file === undefined) {
      this.#text = undefined;
      return;
    }
    try {
      const { text, faults } = await readPolicy(privileged, file);
      const [first] = faults;
      if (first !== undefined) throw new SystemError(first);
      this.#take(file, text);
    } catch (fault) {
      if (!(fault instanceof SystemError)) throw fault;
      log(failure('policy-unfit', `policy: ${fault.message}; ${this.#kept()}`));
    }
  }

  /** Where none was asked so far, the one that is asked now permits nothing: better than everything. */
  #kept(): 'the policy stays as it was' | 'no quick mode is permitted before a reload finds it in order' {
    if (this.#text !== undefined) return 'the policy stays as it was';
    this.#text = '';
    return 'no quick mode is permitted before a reload finds it in order';
  }

  #take(file: string, text: string): void {
    this.#text = text;
    const { length } = parseAssertions(text).assertions;
    this.#options.log(notice('policy', `policy: ${length} assertions of ${file} count`));
  }
}

/** `text`: a byte string; `faults`: what cannot be read of it, a sentence each. Rejects with SystemError where there is no file, it may not be used, or it permits nothing. */
export const readPolicy = async (
  privileged: Pick<Privileged, 'readSecretFile'>,
  path: string,
): Promise<{ readonly text: string; readonly faults: readonly string[] }> => {
  const file = await privileged.readSecretFile(path);
  if (file.kind === 'missing') {
    throw new SystemError(
      `${path} is not there: write a policy (isakmpd.policy(5)), or use -K or [General]:Use-Keynote=no`,
    );
  }
  if (file.kind === 'refused') throw new SystemError(file.reason);
  const text = Buffer.from(file.bytes).toString('latin1');
  const { assertions, faults } = parseAssertions(text);
  if (!createPolicy(assertions).hasRoot) {
    throw new SystemError(
      `${path}${firstOf(faults)} has no assertion with Authorizer: "POLICY", so it would permit nothing`,
    );
  }
  return { text, faults: faults.map((fault) => `${path} line ${fault.line}: ${fault.text}`) };
};

const firstOf = ([first]: readonly { readonly line: number; readonly text: string }[]): string =>
  first === undefined ? '' : ` (line ${first.line}: ${first.text})`;
