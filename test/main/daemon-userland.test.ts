/** Daemons whose ESP is in their own process, each in a network namespace, with real packets between the networks behind them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Daemon } from '../../loadtest/daemon.ts';
import { transfer } from '../../loadtest/esp/gateway-configuration.ts';
import type { Gateway } from '../../loadtest/esp/gateways.ts';
import { namespacesFault } from '../../loadtest/esp/namespaces.ts';
import { nativeAddonFault } from '../../src/kernel/native/native.ts';
import type { SaStatus } from '../../src/shared/report/status-schema.ts';
import { statusSas } from '../helpers/status-sas.ts';
import { withUserlandBench } from '../helpers/userland-bench.ts';
import { protocolsOf, WireTap } from '../helpers/wire-tap.ts';

const skip = nativeAddonFault() ?? namespacesFault();

const BYTES = 200_000;
const byNumber = (a: number, b: number): number => a - b;
const ESP = 50;
const UDP = 17;

/** What the status socket says of the tunnel's only pair. */
const trafficOf = async ({ runDirectory }: Daemon): Promise<SaStatus['traffic']> => {
  const pairs = (await statusSas(runDirectory)).filter(({ name }) => name === 'tunnel');
  assert.equal(pairs.length, 1);
  return pairs[0]?.traffic ?? null;
};

const blackholesOf = ({ namespace }: Gateway): string => namespace.run('ip route show table all type blackhole');
const rulesOf = ({ namespace }: Gateway): string => namespace.run('ip rule show');

describe('a daemon with ESP in its own process', { skip }, () => {
  it('carries what is between the networks, in ESP alone, and leaves the host as it was', async (t) => {
    await withUserlandBench(t, async ({ left, right, start }) => {
      const before = rulesOf(left);
      const daemons = [await start(left, 'left'), await start(right, 'right')];
      assert.equal(daemons[0]?.count('kernel: userland is used, as configured'), 1);
      const tap = await WireTap.start(right.namespace);
      daemons[0]?.command('c tunnel');
      for (const daemon of daemons) await daemon.saw('quick mode done');
      await transfer(left, right, BYTES);
      await transfer(right, left, BYTES);
      assert.deepEqual(protocolsOf(await tap.end()).toSorted(byNumber), [UDP, ESP]);
      const [ours, theirs] = await Promise.all(daemons.map(trafficOf));
      assert.ok(ours && theirs);
      assert.ok(ours.bytesIn > 200_000 && ours.bytesOut > 200_000, JSON.stringify(ours));
      assert.deepEqual([ours.bytesIn, ours.packetsOut], [theirs.bytesOut, theirs.packetsIn]);
      assert.ok(Math.abs(Date.now() - Date.parse(ours.lastUseAt ?? '')) < 60_000);
      for (const daemon of daemons) daemon.command('Q');
      assert.deepEqual(await Promise.all(daemons.map(({ ended }) => ended)), [0, 0]);
      assert.equal(rulesOf(left), before);
      assert.equal(left.namespace.run('ip link show').includes('isakmpd0'), false);
    });
  });

  it('is ready when packets for the networks of its connections lead into the tunnel', async (t) => {
    await withUserlandBench(t, async ({ left, right, start }) => {
      await start(left, 'left');
      assert.match(left.namespace.run(`ip route get ${right.inner} from ${left.inner}`), / dev isakmpd0 /);
    });
  });

  it('negotiates for the first packet, which arrives, and encapsulates where it is told to', async (t) => {
    await withUserlandBench(t, async ({ left, right, start }) => {
      const change = { peer: 'Flags=force-encap' };
      const daemons = [await start(left, 'left', change), await start(right, 'right', change)];
      const tap = await WireTap.start(right.namespace);
      await transfer(left, right, BYTES);
      for (const daemon of daemons) await daemon.saw('quick mode done');
      assert.deepEqual(protocolsOf(await tap.end()), [UDP]);
    });
  });

  it('lets nothing through in clear after a crash, and everything when it is back', async (t) => {
    await withUserlandBench(t, async ({ left, right, start }) => {
      const [crashing, other] = [await start(left, 'left'), await start(right, 'right')];
      crashing.command('c tunnel');
      await other.saw('quick mode done');
      crashing.kill();
      await crashing.ended;
      const tap = await WireTap.start(right.namespace);
      const to = { address: right.inner, port: 7777 };
      await assert.rejects(left.endpoint.call({ kind: 'datagram', from: left.inner, to, text: 'in clear', mark: 0 }));
      const again = await start(left, 'left-again');
      await again.saw('routing rules that a predecessor left stay closed');
      again.command('c tunnel');
      await again.saw('quick mode done');
      await transfer(left, right, BYTES);
      assert.deepEqual(protocolsOf(await tap.end()).toSorted(byNumber), [UDP, ESP]);
    });
  });

  it('removes what a predecessor that crashed left for connections that are not configured any more', async (t) => {
    await withUserlandBench(t, async ({ left, right, start }) => {
      const before = [rulesOf(left), blackholesOf(left)];
      const crashing = await start(left, 'left');
      assert.notDeepEqual([rulesOf(left), blackholesOf(left)], before);
      crashing.kill();
      await crashing.ended;
      assert.throws(() => left.namespace.run(`ip route get ${right.inner} from ${left.inner}`), /Invalid argument/);
      // Its only connection cannot be used with ESP in the process.
      const again = await start(left, 'left-again', { suite: 'QM-ESP-TRP-AES-128-SHA2-256-SUITE' });
      await again.saw('1 policies that a predecessor left for what is not configured any more are removed');
      assert.deepEqual([rulesOf(left), blackholesOf(left)], before);
    });
  });

  it('says at start that a connection in transport mode is not for it, and goes on', async (t) => {
    await withUserlandBench(t, async ({ left, start }) => {
      const daemon = await start(left, 'left', { suite: 'QM-ESP-TRP-AES-128-SHA2-256-SUITE' });
      await daemon.saw('connection tunnel is not used');
      await daemon.saw('userland does not have TRANSPORT mode');
      await daemon.caughtUp();
    });
  });
});
