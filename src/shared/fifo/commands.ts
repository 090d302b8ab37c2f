/** The FIFO commands of isakmpd(8), one row each: how a line becomes a command. What a command does is decided in src/main/fifo/fifo-commands.ts. */

import { parseAddress } from '../address.ts';
import type { Target } from '../connection/events.ts';
import type { Texts } from '../log/events.ts';
import { printable } from '../log/printable.ts';

export type Command =
  | { readonly kind: 'connect'; readonly name: string }
  | { readonly kind: 'get'; readonly section: string; readonly tag: string }
  | {
      readonly kind: 'set';
      readonly section: string;
      readonly tag: string;
      readonly value: string;
      /** Replace a value that is there. */
      readonly force: boolean;
    }
  | { readonly kind: 'add'; readonly section: string; readonly tag: string; readonly value: string }
  | { readonly kind: 'removeValue'; readonly section: string; readonly tag: string; readonly value: string }
  | { readonly kind: 'remove'; readonly section: string; readonly tag: string }
  | { readonly kind: 'removeSection'; readonly section: string }
  /** An addition of ours: the edits up to `commit` are made all at once, or with `abort` not at all. */
  | { readonly kind: 'begin' }
  | { readonly kind: 'commit' }
  | { readonly kind: 'abort' }
  /** `cookies`: 32 lower case hex digits; `messageId` 0 is the ISAKMP SA itself. */
  | { readonly kind: 'deleteSa'; readonly cookies: string; readonly messageId: number }
  | { readonly kind: 'debugLevel'; readonly logClass: number | 'all'; readonly level: number }
  | { readonly kind: 'debugToggle' }
  | { readonly kind: 'mode'; readonly mode: 'active' | 'passive' }
  /** `path` undefined: the default file. */
  | { readonly kind: 'captureOn'; readonly path: string | undefined }
  | { readonly kind: 'captureOff' }
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'reinitialize' }
  | { readonly kind: 'report' }
  | { readonly kind: 'listSas' }
  /** The target is an address, in canonical form, where the word is one. */
  | { readonly kind: 'teardown'; readonly phase: 1 | 2; readonly target: Target }
  | { readonly kind: 'teardownAll' };

/** A line that is no command; `text` is the log line of the original. */
export interface Malformed {
  readonly kind: 'malformed';
  readonly text: Texts['command-malformed'];
}

/** What a line of the FIFO (without newline) asks for. Words have no length limit. */
export const parseCommand = (line: string): Command | Malformed => {
  const letter = printable(line.slice(0, 1));
  const row = BY_LETTER.get(letter);
  if (row === undefined) return { kind: 'malformed', text: `ui_handle_messages: unrecognized command: '${letter}'` };
  const command = row.parse(line.slice(1));
  if (typeof command === 'object') return command;
  return { kind: 'malformed', text: complaint(row.origin, line, command) };
};

/** The log line about a command that was understood but cannot be done: `origin` names the function of the original that says so. */
export const complaint = <O extends string, P extends string>(origin: O, line: string, problem: P) =>
  `${origin}: command "${withoutSecret(line)}" ${problem}` as const;

interface Row {
  readonly letter: string;
  /** The function that the original names in its complaint. */
  readonly origin: string;
  /** Turns what follows the letter into a command, or says what is wrong with it. */
  readonly parse: (rest: string) => Command | 'malformed' | 'has bad arguments';
  /** How the command is written, and what that does: for the manual. */
  readonly forms: Readonly<Record<string, string>>;
}

const parseConnect = (rest: string): Command | 'malformed' => {
  const [name] = words(rest);
  return name === undefined ? 'malformed' : { kind: 'connect', name };
};

const parseConfiguration = (rest: string): Command | 'malformed' => {
  const [word = '', more] = words(rest.toLowerCase());
  if (more === undefined && (word === 'begin' || word === 'commit' || word === 'abort')) return { kind: word };
  const [, verb = '', triple = ''] = /^[ \t]*([^ \t]+)[ \t]+(.*)$/.exec(rest) ?? [];
  switch (verb.toLowerCase()) {
    case 'get':
    case 'rm':
      return onTag(triple, verb.toLowerCase() === 'get' ? 'get' : 'remove');
    case 'set':
    case 'add':
    case 'rmv':
      return onValue(triple, verb.toLowerCase());
    case 'rms': {
      const [, section] = /^\[([^\]]+)\]/.exec(triple) ?? [];
      return section === undefined ? 'malformed' : { kind: 'removeSection', section };
    }
    default:
      return 'malformed';
  }
};

const onTag = (triple: string, kind: 'get' | 'remove'): Command | 'malformed' => {
  const [, section, tag] = /^\[([^\]]+)\]:([^ \t]+)/.exec(triple) ?? [];
  return section === undefined || tag === undefined ? 'malformed' : { kind, section, tag };
};

const onValue = (triple: string, verb: string): Command | 'malformed' => {
  const [, section, spaced, rest = ''] = /^\[([^\]]+)\]:([^= \t][^=]*)=(.*)$/.exec(triple) ?? [];
  const [value, fourth] = words(rest);
  if (section === undefined || spaced === undefined || value === undefined) return 'malformed';
  const tag = spaced.trimEnd();
  if (verb === 'add') return { kind: 'add', section, tag, value };
  if (verb === 'rmv') return { kind: 'removeValue', section, tag, value };
  // The manual says `force`; the original takes any fourth word for it, and scripts rely on that.
  return { kind: 'set', section, tag, value, force: fourth !== undefined };
};

const parseDelete = (rest: string): Command | 'malformed' | 'has bad arguments' => {
  const [cookies, messageId] = words(rest);
  if (cookies === undefined || messageId === undefined) return 'malformed';
  const id = messageId === '-' ? '0' : messageId;
  if (!/^[0-9a-f]{1,32}$/i.test(cookies) || !/^[0-9a-f]{1,8}$/i.test(id)) return 'has bad arguments';
  return { kind: 'deleteSa', cookies: cookies.toLowerCase().padStart(32, '0'), messageId: Number.parseInt(id, 16) };
};

const parseDebug = (rest: string): Command | 'malformed' => {
  const [first = '', second = ''] = words(rest);
  if (/^T/.test(first) && second === '') return { kind: 'debugToggle' };
  if (!WHOLE_NUMBER.test(second)) return 'malformed';
  if (/^A/.test(first)) return { kind: 'debugLevel', logClass: 'all', level: Number(second) };
  return WHOLE_NUMBER.test(first)
    ? { kind: 'debugLevel', logClass: Number(first), level: Number(second) }
    : 'malformed';
};

const parseMode = (rest: string): Command | 'malformed' => {
  const [mode = ''] = words(rest);
  if (mode.startsWith('active')) return { kind: 'mode', mode: 'active' };
  return mode.startsWith('passive') ? { kind: 'mode', mode: 'passive' } : 'malformed';
};

/** The original takes any other word without a word; a capture that nobody gets is worth a complaint. */
const parseCapture = (rest: string): Command | 'malformed' => {
  const [word = ''] = words(rest);
  const [, path] = /^on=(.+)$/i.exec(word) ?? [];
  if (path !== undefined || /^on$/i.test(word)) return { kind: 'captureOn', path };
  return /^off$/i.test(word) ? { kind: 'captureOff' } : 'malformed';
};

const parseTeardown = (rest: string): Command | 'malformed' => {
  const [first, second] = words(rest);
  if (first === undefined) return 'malformed';
  // `t main` alone means a connection of that name.
  const word = second !== undefined && (first === 'main' || first === 'quick') ? second : first;
  const address = parseAddress(word);
  return {
    kind: 'teardown',
    phase: word === second && first === 'main' ? 1 : 2,
    target: address === undefined ? { kind: 'name', name: word } : { kind: 'address', address: address.text },
  };
};

const ROWS: readonly Row[] = [
  {
    letter: 'c',
    origin: 'ui_connect',
    parse: parseConnect,
    forms: { 'c name': 'Start the connection of that name now, and keep it up from now on.' },
  },
  {
    letter: 'C',
    origin: 'ui_config',
    parse: parseConfiguration,
    forms: {
      'C set [section]:tag=value [force]':
        'Give a tag a value. One that is there stays, and the log tells so, unless a fourth word follows.',
      'C add [section]:tag=value': 'Append to a list what it does not have; the list is made where there is none.',
      'C rmv [section]:tag=value': 'Take a member out of a list; a list that becomes empty goes.',
      'C rm [section]:tag': 'Remove a tag.',
      'C rms [section]': 'Remove a section with all its tags.',
      'C get [section]:tag': 'Write the value of a tag to the result file; an empty file means that there is none.',
      'C begin':
        'Collect the edits that follow, of whichever writer; C get goes on answering what counts. Dropped by C abort, by a reload, and after a minute without an edit.',
      'C commit':
        'Make all edits since C begin at once; none of them if a line among them could not be understood, or if there are more than 100,000.',
      'C abort': 'Forget the edits since C begin.',
    },
  },
  {
    letter: 'd',
    origin: 'ui_delete',
    parse: parseDelete,
    forms: {
      'd cookies msgid':
        'Delete one SA and tell the peer. Both cookies are one word of 32 hex digits; the message id is hex, or a dash for the ISAKMP SA itself.',
    },
  },
  {
    letter: 'D',
    origin: 'ui_debug',
    parse: parseDebug,
    forms: {
      'D class level': 'Set the debug level of a class, both numbers.',
      'D A level': 'Set the level of all classes.',
      'D T': 'Silence all classes; the next time, bring their levels back.',
    },
  },
  {
    letter: 'M',
    origin: 'ui_setmode',
    parse: parseMode,
    forms: {
      'M active': 'Begin and answer negotiations.',
      'M passive': 'Send nothing to peers, and look at nothing that they send.',
    },
  },
  {
    letter: 'p',
    origin: 'ui_packetlog',
    parse: parseCapture,
    forms: {
      'p on[=path]':
        'Capture all messages in clear, to this file below the run directory, or to the last one, or to isakmpd.pcap (isakmpd.pcapng). An earlier capture is continued.',
      'p off': 'End the capture.',
    },
  },
  {
    letter: 'Q',
    origin: 'ui_shutdown_daemon',
    parse: (rest) => (rest === '' ? { kind: 'shutdown' } : 'malformed'),
    forms: { Q: 'End the daemon, as SIGTERM does. Nothing may follow the letter.' },
  },
  {
    letter: 'R',
    origin: 'reinit',
    parse: () => ({ kind: 'reinitialize' }),
    forms: { R: 'Read the configuration file again, as SIGHUP does.' },
  },
  {
    letter: 'r',
    origin: 'ui_report',
    parse: () => ({ kind: 'report' }),
    forms: { r: 'Write the state of the daemon to the log.' },
  },
  {
    letter: 'S',
    origin: 'ui_report_sa',
    parse: () => ({ kind: 'listSas' }),
    forms: { S: 'Write all SAs to the result file.' },
  },
  {
    letter: 't',
    origin: 'ui_teardown',
    parse: parseTeardown,
    forms: {
      't [main|quick] name':
        'Tear down the connection, or with main the ISAKMP SA, of that name, and keep it up no longer. Instead of a name, the address of the peer.',
    },
  },
  {
    letter: 'T',
    origin: 'ui_teardown_all',
    parse: () => ({ kind: 'teardownAll' }),
    forms: { T: 'Tear down all connections; ISAKMP SAs stay.' },
  },
];
/** The manual of the commands, in the order of the rows: how each is written, and what it does. */
export const COMMAND_FORMS: readonly (readonly [form: string, help: string])[] = ROWS.flatMap(({ forms }) =>
  Object.entries(forms),
);
const BY_LETTER = new Map(ROWS.map((row) => [row.letter, row]));

const words = (text: string): readonly string[] => text.split(/[ \t]+/).filter((word) => word !== '');

/** A complaint quotes the line, but not the pre-shared key that a mistyped `C set [peer]:Authentication=...` holds. */
const withoutSecret = (line: string): string => line.replace(/(authentication[^=]*=).*$/i, '$1***');

const WHOLE_NUMBER = /^-?[0-9]+$/;
