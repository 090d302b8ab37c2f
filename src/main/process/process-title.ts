/** What ps(1) shows: scripts look for `isakmpd: monitor [priv]`, the process that takes the signals, and for `isakmpd -` with its options. */

/** `words`: the command line without node and program. Linux cuts it to the length of the whole command line. */
export const processTitle = (words: readonly string[]): string =>
  `isakmpd: monitor [priv] (${['isakmpd', ...words].join(' ')})`;
