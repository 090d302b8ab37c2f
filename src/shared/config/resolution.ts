/** What the resolvers of one peer share: where they read, what they found odd, and how one bad member of a list is left out. */
import { ConfigError, type ConfigPlace } from '../errors.ts';
import type { PeerPolicy, Suite } from '../policy/peer-policy.ts';
import { fold } from './case-fold.ts';
import { type Finding, faultAt, placeText } from './finding.ts';
import type { KernelFit } from './kernel-fit.ts';
import { RecordingReader } from './reader.ts';

export interface Resolution {
  readonly reader: RecordingReader;
  /** Name of the peer section. */
  readonly peer: string;
  /** `Legacy-crypto=yes` */
  readonly legacyCrypto: boolean;
  /** `Flags=sha2-96` */
  readonly sha2Truncation96: boolean;
  /** The kernel in use; undefined: none is known yet. */
  readonly kernel: KernelFit | undefined;
  /** Filled while resolving. */
  readonly findings: Finding[];
  readonly shared: SharedAnswers;
}

class AnswersOfOneKind<T> {
  readonly #kept = new Map<string, Answer<T> | 'made once'>();

  /**
   * What `resolve` answers about a section. It is kept when it is asked for a second time: most configurations that programs write have a section
   * of its own for each peer. Only an answer without findings is kept: those, and errors, name the peer that they are for.
   * The resolution's reader records the pieces either way.
   */
  of(section: string, resolution: Resolution, resolve: (resolution: Resolution) => T): T {
    const { reader, legacyCrypto, sha2Truncation96, findings } = resolution;
    const folded = fold(section);
    const key = legacyCrypto || sha2Truncation96 ? `${folded}\n${legacyCrypto} ${sha2Truncation96}` : folded;
    const kept = this.#kept.get(key);
    if (kept === undefined) {
      this.#kept.set(key, 'made once');
      return resolve(resolution);
    }
    if (kept !== 'made once') {
      reader.record(kept.pieces);
      return kept.answer;
    }
    const recording = new RecordingReader(reader);
    const before = findings.length;
    const answer = resolve({ ...resolution, reader: recording });
    if (findings.length === before) this.#kept.set(key, { answer, pieces: recording.pieces });
    return answer;
  }

  clear(): void {
    if (this.#kept.size > 0) this.#kept.clear();
  }
}

interface Answer<T> {
  readonly answer: T;
  readonly pieces: ReadonlySet<string>;
}

/** What sections mean that many peers name: resolved once, and shared as long as no configuration changes. */
export class SharedAnswers {
  readonly phase1 = new AnswersOfOneKind<Pick<PeerPolicy, 'exchangeType' | 'configuration' | 'transforms'>>();
  readonly suites = new AnswersOfOneKind<Suite>();

  /** Some configuration has changed. */
  clear(): void {
    this.phase1.clear();
    this.suites.clear();
  }
}

/**
 * What the names resolve to. One that cannot be used is left out with a warning; where none remains, a ConfigError says why each of
 * them cannot be used. `where` is the tag that lists them.
 */
export const usable = <T>(
  where: ConfigPlace,
  names: readonly string[],
  findings: Finding[],
  resolve: (name: string) => T,
): readonly T[] => {
  const resolved: T[] = [];
  const refusals: ConfigError[] = [];
  for (const name of names) {
    const result = refusedOr(() => resolve(name));
    if (result instanceof ConfigError) refusals.push(result);
    else resolved.push(result);
  }
  if (names.length === 0) throw faultAt(where, 'is an empty list');
  if (resolved.length === 0) {
    const reasons = refusals.map(({ message }) => message);
    throw faultAt(where, `lists nothing that can be used: ${reasons.join('; ')}`);
  }
  for (const { message, place } of refusals) {
    findings.push({ severity: 'warning', text: `${message}; left out of ${placeText(where)}`, place: place ?? where });
  }
  return resolved;
};

/** The answer, or the ConfigError that was thrown instead. */
export const refusedOr = <T>(resolve: () => T): T | ConfigError => {
  try {
    return resolve();
  } catch (fault) {
    if (fault instanceof ConfigError) return fault;
    throw fault;
  }
};
