/** Carries out the commands of the FIFO: one switch. What the lines mean is decided in src/shared/fifo/commands.ts. */
import { duplicateTag } from '../../shared/config/file-content.ts';
import type { ConfigurationStore } from '../../shared/config/store.ts';
import type { ConnectionEvent } from '../../shared/connection/events.ts';
import { unreachable } from '../../shared/errors.ts';
import { type Command, complaint, parseCommand } from '../../shared/fifo/commands.ts';
import { type Edit, isEdit } from '../../shared/fifo/transaction.ts';
import { isPrinted, LogClass } from '../../shared/log/classes.ts';
import { debugRecord } from '../../shared/log/debugging.ts';
import { printable } from '../../shared/log/printable.ts';
import { notice } from '../../shared/log/records.ts';
import type { Verbosity } from '../../shared/log/verbosity.ts';
import type { SaRow } from '../../shared/sa-table/rows.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';
import type { Capture } from '../capture/capture.ts';
import type { Reports } from '../report/reports.ts';
import { FifoTransactions } from './fifo-transactions.ts';

export interface FifoCommandOptions {
  readonly configuration: ConfigurationStore;
  /** Tells the connection core: connect, teardown, teardownAll, deleteSa, and reconfigured after edits of the lists of connections. */
  readonly tell: (event: ConnectionEvent) => void;
  readonly shutdown: () => void;
  /** `R`; resolves when the next command may be carried out. */
  readonly reinitialize: () => Promise<void>;
  readonly setMode: (mode: 'active' | 'passive') => void;
  readonly reports: Reports;
  readonly capture: Pick<Capture, 'start' | 'stop'>;
  /** All rows of the SA table, from the beginning. */
  readonly rows: () => Iterable<SaRow>;
  readonly verbosity: Pick<Verbosity, 'levels' | 'set' | 'toggle'>;
  /** Says what is odd about a tag that was set. */
  readonly checkEdit: (section: string, tag: string) => void;
  readonly log: (record: LogRecord) => void;
  /** Calls back after some ms; the answer cancels. */
  readonly schedule: (milliseconds: number, callback: () => void) => () => void;
}

export interface FifoCommands {
  /** Carries out one line of the FIFO; resolves when its result file is written. */
  readonly perform: (line: string) => Promise<void>;
  /** A line that is none, and why. */
  readonly refuse: (reason: string) => void;
  /** `R` and SIGHUP: a reload voids what was said through the FIFO, an open transaction included. */
  readonly reinitialize: () => Promise<void>;
  /** Forgets an open transaction, and a rebuild of the connections that is still due. */
  readonly close: () => void;
}

export const createFifoCommands = (options: FifoCommandOptions): FifoCommands => {
  const { log, schedule } = options;
  let cancelRebuild: (() => void) | undefined;
  const noteEdit = (section: string, tag: string): void => {
    if (!LISTS_OF_CONNECTIONS.has(`[${section}]:${tag}`.toLowerCase())) return;
    cancelRebuild?.();
    cancelRebuild = schedule(REBUILD_DELAY, () => {
      cancelRebuild = undefined;
      options.tell({ kind: 'reconfigured' });
    });
  };
  const apply = (edit: Edit): void => makeEdit(edit, options, noteEdit);
  const transactions = new FifoTransactions({ apply, log, schedule });
  let reloading: Promise<void> | undefined;
  const reinitialize = (): Promise<void> => {
    transactions.drop('the configuration is read again');
    const running = options.reinitialize().finally(() => {
      if (reloading === running) reloading = undefined;
    });
    reloading = running;
    return running;
  };
  return {
    perform: async (line) => {
      // What was said after a HUP counts after it.
      while (reloading !== undefined) await reloading;
      if (isPrinted(options.verbosity.levels, LogClass.UI, 20)) {
        log(debugRecord(LogClass.UI, 20, complaint('ui_handle_messages', printable(line), 'received')));
      }
      const command = parseCommand(line);
      if (command.kind === 'malformed') {
        log(notice('command-malformed', command.text));
        transactions.spoil(command.text);
      } else if (isEdit(command)) transactions.edit(command);
      else await carryOut(command, line, { ...options, reinitialize }, transactions);
    },
    refuse: (reason) => {
      log(notice('fifo-refused', `ui_handler: command refused: the line ${reason}`));
      transactions.spoil(`a line of it ${reason}`);
    },
    reinitialize,
    close: () => {
      transactions.drop('the daemon ends');
      cancelRebuild?.();
    },
  };
};

const makeEdit = (
  edit: Edit,
  { configuration, checkEdit, log }: FifoCommandOptions,
  noteEdit: (section: string, tag: string) => void,
): void => {
  switch (edit.kind) {
    case 'set':
      if (configuration.set(edit.section, edit.tag, edit.value, edit.force) === 'duplicate') {
        log(notice('duplicate-tag', duplicateTag(edit.section, edit.tag)));
      } else checkEdit(edit.section, edit.tag);
      noteEdit(edit.section, edit.tag);
      break;
    case 'add':
      configuration.add(edit.section, edit.tag, edit.value);
      noteEdit(edit.section, edit.tag);
      break;
    case 'removeValue':
      configuration.removeValue(edit.section, edit.tag, edit.value);
      noteEdit(edit.section, edit.tag);
      break;
    // These two do not rebuild the connections by themselves: ipsecctl sends an `rmv` before its `rms`.
    case 'remove':
      configuration.remove(edit.section, edit.tag);
      break;
    case 'removeSection':
      configuration.removeSection(edit.section);
      break;
    default:
      unreachable(edit);
  }
};

const carryOut = async (
  command: Exclude<Command, Edit>,
  line: string,
  options: FifoCommandOptions,
  transactions: FifoTransactions,
): Promise<void> => {
  const { configuration, tell, reports, log } = options;
  switch (command.kind) {
    case 'connect':
    case 'teardown':
    case 'teardownAll':
      return tell(command);
    case 'get':
      return reports.writeAnswer(configuration.get(command.section, command.tag));
    case 'begin':
    case 'commit':
    case 'abort':
      return transactions[command.kind](line);
    case 'deleteSa':
      if (isThere(options.rows(), command.cookies, command.messageId)) return tell(command);
      return log(notice('command-failed', complaint('ui_delete', line, 'found no SA')));
    case 'listSas':
      return reports.listSas();
    case 'shutdown':
      log(notice('shutdown-command', 'ui_shutdown_daemon: received shutdown command'));
      return options.shutdown();
    case 'debugLevel':
      return options.verbosity.set(command).forEach(log);
    case 'debugToggle':
      return options.verbosity.toggle().forEach(log);
    case 'mode':
      return options.setMode(command.mode);
    case 'captureOn':
      return options.capture.start(command.path);
    case 'captureOff':
      return options.capture.stop();
    case 'reinitialize':
      return options.reinitialize();
    case 'report':
      return reports.toLog();
    default:
      return unreachable(command);
  }
};

const isThere = (rows: Iterable<SaRow>, cookies: string, messageId: number): boolean => {
  for (const row of rows) {
    if (row.messageId === messageId && hex(row.initiatorCookie) + hex(row.responderCookie) === cookies) return true;
  }
  return false;
};

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

const LISTS_OF_CONNECTIONS: ReadonlySet<string> = new Set(['[phase 2]:connections', '[phase 2]:passive-connections']);
/** A script changes the lists in many lines; the rebuild waits until it has paused this long. */
const REBUILD_DELAY = 5000;
