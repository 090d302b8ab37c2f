/** One scenario from two empty namespaces to the verdict. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SystemError } from '../../src/shared/errors.ts';
import { ESP_LISTING } from './algorithms.ts';
import { startCapture } from './capture.ts';
import { fromPeer, fromSecret, type OpenPhase1, type TableRow } from './decryption-table.ts';
import { Isakmpd } from './isakmpd.ts';
import { judge, type Sides } from './judge.ts';
import { makePair, type Pair, removePair } from './namespaces.ts';
import type { Party, Peer, Place } from './party.ts';
import { Charon } from './peers/charon.ts';
import { Pluto } from './peers/pluto.ts';
import type { Scenario } from './scenarios.ts';
import { faultOf, type Setup, setupsOf } from './setup.ts';
import { dissect } from './tshark.ts';

/** What all scenarios of a run share. */
export interface Bench {
  /** The path of our program; undefined puts a charon in our place, to test the harness. */
  readonly program: string | undefined;
  readonly shim: string;
  readonly plutoRoot: string;
  readonly nss: string;
  /** The folder with the keys of both sides. */
  readonly keys: string;
}

/** Resolves with a remark if the scenario came out as expected; rejects with the reason. `folder` keeps all that was written. */
export const runScenario = async (scenario: Scenario, folder: string, bench: Bench): Promise<string> => {
  const setups = setupsOf(scenario);
  const pair = await makePair();
  try {
    const sides = {
      ours: ourParty(place(pair.ours, folder, 'ours', bench), setups.ours, bench),
      theirs: peerParty(scenario, place(pair.theirs, folder, 'theirs', bench), setups.theirs, bench),
    };
    const capture = await withCapture(pair, folder, () => negotiate(scenario, sides));
    const tableOf = (phase1s: readonly OpenPhase1[]) => decryptionTable(scenario, setups.ours, sides.theirs, phase1s);
    const { messages, encrypted, fragments, faults } = await dissect(capture, setups.ours.local, tableOf);
    if (faults.length > 0) throw new SystemError(`tshark on what we sent: ${faults.join('; ')}`);
    if (scenario.fragmentSize !== undefined && (fragments.ours === 0 || fragments.theirs === 0)) {
      throw new SystemError(
        `fragments: ${fragments.ours} of ours, ${fragments.theirs} of the peer; both should have sent some`,
      );
    }
    return `${messages} messages of ours, ${encrypted} encrypted, ${fragments.ours} fragments`;
  } finally {
    await removePair(pair);
  }
};

/** Brings both up, responder first, and takes both down, ours first so that the peer hears it. */
const negotiate = async (scenario: Scenario, sides: Sides): Promise<void> => {
  const { ours, theirs } = sides;
  let initiation: Promise<void> | undefined;
  try {
    const [responder, initiator] = scenario.peerRole === 'responder' ? [theirs, ours] : [ours, theirs];
    await responder.start();
    await initiator.start();
    initiation = initiator.initiate();
    await judge(scenario, sides);
    await ours.stop();
  } finally {
    await ours.stop().catch(() => undefined);
    await theirs.stop();
    await initiation?.catch(() => undefined);
  }
};

const withCapture = async (pair: Pair, folder: string, work: () => Promise<void>): Promise<string> => {
  const capture = await startCapture(pair.ours, join(folder, 'wire.pcap'));
  try {
    await work();
  } finally {
    await capture.stop();
  }
  return join(folder, 'wire.pcap');
};

/** Under a wrong secret what we encrypt in phase 1 is not readable for the peer, but what it knows and our secret give the key. */
const decryptionTable = (
  scenario: Scenario,
  ours: Setup,
  theirs: Peer,
  phase1s: readonly OpenPhase1[],
): readonly TableRow[] => {
  if (!faultOf(scenario)?.startsWith('secret')) return fromPeer(phase1s, theirs.keys());
  const { keyBytes } = ESP_LISTING[scenario.cipher];
  return fromSecret(phase1s, ours.secret, theirs.sharedSecrets(), scenario.hash, keyBytes);
};

const ourParty = (where: Place, setup: Setup, bench: Bench): Party =>
  bench.program === undefined ? new Charon(where, setup, bench.shim) : new Isakmpd(where, setup, bench.program);

const peerParty = (scenario: Scenario, where: Place, setup: Setup, bench: Bench): Peer =>
  scenario.peer === 'charon'
    ? new Charon(where, setup, bench.shim)
    : new Pluto(where, setup, { root: bench.plutoRoot, nss: bench.nss, shim: bench.shim });

const place = (namespace: string, folder: string, name: string, { keys }: Bench): Place => {
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  return { namespace, folder: own, keys };
};
