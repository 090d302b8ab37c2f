/** What one side of a scenario is told: a configuration in no daemon's language, and how a scenario becomes two of them. */
import type { Cipher, Group, Hash } from './algorithms.ts';
import { type KeyOwner, NAMES, type SideName } from './keys.ts';
import type { Proof, Scenario } from './scenarios.ts';

export interface Prefix {
  readonly address: string;
  readonly length: number;
}

/** One pair of networks; transport mode has none (the two hosts themselves). */
export interface Net {
  readonly name: string;
  readonly local: Prefix;
  readonly remote: Prefix;
}

export interface Setup {
  readonly family: 4 | 6;
  readonly local: string;
  readonly remote: string;
  readonly localId: string;
  readonly remoteId: string;
  readonly secret: string;
  readonly proof: Proof;
  readonly side: SideName;
  /** Whose private key and certificate this side has. */
  readonly keys: KeyOwner;
  readonly aggressive: boolean;
  readonly phase1: { readonly cipher: Cipher; readonly hash: Hash; readonly group: Group };
  /** Without a hash: GCM. */
  readonly phase2: { readonly cipher: Cipher; readonly hash: Hash | undefined; readonly group: Group | undefined };
  readonly transport: boolean;
  /** Pretends a NAT. */
  readonly forcesEncapsulation: boolean;
  readonly nets: readonly Net[];
  /** What permits them to the other side; by policy our configuration does not name them. charon and pluto always have sections. */
  readonly permittedBy: Scenario['permittedBy'];
  /** What the peer claims to own in addition, and does not. */
  readonly claims: readonly Net[];
  /** Another peer of ours, which owns this pair of networks and is never up. */
  readonly stranger: { readonly address: string; readonly net: Net } | undefined;
  /** Seconds; undefined where the default of the daemon will do. */
  readonly lifetimes: { readonly phase1: number | undefined; readonly phase2: number | undefined };
  /** Does this side replace its SAs when they grow old? */
  readonly renews: boolean;
  readonly initiates: boolean;
  /** Bytes of an IP packet; undefined: the default of the daemon. */
  readonly fragmentSize: number | undefined;
  /** Whether ESP is real: then our daemon uses this backend, and the peer its kernel. */
  readonly kernel: KernelName | undefined;
}

export type KernelName = 'xfrm' | 'pfkey';

interface Setups {
  readonly ours: Setup;
  readonly theirs: Setup;
}

export const OUR_ADDRESS = { 4: '10.91.0.1', 6: 'fd91::1' } as const;
export const PEER_ADDRESS = { 4: '10.91.0.2', 6: 'fd91::2' } as const;
const STRANGER_ADDRESS = { 4: '10.91.0.3', 6: 'fd91::3' } as const;

/** The two configurations of a scenario. They agree unless the scenario has a fault, which is always the peer's. */
export const setupsOf = (scenario: Scenario): Setups => {
  const ours = ourSetup(scenario);
  return { ours, theirs: faulty(scenario, mirror(ours, scenario)) };
};

const ourSetup = (scenario: Scenario): Setup => {
  const { family } = scenario;
  const isAggressive = scenario.exchange === 'aggressive';
  const named = isAggressive || scenario.proof.kind === 'certificate';
  const short = scenario.expect.kind === 'rekey' && scenario.expect.by === 'us' ? scenario.expect.phase : undefined;
  return {
    family,
    local: OUR_ADDRESS[family],
    remote: PEER_ADDRESS[family],
    localId: named ? NAMES.ours : OUR_ADDRESS[family],
    remoteId: named ? NAMES.theirs : PEER_ADDRESS[family],
    secret: 'a-secret-of-this-test',
    proof: scenario.proof,
    side: 'ours',
    keys: 'ours',
    aggressive: isAggressive,
    phase1: { cipher: scenario.cipher, hash: scenario.hash, group: scenario.group },
    phase2: { cipher: scenario.cipher, hash: scenario.hash, group: scenario.pfs ? pfsGroup(scenario) : undefined },
    transport: scenario.mode === 'transport',
    forcesEncapsulation: scenario.encap === 'us',
    nets: Array.from({ length: scenario.subnets }, (_, index) => netOf(scenario, index)),
    permittedBy: scenario.permittedBy,
    claims: [],
    stranger:
      faultOf(scenario) === 'foreign-subnet' ? { address: STRANGER_ADDRESS[family], net: foreign(family) } : undefined,
    lifetimes: { phase1: short === 1 ? SHORT_LIFE : undefined, phase2: short === 2 ? SHORT_LIFE : undefined },
    renews: true,
    initiates: scenario.peerRole === 'responder',
    fragmentSize: scenario.fragmentSize,
    kernel: undefined,
  };
};

const mirror = (ours: Setup, scenario: Scenario): Setup => {
  const short = scenario.expect.kind === 'rekey' && scenario.expect.by === 'peer' ? scenario.expect.phase : undefined;
  return {
    ...ours,
    side: 'theirs',
    keys: 'theirs',
    local: ours.remote,
    remote: ours.local,
    localId: ours.remoteId,
    remoteId: ours.localId,
    nets: ours.nets.map((net) => ({ name: net.name, local: net.remote, remote: net.local })),
    permittedBy: 'sections',
    stranger: undefined,
    forcesEncapsulation: scenario.encap === 'peer',
    lifetimes: { phase1: short === 1 ? SHORT_LIFE : undefined, phase2: short === 2 ? SHORT_LIFE : undefined },
    renews: short !== undefined,
    initiates: !ours.initiates,
  };
};

const faulty = (scenario: Scenario, theirs: Setup): Setup => {
  switch (faultOf(scenario)) {
    case undefined:
      return theirs;
    case 'secret':
    case 'secret-aggressive':
      return { ...theirs, secret: 'another-secret' };
    case 'phase1-proposal':
      return { ...theirs, phase1: { ...theirs.phase1, group: theirs.phase1.group === 14 ? 5 : 14 } };
    case 'phase2-proposal':
      return {
        ...theirs,
        phase2: { ...theirs.phase2, cipher: theirs.phase2.cipher === 'aes256' ? 'aes128' : 'aes256' },
      };
    case 'pfs':
      return { ...theirs, phase2: { ...theirs.phase2, group: undefined } };
    case 'phase1-id':
      return { ...theirs, localId: 'impostor.example' };
    case 'phase2-ids':
      return { ...theirs, nets: theirs.nets.map((net) => ({ ...net, local: foreign(theirs.family).remote })) };
    case 'raw-key':
    case 'certificate-authority':
      return { ...theirs, keys: 'stray' };
    case 'certificate-revoked':
      return { ...theirs, keys: 'revoked' };
    case 'certificate-expired':
      return { ...theirs, keys: 'expired' };
    case 'certificate-early':
      return { ...theirs, keys: 'early' };
    case 'certificate-alone':
      return { ...theirs, keys: 'alone' };
    case 'certificate-identity':
      return { ...theirs, keys: 'foreign', ...honest(scenario, 'impostor.example') };
    case 'certificate-name-type':
      return { ...theirs, keys: 'mistyped', ...honest(scenario, `email:${NAMES.theirs}`) };
    case 'foreign-subnet': {
      const { name, local, remote } = foreign(theirs.family);
      return { ...theirs, claims: [{ name, local: remote, remote: local }] };
    }
  }
};

/** charon never calls itself what its certificate does not. */
const honest = ({ peer }: Scenario, localId: string) => (peer === 'charon' ? { localId } : {});

/** isakmpd renews at 85 to 95 % of it, so both rekeying and the old SA's end come soon. */
const SHORT_LIFE = 12;

/** pluto does PFS with MODP groups only. */
const pfsGroup = (scenario: Scenario): Group =>
  scenario.peer === 'pluto' && scenario.group >= 19 ? 14 : scenario.group;

export const faultOf = (scenario: Scenario) => (scenario.expect.kind === 'refusal' ? scenario.expect.fault : undefined);

const netOf = (scenario: Scenario, index: number): Net => {
  const name = `net${index + 1}`;
  if (scenario.mode === 'transport') {
    const length = scenario.family === 4 ? 32 : 128;
    return {
      name,
      local: { address: OUR_ADDRESS[scenario.family], length },
      remote: { address: PEER_ADDRESS[scenario.family], length },
    };
  }
  return { name, local: network(scenario.family, 11 + index), remote: network(scenario.family, 21 + index) };
};

const foreign = (family: 4 | 6): Net => ({ name: 'foreign', local: network(family, 11), remote: network(family, 99) });

const network = (family: 4 | 6, number: number): Prefix =>
  family === 4 ? { address: `10.91.${number}.0`, length: 24 } : { address: `fd91:${number}::`, length: 64 };
