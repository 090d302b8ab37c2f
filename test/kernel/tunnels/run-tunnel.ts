/** One tunnel scenario from two empty namespaces to the verdict. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SystemError } from '../../../src/shared/errors.ts';
import { startCapture } from '../../interop/capture.ts';
import { Isakmpd } from '../../interop/isakmpd.ts';
import { areEqual } from '../../interop/listing.ts';
import { removePair } from '../../interop/namespaces.ts';
import type { Party, Place } from '../../interop/party.ts';
import { Charon } from '../../interop/peers/charon.ts';
import { must, until } from '../../interop/processes.ts';
import { type Setup, setupsOf } from '../../interop/setup.ts';
import { type Field, makeField } from './place.ts';
import { ESP, type TunnelScenario } from './scenarios.ts';
import {
  assertEqualCounters,
  assertOnlyEsp,
  assertReportedCounters,
  kernelSas,
  kernelState,
  pingsLost,
} from './traffic.ts';

export interface Bench {
  /** The path of bin/isakmpd. */
  readonly program: string;
  readonly shim: string;
}

interface Ends {
  readonly scenario: TunnelScenario;
  readonly field: Field;
  readonly ours: Isakmpd;
  readonly theirs: Party;
}

/** Resolves with a remark; rejects with what was wrong. `folder` keeps all that was written. */
export const runTunnel = async (scenario: TunnelScenario, folder: string, bench: Bench): Promise<string> => {
  const setups = tunnelSetups(scenario);
  const field = await makeField(setups.ours);
  const ours = new Isakmpd(place(field.ours, folder, 'ours'), setups.ours, bench.program);
  const there = place(field.theirs, folder, 'theirs');
  const theirs =
    scenario.peer === 'charon'
      ? new Charon(there, setups.theirs, bench.shim)
      : new Isakmpd(there, setups.theirs, bench.program);
  const captures = await captureBothEnds(field, folder);
  const stopCaptures = () => Promise.all(captures.map((capture) => capture.stop()));
  try {
    const remark = await EVENTS[scenario.event]({ scenario, field, ours, theirs });
    const counts: number[] = [];
    for (const wire of await stopCaptures()) counts.push(await assertOnlyEsp(wire, 1));
    return `${remark}; ESP packets ${counts.join(' and ')}, nothing in the clear`;
  } finally {
    await ours.stop().catch(() => undefined);
    await theirs.stop().catch(() => undefined);
    await stopCaptures().catch(() => undefined);
    await removePair(field);
  }
};

/** What each end sends: what it receives Linux shows once more when it has taken the tunnel off. */
const captureBothEnds = (field: Field, folder: string) =>
  Promise.all(
    (['ours', 'theirs'] as const).map((end) => startCapture(field[end], join(folder, `${end}.pcap`), ['-Q', 'out'])),
  );

const tunnelSetups = (scenario: TunnelScenario): { readonly ours: Setup; readonly theirs: Setup } => {
  const { kernel, esp, mode, family, initiator, inUdp, event } = scenario;
  const { ours, theirs } = setupsOf({
    name: '',
    cell: 'plain',
    peer: 'charon',
    peerRole: initiator === 'peer' ? 'initiator' : 'responder',
    exchange: 'main',
    group: 14,
    cipher: 'aes128',
    hash: 'sha256',
    pfs: true,
    mode,
    subnets: 1,
    family,
    proof: { kind: 'secret' },
    fragmentSize: undefined,
    encap: inUdp ? 'us' : 'nobody',
    permittedBy: event === 'warrior' ? 'policy' : 'sections',
    expect: { kind: 'established' },
  });
  const phase2 = { ...ESP[esp], group: 14 } as const;
  const lifetimes = event === 'rekey' ? { phase1: 14, phase2: 9 } : ours.lifetimes;
  // Whoever is to come up by a packet only waits for it.
  const initiates = ours.initiates && event !== 'demand';
  return {
    ours: { ...ours, kernel, phase2, lifetimes, initiates },
    theirs: { ...theirs, kernel: scenario.peer === 'isakmpd' ? kernel : undefined, phase2 },
  };
};

/** Both up, responder first; the tunnel is there when both list the same pair. */
const bringUp = async ({ scenario, ours, theirs }: Ends): Promise<void> => {
  const [responder, initiator] = scenario.initiator === 'us' ? [theirs, ours] : [ours, theirs];
  await responder.start();
  await initiator.start();
  void initiator.initiate().catch(() => undefined);
  await waitForTunnel({ ours, theirs });
};

const waitForTunnel = ({ ours, theirs }: Pick<Ends, 'ours' | 'theirs'>): Promise<true> =>
  until(
    () => 'the tunnel does not come up',
    PATIENCE,
    async () => {
      const [one, other] = [await ours.listing(), await theirs.listing()];
      return one.pairs.length > 0 && areEqual(one, other) ? true : undefined;
    },
  );

const traffic = async (ends: Ends): Promise<string> => {
  await bringUp(ends);
  await ping(ends, 20);
  await counted(ends);
  return '20 pings, 0 lost, counters of both ends, and of status sockets, agree';
};

const ping = async ({ field }: Ends, count: number, rate = 10): Promise<void> => {
  const lost = await pingsLost(field.ours, field.from, field.to, count, rate);
  if (lost > 0) throw new SystemError(`${lost} of ${count} pings were lost`);
};

const counted = async ({ field, ours, theirs }: Ends): Promise<void> => {
  const [here, there] = [await kernelSas(field.ours), await kernelSas(field.theirs)];
  assertEqualCounters(here, there, 2);
  assertReportedCounters(await ours.statusSas(), here, 1);
  if (theirs instanceof Isakmpd) assertReportedCounters(await theirs.statusSas(), there, 1);
};

/** The first packets may be lost while the SAs are negotiated. */
const demand = async (ends: Ends): Promise<string> => {
  await ends.theirs.start();
  await ends.ours.start();
  if ((await ends.ours.listing()).pairs.length > 0) throw new SystemError('it is up without a packet');
  await pingsLost(ends.field.ours, ends.field.from, ends.field.to, 2, 1);
  await waitForTunnel(ends);
  await ping(ends, 20);
  await counted(ends);
  return 'up by a packet, then 20 pings, 0 lost';
};

const rekey = async (ends: Ends): Promise<string> => {
  await bringUp(ends);
  const spis = new Set<string>();
  let isOver = false;
  const watch = (async () => {
    while (!isOver) {
      for (const { spi } of await kernelSas(ends.field.ours)) spis.add(spi);
      // A sample: SAs come and go by the daemons' own lifetimes of seconds.
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  })();
  try {
    await ping(ends, 300);
  } finally {
    isOver = true;
    await watch;
  }
  if (spis.size < 6) throw new SystemError(`only ${spis.size} SAs were seen in 30 s`);
  return `300 pings at 10 per second, 0 lost, ${spis.size} SAs`;
};

const crash = async (ends: Ends): Promise<string> => {
  await bringUp(ends);
  await ping(ends, 5);
  await ends.ours.crash();
  const start = performance.now();
  await ends.ours.start();
  await until(
    () => 'no traffic after the crash',
    10,
    // What is measured is the daemon's time, not that of pings which nobody will answer any more.
    async () => (await pingsLost(ends.field.ours, ends.field.from, ends.field.to, 1, 1, 0.2)) === 0,
  );
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  await until(
    () => 'SAs twice after the crash',
    10,
    async () => (await kernelSas(ends.field.ours)).length === 2,
  );
  return `traffic ${seconds} s after the restart, 2 SAs`;
};

/** Somebody else's SA and policies are there before, and untouched after. */
const end = async (ends: Ends): Promise<string> => {
  const { ours } = ends.field;
  await must('ip', [
    '-n',
    ours,
    'xfrm',
    'state',
    'add',
    ...FOREIGN,
    'proto',
    'esp',
    'spi',
    '0x900',
    'reqid',
    '7',
    'mode',
    'tunnel',
    ...KEYS,
  ]);
  const template = ['tmpl', ...FOREIGN, 'proto', 'esp', 'reqid', '7', 'mode', 'tunnel'];
  await must('ip', [
    '-n',
    ours,
    'xfrm',
    'policy',
    'add',
    'src',
    '10.98.0.0/16',
    'dst',
    '10.99.0.0/16',
    'dir',
    'out',
    ...template,
  ]);
  const before = await kernelState(ours);
  await bringUp(ends);
  await ping(ends, 5);
  await ends.ours.stop();
  const after = await kernelState(ours);
  if (after !== before) throw new SystemError(`not as it was: ${after}`);
  return 'SIGTERM left no SA and no policy of ours, and the others untouched';
};

/** Before the peer comes there is nothing in the kernel, and after it has gone there is nothing again. */
const warrior = async (ends: Ends): Promise<string> => {
  const { field, ours, theirs } = ends;
  const before = await kernelState(field.ours);
  await bringUp(ends);
  await ping(ends, 20);
  await counted(ends);
  await theirs.removeQuick('net1');
  let now = '';
  await until(
    () => `SAs or policies are left after the peer's DELETE: ${now}`,
    PATIENCE,
    async () => {
      now = await kernelState(field.ours);
      return now === before;
    },
  );
  const { phase1, pairs } = await ours.listing();
  if (phase1.length !== 1 || pairs.length > 0) throw new SystemError('more than the IPsec SAs went, or less');
  return '20 pings, 0 lost, without a connection section; no SA and no policy left after DELETE';
};

const EVENTS = { traffic, demand, rekey, crash, end, warrior } as const;

const FOREIGN = ['src', '198.51.100.1', 'dst', '198.51.100.2'] as const;
const KEYS = ['auth', 'hmac(sha1)', `0x${'11'.repeat(20)}`, 'enc', 'cbc(aes)', `0x${'22'.repeat(16)}`] as const;
/** s */
const PATIENCE = 30;

const place = (namespace: string, folder: string, name: string): Place => {
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  return { namespace, keys: folder, folder: own };
};
