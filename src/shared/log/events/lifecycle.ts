/** Events of signals, of a configuration that is read again, and of active and passive mode. */
import type { EventTable } from './row.ts';

const NONE = 'None needed.';

export const LIFECYCLE_EVENTS = {
  signal: {
    severity: 'notice',
    byPeer: false,
    lines: {
      'SIGHUP received': { cause: 'Somebody asks for a reload; what it does is in the lines that follow.', cure: NONE },
      'SIGUSR1 received': { cause: 'Somebody asks for the report.', cure: NONE },
    },
  },
  reinitializing: {
    severity: 'notice',
    byPeer: false,
    lines: {
      'isakmpd: reinitializing daemon': {
        cause:
          'SIGHUP or `R`: the configuration file is read again, levels, addresses and connections are looked after.',
        cure: NONE,
      },
    },
  },
  reload: {
    severity: 'notice',
    byPeer: false,
    lines: {
      'reload: peers: {peers}; connections: {connections}': {
        cause: 'What the reload has changed, in figures.',
        cure: NONE,
      },
      'reload: peer {peer} changed ({tags}): {when}': {
        cause:
          'These tags of the peer are different now. Where they say who the peer is or where, phase 1 and the tunnels are made anew at once; else the next negotiation goes by them.',
        cure: NONE,
      },
      'reload: the secret of {identity} changed: the SAs of peers that use it are negotiated anew now': {
        cause:
          'The section that is named after this identity has another Authentication, none any more, or one at last.',
        cure: NONE,
      },
      'reload: peer {peer} is new': { cause: 'The file has a peer section that was not in use before.', cure: NONE },
      'reload: peer {peer} is gone: its SAs are not renewed and end when they expire': {
        cause: 'The file does not have, or does not use, this peer section any more.',
        cure: 'To end the SAs at once: `t main` with the name of the peer, `t` with those of its connections.',
      },
      'reload: connection {connection} is new': {
        cause: 'The file lists a connection that was not listed before.',
        cure: NONE,
      },
      'reload: connection {connection} is gone: its SAs are not renewed and end when they expire': {
        cause: 'The file does not list this connection any more.',
        cure: 'To end the SAs at once: `t` with the name of the connection.',
      },
      'reload: {count} more {what}': { cause: 'More of the same than anybody wants to read.', cure: NONE },
      '{path} is not there: what was set through the FIFO stays': {
        cause: 'A reload without a configuration file, as at sites that configure by ipsecctl.',
        cure: 'None needed, unless there should be a file.',
      },
    },
  },
  'reload-failed': {
    severity: 'error',
    byPeer: false,
    lines: {
      '{text}': {
        cause: 'Why the configuration could not be read again, or why no address can be listened on.',
        cure: 'As the line says.',
      },
      'isakmpd: nothing was reloaded, the configuration stays as it was': {
        cause: 'The configuration file cannot be used; the line before says why.',
        cure: 'Mend the file and reload again. `isakmpd --check` tells beforehand.',
      },
    },
  },
  'service-manager': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'systemd cannot be told: {reason}': {
        cause: 'NOTIFY_SOCKET is set, but systemd-notify(1), which carries the messages, is missing or has failed.',
        cure: 'Install it (it is part of systemd), or start the daemon by a unit without Type=notify and WatchdogSec.',
      },
    },
  },
  passive: {
    severity: 'debug',
    byPeer: false,
    lines: {
      'exchange_establish: connection {connection} is due, but the daemon is passive': {
        cause: 'In passive mode (-S, `M passive`) nothing is sent to peers.',
        cure: '`M active`; where sasyncd(8) is in charge it does that.',
      },
    },
  },
} as const satisfies EventTable;
