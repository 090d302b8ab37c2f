/**
 * `npm run bench:charon`, as root: one of our daemons stands for many gateways and shakes hands (main mode and quick mode without PFS) with one responder
 * after the other: charon with OpenSSL's Diffie-Hellman, charon with GMP's, ours with one lane. CPU time of the responder per handshake, and the ratio of
 * ours to the better charon. Arguments: number of handshakes (1000), groups (14).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Daemon, until } from '../daemon.ts';
import { Namespace, namespacesFault } from '../esp/namespaces.ts';
import { CharonResponder, charonFault, type DiffieHellman } from './charon-responder.ts';
import { initiator, responder } from './gateways.ts';
import { cpuOf } from './observed-daemon.ts';

interface Responder {
  readonly pid: number;
  ready(): Promise<void>;
  kill(): void;
}

/** ms of CPU per handshake of the responder that `begin` starts. */
const measure = async (
  warmUp: number,
  count: number,
  group: string,
  begin: (folder: string, inside: readonly string[]) => Responder,
): Promise<number> => {
  const folder = mkdtempSync(join(tmpdir(), 'isakmpd-bench-'));
  const namespace = new Namespace('bench');
  const inside = ['ip', 'netns', 'exec', namespace.name];
  const all = warmUp + count;
  const right = begin(folder, inside);
  const left = new Daemon({
    name: 'initiator',
    folder,
    configuration: initiator(all, group, RESPONDER_PORT, KEEP),
    ports: { ike: INITIATOR_PORT, encapsulated: INITIATOR_PORT + 1 },
    inside,
  });
  /** A few at a time, so that neither side is so busy that messages are sent twice. */
  const shake = async (from: number, to: number): Promise<void> => {
    for (let done = from; done < to; done += AT_ONCE) {
      const next = Math.min(done + AT_ONCE, to);
      for (let i = done; i < next; i++) left.command(`c net-${i}`);
      const isDone = (): true | undefined => left.count('quick mode done: ') >= next || undefined;
      await until(`handshake ${next} of ${all}`, isDone, 60_000);
    }
  };
  try {
    await Promise.all([left.ready(), right.ready()]);
    await shake(0, warmUp);
    const before = cpuOf(right);
    await shake(warmUp, all);
    return (cpuOf(right) - before) / count;
  } finally {
    left.kill();
    right.kill();
    namespace.delete();
    rmSync(folder, { recursive: true, force: true });
  }
};

const charon = (count: number, group: string, diffieHellman: DiffieHellman): Promise<number> =>
  measure(
    WARM_UP.charon,
    count,
    group,
    (folder, inside) => new CharonResponder(folder, diffieHellman, `aes128-sha256-${CHARON_GROUPS[group]}`, inside),
  );

const ours = (count: number, group: string): Promise<number> =>
  measure(
    WARM_UP.ours,
    count,
    group,
    (folder, inside) =>
      new Daemon({
        name: 'responder',
        folder,
        configuration: responder(WARM_UP.ours + count, group, INITIATOR_PORT, KEEP),
        ports: { ike: RESPONDER_PORT, encapsulated: 4500 },
        // It says no more than charon does.
        words: ['-d', '-n', '-K', '-4'],
        inside,
      }),
  );

const CHARON_GROUPS: Readonly<Record<string, string>> = { 2: 'modp1024', 5: 'modp1536', 14: 'modp2048', 19: 'ecp256' };
/** Handshakes that are not counted. Ours is a daemon that runs for months: what its compiler costs at first is not what a handshake costs. */
const WARM_UP = { charon: 200, ours: 3000 };
const AT_ONCE = 40;
/** charon needs it: on other ports it expects the non-ESP marker. */
const RESPONDER_PORT = 500;
const INITIATOR_PORT = 1500;
/** The end is not measured. */
const KEEP = 'Delete-SAs=no';

const fault = namespacesFault() || charonFault();
if (fault !== false) throw new Error(fault);
const [count = '1000', ...groups] = process.argv.slice(2);
for (const group of groups.length === 0 ? ['14'] : groups) {
  const charons = [await charon(Number(count), group, 'openssl'), await charon(Number(count), group, 'gmp')];
  const own = await ours(Number(count), group);
  const [openssl, gmp] = charons.map((cost) => cost.toFixed(2));
  const ratio = (own / Math.min(...charons)).toFixed(2);
  console.log(
    `group ${group}: responder CPU ms per handshake: charon ${openssl} (openssl), ${gmp} (gmp), ours ${own.toFixed(2)}: ${ratio} of the better`,
  );
}
