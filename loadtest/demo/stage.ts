/** What both demos show and check. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Daemon, DaemonFault, PATIENCE } from '../daemon.ts';

/** Prints each line of a daemon's log behind its name. */
export const said =
  (name: string) =>
  (line: string): void =>
    console.log(`${name.padEnd(6)}| ${line}`);

export const show = (title: string, text: string): void => {
  console.log(`\n${title}`);
  for (const line of text.trimEnd().split('\n')) console.log(`    ${line}`);
};

/** The SPIs of the first daemon, out and in, which are the other's the other way round: else a DaemonFault. Takes what `S` answers. */
export const checkMirrored = (ours: string, theirs: string): readonly [string, string] => {
  const [out, into] = spisOf(ours);
  const mirrored = spisOf(theirs);
  if (out === undefined || into === undefined || out !== mirrored[1] || into !== mirrored[0]) {
    throw new DaemonFault(`the SPIs are not mirrored: ${spisOf(ours).join(' ')} and ${mirrored.join(' ')}`);
  }
  return [out, into];
};

const spisOf = (listing: string): readonly string[] =>
  [...listing.matchAll(/^SPI \d: ([0-9a-f]{8})/gm)].map(([, spi]) => spi ?? '');

/** Tells one after the other to quit, and sees that it does: the first says goodbye to the second. */
export const endAll = async (daemons: readonly Daemon[]): Promise<void> => {
  for (const daemon of daemons) {
    daemon.command('Q');
    const status = await Promise.race([daemon.ended, sleep(PATIENCE, 'still running', { ref: false })]);
    if (status !== 0) throw new DaemonFault(`the ${daemon.name} daemon ended with ${status} after Q`);
  }
  console.log('both daemons have ended with status 0');
};
