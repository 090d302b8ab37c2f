/**
 * `npm run bench:shutdown`: brings up SAs between two of our daemons on loopback and measures how long the end of one takes after TERM, and how many SAs the other
 * one still has then. Argument: number of tunnels (2500), each an ISAKMP SA and a pair of IPsec SAs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Daemon, until } from '../daemon.ts';
import { freeGatewayPorts, initiator, responder } from './gateways.ts';

const GROUP = '19';
/** Negotiations at a time: what is lost in a burst costs seconds each. */
const AT_ONCE = 100;

const bringUp = async (left: Daemon, right: Daemon, count: number): Promise<void> => {
  for (let from = 0; from < count; from += AT_ONCE) {
    const to = Math.min(from + AT_ONCE, count);
    for (let i = from; i < to; i++) left.command(`c net-${i}`);
    const isDone = (): true | undefined => right.count('quick mode done (as responder)') >= to || undefined;
    await until(`tunnel ${to} of ${count}`, isDone, 600_000);
  }
};

const listed = async (daemon: Daemon): Promise<number> => ((await daemon.ask('S')).match(/^SA name: /gm) ?? []).length;

const measure = async (count: number): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'isakmpd-bench-'));
  const ports = await freeGatewayPorts();
  const side = { count, group: GROUP, port: ports.ike };
  const left = new Daemon({ name: 'initiator', folder, configuration: initiator(side), ports });
  const right = new Daemon({ name: 'responder', folder, configuration: responder(side), ports });
  try {
    await Promise.all([left.ready(), right.ready()]);
    await bringUp(left, right, count);
    const start = performance.now();
    left.signal('SIGTERM');
    const begun = await left.saw('isakmpd: shutting down...');
    const status = await left.ended;
    const seconds = ((performance.now() - start) / 1000).toFixed(2);
    // Its log may have lost lines in the rush; what it lists has not.
    const remaining = await listed(right);
    console.log(
      `${count} ISAKMP SAs and ${count} IPsec SA pairs: first word ${(begun - start).toFixed(0)} ms after TERM, ` +
        `end with status ${status} after ${seconds} s; the other end still has ${remaining} SAs`,
    );
    right.signal('SIGTERM');
    await right.ended;
  } finally {
    for (const daemon of [left, right]) daemon.kill();
    rmSync(folder, { recursive: true, force: true });
  }
};

await measure(Number(process.argv[2] ?? '2500'));
