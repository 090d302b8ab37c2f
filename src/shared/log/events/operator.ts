/** Events of what the operator says: configuration, FIFO, signals. */
import type { EventTable } from './row.ts';

export const OPERATOR_EVENTS = {
  configuration: {
    severity: 'notice',
    byPeer: false,
    lines: {
      '{text}': {
        cause:
          'Something in the configuration is wrong or odd; the line says where and what would be right. It does no harm beyond what the line says.',
        cure: 'As the line says; `isakmpd --check` lists everything at once.',
      },
    },
  },
  'configuration-error': {
    severity: 'error',
    byPeer: false,
    lines: {
      '{text}': {
        cause:
          'A section of the configuration cannot be used as it is, or the whole file cannot: it cannot be read, or others than its owner may read it.',
        cure: 'As the line says; `isakmpd --check` lists everything at once.',
      },
    },
  },
  credentials: {
    severity: 'notice',
    byPeer: false,
    lines: {
      'credentials: {counts}': {
        cause:
          'Files of keys, certificates and CRLs were read, at start, at a reload, because one of them was changed, or because the configuration names other places.',
        cure: 'None needed. Negotiations that begin from here on use them.',
      },
    },
  },
  policy: {
    severity: 'notice',
    byPeer: false,
    lines: {
      'policy: {count} assertions of {file} count': {
        cause: 'The KeyNote policy was read: each quick mode has to be permitted by it from now on.',
        cure: 'None needed. -K or [General]:Use-Keynote=no does without.',
      },
    },
  },
  'policy-unfit': {
    severity: 'error',
    byPeer: false,
    lines: {
      'policy: {fault}; the assertion does not count': {
        cause: 'At start: an assertion of the policy cannot be read. What it would have permitted is not permitted.',
        cure: 'Correct the line; SIGHUP reads the policy again.',
      },
      'policy: {fault}; the policy stays as it was': {
        cause:
          'A reload found the policy missing, open to others, without an assertion by POLICY, or with one that cannot be read.',
        cure: 'Correct it and reload once more.',
      },
      'policy: {fault}; no quick mode is permitted before a reload finds it in order': {
        cause: 'A policy is asked since this reload, and it cannot be used.',
        cure: 'Correct it and reload once more, or set [General]:Use-Keynote=no.',
      },
    },
  },
  'first-key': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'credentials: {file} is the new key of this host ({kind}), {publicFile} its public half': {
        cause:
          'The daemon was started for the first time: there was no key, and it made one, as rc(8) of OpenBSD does.',
        cure: 'None needed. For host keys copy the public half to peers (`isakmpd pki pubkey`), for certificates make a request (`isakmpd pki request`); pre-shared keys do not use it.',
      },
    },
  },
  'first-key-failed': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'credentials: no key was made for this host: {reason}': {
        cause: 'There was no key at the start, and the daemon could not make or write one. It runs on without.',
        cure: 'None needed with pre-shared keys, or make it by `isakmpd pki init`, as a user who may write there.',
      },
    },
  },
  'credentials-unfit': {
    severity: 'error',
    byPeer: false,
    lines: {
      'credentials: {problem}': {
        cause:
          'A file of keys, certificates, CRLs or KeyNote credentials cannot be read or used, and is left out; the line says which and why.',
        cure: 'As the line says; files that change are read again within seconds. Private keys: mode 0600, owned by root or the daemon’s user, PEM without passphrase. Public keys, certificates, CRLs: not writable by others.',
      },
    },
  },
  'credentials-odd': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'credentials: {oddity}': {
        cause:
          'A certificate or CRL can be read and is of little use as it is: a certificate of ours that peers may refuse, a CA that is none, a CRL without its CA, a CRL that is broken now and counts as it was.',
        cure: 'As the line says.',
      },
    },
  },
  'credentials-expire': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'credentials: {item} expires on {day}, in {time}': {
        cause:
          'A certificate or a CRL in the directories of [X509-certificates] ends within 30 days. Told at load and once a day.',
        cure: 'Put a new one into the directory; it is read within seconds.',
      },
    },
  },
  'credentials-expired': {
    severity: 'error',
    byPeer: false,
    lines: {
      'credentials: {item} expired on {day}': {
        cause:
          'A certificate or a CRL has ended: peers whose certificates depend on it are refused, or refuse us. Told at load and once a day.',
        cure: 'Put a new one into the directory; it is read within seconds. Check the clock.',
      },
      'credentials: {item} is valid from {day} only': {
        cause: 'A certificate or a CRL is not valid yet, which is a matter of clocks as a rule.',
        cure: 'Check the clock, here and where it was issued.',
      },
    },
  },
  'duplicate-tag': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'conf_set_now: duplicate tag [{section}]:{tag}, ignoring...': {
        cause: '`C set` of a tag that has a value already.',
        cure: 'Add a fourth word: `C set [section]:tag=value force`.',
      },
    },
  },
  'command-malformed': {
    severity: 'notice',
    byPeer: false,
    lines: {
      '{function}: command "{command}" malformed': {
        cause: 'A command of the FIFO without its arguments, or with wrong ones.',
        cure: 'See isakmpd(8), FIFO user interface.',
      },
      '{function}: command "{command}" has bad arguments': {
        cause: 'A command of the FIFO with arguments that cannot be.',
        cure: 'See isakmpd(8), FIFO user interface.',
      },
      "ui_handle_messages: unrecognized command: '{letter}'": {
        cause: 'A line of the FIFO that begins with none of the command letters.',
        cure: 'See isakmpd(8), FIFO user interface.',
      },
    },
  },
  'command-failed': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'ui_delete: command "{command}" found no SA': {
        cause: 'There is no SA with these cookies and this message id.',
        cure: 'Take them from `S`; the message id is `-` for a phase 1 SA.',
      },
      'exchange_establish: peer "{name}" does not have a correct phase ({phase})': {
        cause: '`c` with a name that is neither a connection nor a peer.',
        cure: 'Check the name; connections have Phase=2, peers have Phase=1.',
      },
      'connections have [{name}]:Phase=2, peers have [{sameName}]:Phase=1': {
        cause: 'What the line before it means.',
        cure: 'Add the tag, or correct the name.',
      },
    },
  },
  capture: {
    severity: 'notice',
    byPeer: false,
    lines: {
      'log_packet_init: starting IKE packet capture to file "{path}"': {
        cause: '-L, -l or `p on`: from here on the file gets every IKE message in clear.',
        cure: 'None needed. Treat the file as secret: it holds no keys, but all that IKE hides.',
      },
      'log_packet_init: file "{path}" gets the key of every ISAKMP SA': {
        cause:
          'The same with --capture-format pcapng. From here on the file, a decryption table of Wireshark, gets what IKE messages are encrypted with: whoever has it can read these messages in any recording of the wire.',
        cure: 'None needed. Hand it to nobody who may not read the messages, and delete it when it has done its service. Keys of IPsec SAs do not follow from it.',
      },
      'log_packet_restart: capture already active on file "{path}"': {
        cause: '`p on` while a capture runs; it goes on as it was.',
        cure: 'Write `p off` first if another file is wanted.',
      },
      'log_packet_stop: stopped capture': { cause: '`p off`, or the daemon ends.', cure: 'None needed.' },
      'log_packet_stop: no capture is active': { cause: '`p off` without a capture.', cure: 'None needed.' },
    },
  },
  'capture-failed': {
    severity: 'error',
    byPeer: false,
    lines: {
      'log_packet_init: {fault}': {
        cause:
          'The capture does not begin: its file lies outside the run directory, is a link or no regular file, others may read it, it is no capture of ours in this format, or it cannot be opened. Or that is so of the decryption table beside it. The line says which.',
        cure: 'Name a new file below the run directory: `p on=path`.',
      },
      'log_packet_iov: capture to file "{path}" ended: {fault}': {
        cause:
          'The file, the capture or its decryption table, cannot be written any more; the disk may be full. The capture is over, all else goes on.',
        cure: 'Make room, then `p on` continues the file.',
      },
    },
  },
  'capture-drops': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'log_packet_iov: {count} messages are missing in the capture: the disk is too slow': {
        cause:
          'More messages came than could be written, so the capture has gaps; the count is of this capture so far.',
        cure: 'Capture to a faster disk.',
      },
      'log_packet_iov: {count} keys are missing in the decryption table: the disk is too slow': {
        cause: 'The same of the keys: what those ISAKMP SAs send cannot be decrypted with the table.',
        cure: 'Capture to a faster disk. `p off` and `p on` write the keys of all ISAKMP SAs that are there.',
      },
    },
  },
  transaction: {
    severity: 'notice',
    byPeer: false,
    lines: {
      'ui_config: command "{command}" refused: a transaction is open already': {
        cause: '`C begin` while another one has not ended; all writers of the FIFO share one transaction.',
        cure: 'End it with `C commit` or `C abort`.',
      },
      'ui_config: command "{command}" refused: no transaction is open': {
        cause: '`C commit` or `C abort` without `C begin`, or after the transaction was dropped.',
        cure: 'Begin again with `C begin`.',
      },
      'ui_config: transaction refused, nothing of it is applied: {problem}': {
        cause: 'A line between `C begin` and `C commit` could not be understood, or there were too many.',
        cure: 'Correct that line and send the whole transaction again.',
      },
      'ui_config: transaction applied, edits: {count}': {
        cause: '`C commit`.',
        cure: 'None needed.',
      },
      'ui_config: transaction dropped ({reason}), edits: {count}': {
        cause: '`C abort`, a reload, the end of the daemon, or a writer that fell silent.',
        cure: 'Where that was not meant: send the whole transaction again.',
      },
    },
  },
  'shutdown-command': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'ui_shutdown_daemon: received shutdown command': { cause: '`Q` was written to the FIFO.', cure: 'None needed.' },
    },
  },
  'debug-level': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'log_debug_cmd: log level changed from {before} to {level} for class {class}': {
        cause: '`D`, -D or [General]:Loglevel has taken effect.',
        cure: 'None needed.',
      },
      'log_debug_cmd: log level unchanged for class {class}': {
        cause: '`D` or -D asked for the level that the class has.',
        cure: 'None needed.',
      },
      'log_debug_cmd: invalid debugging class {class}': {
        cause: 'There is no such debug class.',
        cure: 'Classes are 0 to 10, see isakmpd(8).',
      },
      'log_debug_cmd: invalid debugging level {level} for class {class}': {
        cause: 'There is no such debug level.',
        cure: 'Levels are 0 to 99.',
      },
      'parse_args: -D argument unparseable: {word} ({form})': {
        cause: 'An argument of -D that is no class and level; it is skipped.',
        cure: 'Write -D class=level or -D A=level.',
      },
    },
  },
  'fifo-failed': {
    severity: 'error',
    byPeer: false,
    lines: {
      'ui_handler: reading commands: {fault}': {
        cause: 'The FIFO cannot be read any more.',
        cure: 'Restart the daemon; look whether somebody replaced the FIFO.',
      },
    },
  },
  'fifo-refused': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'ui_handler: command refused: the line {reason}': {
        cause: 'A line of the FIFO that is too long or no text.',
        cure: 'Write whole lines of at most 8191 bytes, without NUL.',
      },
    },
  },
  'result-failed': {
    severity: 'error',
    byPeer: false,
    lines: {
      'ui_open_result: fopen() failed': {
        cause: 'The result file cannot be written; the next line says why.',
        cure: 'Look at the run directory: it must exist, be writable for the daemon and have space.',
      },
      '{text}': {
        cause: 'Why the result file cannot be written.',
        cure: 'As the line says.',
      },
    },
  },
  report: {
    severity: 'report',
    byPeer: false,
    lines: {
      '{text}': {
        cause: 'The FIFO command `r`: SAs, exchanges, transports, connections, timers and configuration as they are.',
        cure: 'None needed.',
      },
    },
  },
  'report-failed': {
    severity: 'error',
    byPeer: false,
    lines: {
      'report: {fault}': {
        cause: 'SIGUSR1 was received, but the report file cannot be written; the line says why.',
        cure: 'Look at the directory that -R names: it must exist below the run directory, be writable for the daemon and have space.',
      },
    },
  },
} as const satisfies EventTable;
