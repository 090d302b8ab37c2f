/** Runs ip(8), one process for many lines. */
import { execFile, spawn } from 'node:child_process';
import { SystemError } from '../../shared/errors.ts';

/** One line for ip -batch. */
export interface IpLine {
  readonly text: string;
  /** What it would remove may be gone already. */
  readonly mayFail: boolean;
}

export interface IpCommand {
  /** Rejects with SystemError when one of the lines fails that must not; the others have been carried out. */
  readonly run: (family: 4 | 6, lines: readonly IpLine[]) => Promise<void>;
  /** The priority of every routing rule, once per rule. Rejects with SystemError. */
  readonly rulePriorities: (family: 4 | 6) => Promise<readonly number[]>;
  /** Of all tables. Rejects with SystemError. */
  readonly blackholes: (family: 4 | 6) => Promise<readonly Blackhole[]>;
}

export interface Blackhole {
  /** CIDR. */
  readonly to: string;
  readonly table: number;
  readonly metric: number;
}

const run: IpCommand['run'] = (family, lines) =>
  new Promise((resolve, reject) => {
    const child = spawn('ip', [`-${family}`, '-force', '-batch', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text;
    });
    const fail = (why: string): void => reject(new SystemError(`cannot set routes for userland ESP: ${why}`));
    child.on('error', (fault) => fail(`ip(8): ${fault.message}`));
    // It ends with an error of its own when it cannot read on.
    child.stdin.on('error', () => undefined);
    child.on('close', () => {
      const failed = firstFailure(complaints, lines);
      if (failed === undefined) resolve();
      else fail(failed);
    });
    child.stdin.end(lines.map(({ text }) => `${text}\n`).join(''));
  });

const rulePriorities: IpCommand['rulePriorities'] = async (family) => {
  const output = await listed(family, 'routing rules', 'rule show');
  return [...output.matchAll(/^(\d+):/gm)].map(([, priority]) => Number(priority));
};

const blackholes: IpCommand['blackholes'] = async (family) => {
  // Numbers, since a host may have a name for a table of ours; the type is one as well then (RTN_BLACKHOLE).
  const output = await listed(family, 'blackholes', '-N route show table all type blackhole');
  return [...output.matchAll(/^(?:blackhole|6) (\S+)(.*)$/gm)].map(([, to = '', rest = '']) => ({
    to: cidrOf(to, family),
    table: numberAfter('table', rest),
    metric: numberAfter('metric', rest),
  }));
};

const cidrOf = (to: string, family: 4 | 6): string => {
  if (to === 'default') return family === 4 ? '0.0.0.0/0' : '::/0';
  return to.includes('/') ? to : `${to}/${family === 4 ? 32 : 128}`;
};

/** 0 where there is none: main's number is not said. */
const numberAfter = (word: string, text: string): number => Number(new RegExp(` ${word} (\\d+)`).exec(text)?.[1] ?? 0);

const listed = (family: 4 | 6, what: string, words: string): Promise<string> =>
  new Promise((resolve, reject) => {
    execFile('ip', [`-${family}`, ...words.split(' ')], (fault, output) => {
      if (fault === null) resolve(output);
      else reject(new SystemError(`cannot list ${what}: ${fault.message}`));
    });
  });

export const IP_COMMAND: IpCommand = { run, rulePriorities, blackholes };

/** ip says what is wrong, then "Command failed -:LINE". */
const firstFailure = (complaints: string, lines: readonly IpLine[]): string | undefined => {
  let reason = '';
  for (const complaint of complaints.split('\n')) {
    const number = /^Command failed -:(\d+)$/.exec(complaint)?.[1];
    if (number === undefined) {
      reason ||= complaint;
      continue;
    }
    const line = lines[Number(number) - 1];
    if (line === undefined || !line.mayFail) return `ip ${line?.text ?? ''}: ${reason}`;
    reason = '';
  }
  // What has no line number is about the whole: no permission, no memory.
  return reason === '' || lines.every(({ mayFail }) => mayFail) ? undefined : reason;
};
