/** Events of the daemon itself: start and end, sockets, lanes, kernel, log. */
import type { EventTable } from './row.ts';

export const DAEMON_EVENTS = {
  start: {
    severity: 'notice',
    byPeer: false,
    lines: { 'isakmpd: starting': { cause: 'The daemon was started.', cure: 'None needed.' } },
  },
  'no-addon': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'no native addon ({fault}): datagrams are read one by one, and there are no kernel interfaces': {
        cause: 'The part of isakmpd that is written in C was not built, or cannot be loaded.',
        cure: 'Install a C compiler (`apt install gcc libc6-dev`) and run `npm run build:native`.',
      },
    },
  },
  'start-failed': {
    severity: 'fatal',
    byPeer: false,
    lines: {
      '{text}': {
        cause: 'The daemon cannot start or go on; the line says what was tried and what was wrong.',
        cure: 'As the line says.',
      },
    },
  },
  shutdown: {
    severity: 'notice',
    byPeer: false,
    lines: {
      'isakmpd: shutting down...': { cause: 'SIGTERM, SIGINT or `Q`: peers are told goodbye.', cure: 'None needed.' },
    },
  },
  exit: {
    severity: 'notice',
    byPeer: false,
    lines: { 'isakmpd: exit': { cause: 'The daemon has ended in order.', cure: 'None needed.' } },
  },
  'status-socket-failed': {
    severity: 'error',
    byPeer: false,
    lines: {
      'status socket: {fault}': {
        cause: 'isakmpd.sock in the run directory cannot be opened; the daemon runs without it.',
        cure: 'As the line says; a file that is no socket has to be moved away.',
      },
    },
  },
  'listen-failed': {
    severity: 'error',
    byPeer: false,
    lines: {
      '{text}': {
        cause: 'A local address cannot be listened on; the others can.',
        cure: 'Correct [General]:Listen-on, or end the other IKE daemon that has the port.',
      },
    },
  },
  'listen-waiting': {
    severity: 'notice',
    byPeer: false,
    lines: {
      '[General]:Listen-on has {address}, but this host has no such address yet: it is opened when it has': {
        cause:
          'The address is a virtual one that another host has now, or its interface is not up yet, or the name is none of an interface or host.',
        cure: 'None needed where it is to come; else correct [General]:Listen-on.',
      },
      '[General]:Listen-on: {address} is no longer waited for': {
        cause: 'The address has come and is listened on, or the configuration does not name it any more.',
        cure: 'None needed.',
      },
      'there is no address to listen on yet: no peer can be reached until there is one': {
        cause: 'None of the addresses of [General]:Listen-on is this host’s now, or this host has no address at all.',
        cure: 'None needed where they are to come; else correct [General]:Listen-on.',
      },
    },
  },
  'socket-failed': {
    severity: 'error',
    byPeer: false,
    lines: {
      '{address} port {port}: {fault}': {
        cause: 'The system reports an error of this socket.',
        cure: 'Look at the interface and its address.',
      },
    },
  },
  'send-failed': {
    severity: 'error',
    byPeer: true,
    lines: {
      'cannot send to {address} port {port} from {local} port {localPort}: {fault}': {
        cause: 'A message could not be sent: no route, a firewall of this host, or the local address is gone.',
        cure: 'Look at routes, interfaces and the output rules of this host’s firewall.',
      },
    },
  },
  fault: {
    severity: 'error',
    byPeer: false,
    lines: {
      'isakmpd: {what} dropped, internal fault: {fault}': {
        cause: 'A fault of this program; it cost the one event that met it.',
        cure: 'Report it with this line.',
      },
      'isakmpd: {what}: {fault}': {
        cause: 'A fault of this program outside of any event; the daemon may end and has to be started again.',
        cure: 'Report it with this line.',
      },
      'isakmpd: fault while carrying out {what}: {fault}': {
        cause: 'A fault of this program; a command was not carried out.',
        cure: 'Report it with this line.',
      },
      'fault after an answer of the kernel: {fault}': {
        cause: 'A fault of this program after an SA or a policy was handed to the kernel.',
        cure: 'Report it with this line; `t connection` and `c connection` set the SA up anew.',
      },
      'fault while handling {what}: {fault}': {
        cause: 'A fault of this program in a lane; it cost the one event that met it.',
        cure: 'Report it with this line.',
      },
    },
  },
  'lane-fault': {
    severity: 'error',
    byPeer: false,
    lines: {
      'lane {lane}: {what} dropped, internal fault: {fault}': {
        cause: 'A fault of this program in a lane; it cost the one event that met it.',
        cure: 'Report it with this line.',
      },
    },
  },
  'lane-lost': {
    severity: 'error',
    byPeer: false,
    lines: {
      'lane {lane} died: {fault}; {when}': {
        cause:
          'A thread of the daemon has died. Its successor takes over its ISAKMP SAs; half-open negotiations begin again.',
        cure: 'Out of memory: give the daemon more. Otherwise report it with this line.',
      },
    },
  },
  'lane-thread': {
    severity: 'error',
    byPeer: false,
    lines: {
      "a lane's thread failed: {fault}": {
        cause: 'A thread could not be started or has died.',
        cure: 'Look at limits of threads and memory.',
      },
    },
  },
  'lane-shed': {
    severity: 'error',
    byPeer: true,
    lines: {
      'lane {lane}: {count} messages dropped, too many wait for their key exchange': {
        cause:
          'More negotiations begin than this machine computes keys for: a flood, or very many peers at once. Established SAs go first and are not touched.',
        cure: 'Peers try again by themselves. If it goes on: more lanes (--workers), processors, or smaller Diffie-Hellman groups (19 is cheap).',
      },
    },
  },
  'table-full': {
    severity: 'error',
    byPeer: false,
    lines: {
      'the SA table is full: new IPsec SAs are not listed': {
        cause: 'There is no memory for more rows. The SAs work, but `S` and reports do not show them.',
        cure: 'Give the daemon more memory.',
      },
      'the SA table is full: this ISAKMP SA would not survive a fault of its lane': {
        cause: 'There is no memory for the key of another ISAKMP SA. The SA works.',
        cure: 'Give the daemon more memory.',
      },
    },
  },
  kernel: {
    severity: 'error',
    byPeer: false,
    lines: {
      'kernel: {what} flow {flow}: {fault}': {
        cause:
          'The kernel refused a policy. If it could not be added because another one has the same selectors, their traffic goes as that one says.',
        cure: 'Look who else makes policies for this traffic, or whether the kernel says more in its log.',
      },
      'kernel: remove policies that a predecessor left: {fault}': {
        cause: 'The kernel refused it. They are for what is not configured any more, and close it.',
        cure: 'Look whether the kernel says more in its log; `ip xfrm policy` shows them.',
      },
      'kernel: {what} SA{which}: {fault}': {
        cause: 'The kernel refused to add, query or delete an IPsec SA.',
        cure: 'Look whether the kernel has the algorithm, and whether somebody else manages its SAs.',
      },
    },
  },
  'kernel-chosen': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'kernel: {name} is used, as configured': {
        cause: 'SAs and policies go where [General]:Kernel or -n says.',
        cure: 'None needed.',
      },
      'kernel: {name} is used, the first that works here{others}': {
        cause: 'With [General]:Kernel=auto they are tried in order; in brackets why others did not do.',
        cure: 'None needed. Set [General]:Kernel to have one only.',
      },
    },
  },
  'kernel-failed': {
    severity: 'error',
    byPeer: false,
    lines: {
      'kernel: {fault}; ending': {
        cause: 'The connection to the kernel is lost, and with it the control of its SAs.',
        cure: 'Look into the log of the kernel and start the daemon again; the service manager does that.',
      },
    },
  },
  'kernel-leftovers': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'kernel: {count} SAs that a predecessor left are removed; its {count} policies stay closed until the configuration is in place':
        {
          cause:
            'A daemon with this run directory has ended without removing them. Without its policies packets would leave in the clear while ours are not yet there.',
          cure: 'None needed. Those for what is not configured any more go when all other policies are there, which waits for peers whose names have no address yet and for sections that cannot be used.',
        },
      'kernel: {count} policies that a predecessor left for what is not configured any more are removed': {
        cause: 'All policies that the configuration asks for are in the kernel, and nobody has asked for these.',
        cure: 'None needed. [General]:Block-on-exit, -S or Delete-SAs=no keep them.',
      },
      'kernel: {count} routing rules that a predecessor left stay closed until the configuration is in place': {
        cause: 'The same, with ESP in the process itself: what its rules lead to is dropped meanwhile.',
        cure: 'None needed: then they go as policies of other kernels do. With -S or Delete-SAs=no they stay to the end.',
      },
      'kernel: {what} that a predecessor left stay': {
        cause: 'The same, and -S or Delete-SAs=no keeps them. Traffic goes on under them until there are new ones.',
        cure: 'None needed.',
      },
    },
  },
  'policies-unfinished': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'kernel: after {seconds} s not all policies are in place: isakmpd is ready without them': {
        cause:
          'Before the daemon says that it is ready (pid file, systemd) it waits for the policies of all connections. A name server or the kernel does not answer, or there are very many.',
        cure: 'None needed if it is the number: the rest follows. Otherwise give peers an Address instead of a name, and look into the log for what the kernel refuses. Until they are there packets may leave in the clear.',
      },
    },
  },
  'log-lost': {
    severity: 'error',
    byPeer: false,
    lines: {
      'isakmpd: {count} log lines were lost: standard error was not read in time': {
        cause: 'Whoever reads the log does not keep up, and the daemon does not wait for him.',
        cure: 'Let the log go to syslog (no `-d`), or log less.',
      },
      'isakmpd: cannot write the log ({fault}): it goes to syslog from here on': {
        cause: 'Standard error is gone, or its disk is full.',
        cure: 'Look for the log in syslog; start the daemon again to have it back.',
      },
      'isakmpd: {count} log lines did not reach syslog: logger(1) is too slow': {
        cause: 'There are more lines than logger(1) and syslog take; the daemon does not wait for them.',
        cure: 'Log less (debug classes), or look at the load of this machine.',
      },
      'isakmpd: logger(1) has ended ({reason}): {count} log lines did not reach syslog': {
        cause: 'The program that carries the log to syslog has died; it has been started again.',
        cure: 'Look whether syslog is running (/dev/log) and logger(1) of util-linux is installed.',
      },
    },
  },
  'log-suppressed': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'isakmpd: suppressed {count} log lines of the kind "{event}"': {
        cause:
          'Peers or strangers cause more lines of one kind than are logged (200 at once, then 20 a second; debug lines 5000 and 1000).',
        cure: 'Look at the lines that were printed before: whoever sends is named there.',
      },
    },
  },
} as const satisfies EventTable;
