/**
 * `npm run bench:charon`, as root: one of our daemons stands for many gateways and shakes hands (main mode and quick mode without PFS) with one responder
 * after the other: charon with OpenSSL's Diffie-Hellman, charon with GMP's, ours with one lane. CPU time of the responder per handshake, and the ratio of
 * ours to the better charon and to what cryptography alone costs (pure-crypto.ts). Arguments: number of handshakes (1000), groups (14), `rsa` for
 * certificates in place of a pre-shared key: RSA-2048, each user with a certificate that the responder has not seen before. docs/performance.md has figures.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Daemon, until } from '../daemon.ts';
import { Namespace, namespacesFault } from '../esp/namespaces.ts';
import { type Certificates, writeCertificates } from './certificates.ts';
import { charonFault, charonResponder, type DiffieHellman } from './charon-responder.ts';
import { gatewayCertificates, initiator, responder } from './gateways.ts';
import { cpuOf } from './observed-daemon.ts';
import { pureCrypto } from './pure-crypto.ts';

interface Responder {
  readonly pid: number;
  ready(): Promise<void>;
  kill(): void;
}

/** What is negotiated. */
interface Suite {
  readonly group: string;
  /** Undefined: a pre-shared key authenticates. */
  readonly certificates: Certificates | undefined;
}

/** Where a responder is started: its files, and words of a command that puts it into the namespace. */
interface Place {
  readonly folder: string;
  readonly inside: readonly string[];
  /** Section of isakmpd.conf. */
  readonly x509: string | undefined;
}

/** ms of CPU per handshake of the responder that `begin` starts. */
const measure = async (
  { group, certificates }: Suite,
  warmUp: number,
  count: number,
  begin: (place: Place) => Responder,
): Promise<number> => {
  const folder = mkdtempSync(join(tmpdir(), 'isakmpd-bench-'));
  const namespace = new Namespace('bench');
  const inside = ['ip', 'netns', 'exec', namespace.name];
  const all = warmUp + count;
  const x509 = writeCertificates(folder, certificates);
  const right = begin({ folder, inside, x509: x509.responder });
  const side = { count: all, group, port: RESPONDER_PORT, general: KEEP, certificates: x509.initiator };
  const left = new Daemon({
    name: 'initiator',
    folder,
    configuration: initiator(side),
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

const charon = (suite: Suite, count: number, diffieHellman: DiffieHellman): Promise<number> => {
  const { group, certificates } = suite;
  const proposal = `aes128-sha256-${CHARON_GROUPS[group]}`;
  return measure(suite, WARM_UP.charon, count, ({ folder, inside }) =>
    charonResponder({ folder, diffieHellman, proposal, certificates, inside }),
  );
};

const ours = (suite: Suite, count: number): Promise<number> =>
  measure(suite, WARM_UP.ours, count, ({ folder, inside, x509 }) => {
    const side = { count: WARM_UP.ours + count, group: suite.group, port: INITIATOR_PORT, general: KEEP };
    return new Daemon({
      name: 'responder',
      folder,
      configuration: responder({ ...side, certificates: x509 }),
      ports: { ike: RESPONDER_PORT, encapsulated: 4500 },
      // It says no more than charon does.
      words: ['-d', '-n', '-K', '-4'],
      inside,
    });
  });

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
const words = process.argv.slice(2);
const [number = '1000', ...groups] = words.filter((word) => /^\d+$/.test(word));
const count = Number(number);
const certificates = words.includes('rsa') ? await gatewayCertificates(WARM_UP.ours + count) : undefined;
for (const group of groups.length === 0 ? ['14'] : groups) {
  const suite = { group, certificates };
  const charons = [await charon(suite, count, 'openssl'), await charon(suite, count, 'gmp')];
  const own = await ours(suite, count);
  const pure = pureCrypto(count, Number(group), certificates);
  const [openssl, gmp] = charons.map((cost) => cost.toFixed(2));
  const ratio = (own / Math.min(...charons)).toFixed(2);
  console.log(
    `group ${group}, ${certificates === undefined ? 'pre-shared key' : 'RSA-2048'}: responder CPU ms per handshake: ` +
      `charon ${openssl} (openssl), ${gmp} (gmp), ours ${own.toFixed(2)}: ${ratio} of the better, ` +
      `${(own / pure).toFixed(2)} of cryptography alone (${pure.toFixed(2)})`,
  );
}
