/** Carries out the commands of the FIFO: one switch. What the lines mean is decided in src/shared/fifo/commands.ts. */
import { type ConfigurationStore, duplicateTag } from '../shared/config/store.ts';
import type { ConnectionEvent } from '../shared/connection/events.ts';
import { unreachable } from '../shared/errors.ts';
import { type Command, complaint, parseCommand } from '../shared/fifo/commands.ts';
import { isPrinted, LogClass } from '../shared/log/classes.ts';
import { debugRecord } from '../shared/log/debugging.ts';
import { printable } from '../shared/log/printable.ts';
import { notice } from '../shared/log/records.ts';
import type { Verbosity } from '../shared/log/verbosity.ts';
import type { SaRow } from '../shared/sa-table/rows.ts';
import type { LogRecord } from '../shared/threads/contract.ts';
import type { Reports } from './reports.ts';

export interface FifoCommandOptions {
  readonly configuration: ConfigurationStore;
  /** Tells the connection core: connect, teardown, teardownAll, deleteSa, and reconfigured after edits of the lists of connections. */
  readonly tell: (event: ConnectionEvent) => void;
  readonly shutdown: () => void;
  /** `R`; resolves when the next command may be carried out. */
  readonly reinitialize: () => Promise<void>;
  readonly setMode: (mode: 'active' | 'passive') => void;
  readonly reports: Reports;
  /** All rows of the SA table, from the beginning. */
  readonly rows: () => Iterable<SaRow>;
  readonly verbosity: Pick<Verbosity, 'levels' | 'set' | 'toggle'>;
  readonly log: (record: LogRecord) => void;
  /** Calls back after some ms; the answer cancels. */
  readonly schedule: (milliseconds: number, callback: () => void) => () => void;
}

export interface FifoCommands {
  /** Carries out one line of the FIFO; resolves when its result file is written. */
  readonly perform: (line: string) => Promise<void>;
  /** Forgets a rebuild of the connections that is still due. */
  readonly close: () => void;
}

export const createFifoCommands = (options: FifoCommandOptions): FifoCommands => {
  let cancelRebuild: (() => void) | undefined;
  const noteEdit = (section: string, tag: string): void => {
    if (!LISTS_OF_CONNECTIONS.has(`[${section}]:${tag}`.toLowerCase())) return;
    cancelRebuild?.();
    cancelRebuild = options.schedule(REBUILD_DELAY, () => {
      cancelRebuild = undefined;
      options.tell({ kind: 'reconfigured' });
    });
  };
  return {
    perform: async (line) => {
      if (isPrinted(options.verbosity.levels, LogClass.UI, 20)) {
        options.log(debugRecord(LogClass.UI, 20, complaint('ui_handle_messages', printable(line), 'received')));
      }
      const command = parseCommand(line);
      if (command.kind === 'malformed') options.log(notice('command-malformed', command.text));
      else await carryOut(command, line, options, noteEdit);
    },
    close: () => cancelRebuild?.(),
  };
};

const carryOut = async (
  command: Command,
  line: string,
  options: FifoCommandOptions,
  noteEdit: (section: string, tag: string) => void,
): Promise<void> => {
  const { configuration, tell, reports, log } = options;
  switch (command.kind) {
    case 'connect':
    case 'teardown':
    case 'teardownAll':
      return tell(command);
    case 'get':
      return reports.writeAnswer(configuration.get(command.section, command.tag));
    case 'set': {
      const { section, tag, value, force } = command;
      if (configuration.set(section, tag, value, force) === 'duplicate') {
        log(notice('duplicate-tag', duplicateTag(section, tag)));
      }
      return noteEdit(section, tag);
    }
    case 'add':
      configuration.add(command.section, command.tag, command.value);
      return noteEdit(command.section, command.tag);
    case 'removeValue':
      configuration.removeValue(command.section, command.tag, command.value);
      return noteEdit(command.section, command.tag);
    // These two do not rebuild the connections by themselves: ipsecctl sends an `rmv` before its `rms`.
    case 'remove':
      return configuration.remove(command.section, command.tag);
    case 'removeSection':
      return configuration.removeSection(command.section);
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
    case 'captureOff':
      return log(notThereYet('ui_packetlog', line, 'packet capture'));
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

const notThereYet = (origin: string, line: string, what: string): LogRecord =>
  notice('command-refused', complaint(origin, line, `refused: ${what} is not there yet` as const));

const LISTS_OF_CONNECTIONS: ReadonlySet<string> = new Set(['[phase 2]:connections', '[phase 2]:passive-connections']);
/** A script changes the lists in many lines; the rebuild waits until it has paused this long. */
const REBUILD_DELAY = 5000;
