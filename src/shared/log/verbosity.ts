/** How much the log says, and who has said so: the command line (-v, -D), [General]:Loglevel and Logverbose, and the FIFO (D). */
import type { LogRecord } from '../threads/contract.ts';
import { createDebugLevels, LAST_LOG_CLASS, LAST_LOG_LEVEL } from './classes.ts';
import { notice } from './records.ts';

/** One class or all, and its level, as isakmpd(8) -D and the FIFO command `D` have it. Neither needs to exist. */
export interface LevelSetting {
  readonly logClass: number | 'all';
  readonly level: number;
}

/**
 * Whoever spoke last about a class is right; the configuration speaks again at every reload, and what it does not say any more is undone. Changes
 * are answered as the lines that the original logs.
 */
export class Verbosity {
  /** What counts now. Lanes read it too. */
  readonly levels = createDebugLevels();
  readonly #isVerboseByOption: boolean;
  #isVerboseByFile = false;
  readonly #byOption = levelTable(0);
  /** Since the last reload that named the class. */
  #byCommand = levelTable<number | undefined>(undefined);
  #byFile = levelTable<number | undefined>(undefined);
  /** What the FIFO had said when `D T` silenced everything. */
  #aside: (number | undefined)[] | undefined;

  /** `isVerbose`: -v. */
  constructor(isVerbose: boolean) {
    this.#isVerboseByOption = isVerbose;
  }

  get isVerbose(): boolean {
    return this.#isVerboseByOption || this.#isVerboseByFile;
  }

  /** The arguments of -D, in their order. One that cannot be read is told and skipped. */
  readOptions(words: readonly string[]): readonly LogRecord[] {
    return words.flatMap((word) => {
      const setting = parseLevelSetting(word);
      if (setting === undefined)
        return [notice('debug-level', `parse_args: -D argument unparseable: ${word} (${FORM})`)];
      return this.#set(setting, (logClass, level) => {
        this.#byOption[logClass] = level;
      });
    });
  }

  /** [General] as it stands: at start and at every reload. */
  configure(settings: {
    readonly logLevels: readonly LevelSetting[];
    readonly verbose: boolean;
  }): readonly LogRecord[] {
    this.#isVerboseByFile = settings.verbose;
    this.#byFile = levelTable<number | undefined>(undefined);
    for (const { logClass, level } of settings.logLevels) {
      for (const one of classesOf(logClass)) {
        this.#byFile[one] = level;
        this.#byCommand[one] = undefined;
      }
    }
    return this.#settle().map(changed);
  }

  /** FIFO `D class level` and `D A level`. */
  set(setting: LevelSetting): readonly LogRecord[] {
    return this.#set(setting, (logClass, level) => {
      this.#byCommand[logClass] = level;
    });
  }

  /** FIFO `D T`: all classes fall silent; the next time all is again as if neither that nor a `D` since had been said. */
  toggle(): readonly LogRecord[] {
    const aside = this.#aside;
    this.#aside = aside === undefined ? this.#byCommand : undefined;
    this.#byCommand = aside ?? levelTable<number | undefined>(0);
    return this.#settle().map(changed);
  }

  #set({ logClass, level }: LevelSetting, put: (logClass: number, level: number) => void): readonly LogRecord[] {
    return classesOf(logClass).flatMap((one) => {
      const fault = faultOf(one, level);
      if (fault !== undefined) return [notice('debug-level', `log_debug_cmd: invalid debugging ${fault}`)];
      put(one, level);
      const [change] = this.#settle();
      if (change !== undefined) return [changed(change)];
      return [notice('debug-level', `log_debug_cmd: log level unchanged for class ${one}`)];
    });
  }

  /** Puts into effect what everybody has said; answers what is different now. */
  #settle(): readonly Change[] {
    const changes: Change[] = [];
    for (const [logClass, before] of this.levels.entries()) {
      const level = this.#byCommand[logClass] ?? this.#byFile[logClass] ?? this.#byOption[logClass] ?? 0;
      if (level === before) continue;
      this.levels[logClass] = level;
      changes.push({ logClass, before, level });
    }
    return changes;
  }
}

/** `class=level` or `A=level`. Undefined: neither. */
const parseLevelSetting = (word: string): LevelSetting | undefined => {
  const [, name = '', digits = ''] = /^(A|-?\d{1,9})=(-?\d{1,9})$/i.exec(word) ?? [];
  if (digits === '') return undefined;
  return { logClass: /^a$/i.test(name) ? 'all' : Number(name), level: Number(digits) };
};

const FORM = `it is class=level or A=level, class 0 to ${LAST_LOG_CLASS}, level 0 to ${LAST_LOG_LEVEL}`;

interface Change {
  readonly logClass: number;
  readonly before: number;
  readonly level: number;
}

const changed = ({ logClass, before, level }: Change): LogRecord =>
  notice('debug-level', `log_debug_cmd: log level changed from ${before} to ${level} for class ${logClass}`);

/** What is wrong with them, in the original's words. */
const faultOf = (logClass: number, level: number) => {
  if (logClass < 0 || logClass > LAST_LOG_CLASS) return `class ${logClass}` as const;
  return level < 0 || level > LAST_LOG_LEVEL ? (`level ${level} for class ${logClass}` as const) : undefined;
};

const classesOf = (logClass: number | 'all'): readonly number[] =>
  logClass === 'all' ? Array.from({ length: LAST_LOG_CLASS + 1 }, (_, one) => one) : [logClass];

const levelTable = <T>(value: T): T[] => Array.from({ length: LAST_LOG_CLASS + 1 }, () => value);
