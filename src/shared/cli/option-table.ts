/** The command line of isakmpd: one row for each option. Parsing, help and usage derive from it. */

export interface OptionRow {
  /** One letter (`-c`), or a word (`--run-dir`). */
  readonly key: string;
  /** What the option's argument is; undefined: it takes none. */
  readonly argument: string | undefined;
  readonly help: string;
  /** May be given several times, and each counts. */
  readonly isRepeatable?: true;
}

const flag = (key: string, help: string): OptionRow => ({ key, argument: undefined, help });
const withArgument = (key: string, argument: string, help: string): OptionRow => ({ key, argument, help });

export const OPTIONS: readonly OptionRow[] = [
  flag('4', 'use IPv4 only (with -6: both)'),
  flag('6', 'use IPv6 only (with -4: both)'),
  flag('a', 'leave the flows in the kernel alone'),
  withArgument('c', 'config-file', 'configuration file [/etc/isakmpd/isakmpd.conf]'),
  flag('d', 'stay in the foreground and log to standard error'),
  {
    ...withArgument('D', 'class=level', 'debug level of a class, or of all with A=level'),
    isRepeatable: true,
  },
  withArgument('f', 'fifo', 'command FIFO; - for standard input [isakmpd.fifo in the run directory]'),
  withArgument('i', 'pid-file', 'pid file [isakmpd.pid in the run directory]'),
  flag('K', 'no policy: read no policy file, make no KeyNote check'),
  flag('L', 'capture the negotiation in clear'),
  withArgument('l', 'packetlog-file', 'as -L, to this file'),
  withArgument('N', 'udpencap-port', 'UDP port for encapsulated IKE [4500]'),
  flag('n', 'no kernel: change no SA in the IPsec stack'),
  withArgument('p', 'listen-port', 'UDP port for IKE [500]'),
  withArgument('R', 'report-file', 'file that SIGUSR1 writes [isakmpd.report in the run directory]'),
  flag('S', 'start passive, keep SAs at shutdown'),
  flag('T', 'no NAT traversal: no port for encapsulated IKE'),
  flag('v', 'log every completed phase 1 and quick mode'),
  withArgument('run-dir', 'directory', 'where FIFO, pid and result file lie [/var/run]'),
  flag('allow-userland', 'ESP may be done in this process where the kernel cannot do it'),
  flag('check', 'check the configuration, print what is wrong with it, and exit (0: nothing, 1: errors, 2: warnings)'),
  withArgument(
    'capture-format',
    'pcap|pcapng',
    'format of the capture; pcapng: with the keys of ISAKMP SAs in a file beside it [pcap]',
  ),
  withArgument('log-format', 'text|json', 'format of the log [text]'),
  withArgument('workers', 'number', 'threads that run exchanges, 1 to 128 [one per processor]'),
  flag('help', 'print this and exit'),
  flag('version', 'print the version and exit'),
];

/** The one usage line of isakmpd, with what this program has added. */
export const usage = (rows: readonly OptionRow[]): string => {
  const flags = rows.filter((row) => row.key.length === 1 && row.argument === undefined).map((row) => row.key);
  const others = rows
    .filter((row) => row.key.length > 1 || row.argument !== undefined)
    .map((row) => `[${dashed(row.key)}${row.argument === undefined ? '' : ` ${row.argument}`}]`);
  return `usage: isakmpd [-${flags.join('')}] ${others.join(' ')}`;
};

/** The option as it is typed. */
export const dashed = (key: string): string => (key.length === 1 ? `-${key}` : `--${key}`);
