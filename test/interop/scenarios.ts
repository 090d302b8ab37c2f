/** The scenarios: the axes of the matrix, what else can happen to an established pair, and every way to refuse one. */
import type { Cipher, Group, Hash } from './algorithms.ts';
import { type Axes, pairwise, product, type Row } from './pairwise.ts';
import { certificate, FAULTS, type Fault, REFUSALS, type Refusal } from './refusals.ts';

export type PeerName = 'charon' | 'pluto';
type PeerRole = 'initiator' | 'responder';
type Side = 'us' | 'peer';

export type Expectation =
  | { readonly kind: 'established' }
  | { readonly kind: 'rekey'; readonly phase: 1 | 2; readonly by: Side }
  | { readonly kind: 'delete'; readonly what: 'quick' | 'main' | 'everything'; readonly by: Side }
  | { readonly kind: 'refusal'; readonly fault: Fault; readonly exchange: 'main' | 'aggressive' };

export type KeyType = 'rsa' | 'p256' | 'p384' | 'p521';

/** How both sides prove who they are. */
export type Proof =
  | { readonly kind: 'secret' }
  | { readonly kind: 'raw'; readonly key: KeyType }
  | {
      readonly kind: 'certificate';
      readonly key: KeyType;
      readonly below: 'root' | 'intermediate';
      /** Whether the peer asks for ours (CERTREQ); we always ask for its. */
      readonly asks: boolean;
    };

export interface Scenario {
  readonly name: string;
  readonly cell: (typeof CELLS)[number];
  readonly peer: PeerName;
  /** What the peer is in the first phase 1. */
  readonly peerRole: PeerRole;
  readonly exchange: 'main' | 'aggressive';
  readonly group: Group;
  readonly cipher: Cipher;
  readonly hash: Hash;
  readonly pfs: boolean;
  readonly mode: 'tunnel' | 'transport';
  readonly subnets: 1 | 3;
  readonly family: 4 | 6;
  /** Who pretends a NAT: ESP goes in UDP then. */
  readonly encap: 'nobody' | Side;
  readonly proof: Proof;
  /** Bytes of an IP packet: what does not fit goes in IKE fragments; undefined: as ever. */
  readonly fragmentSize: number | undefined;
  /** What says on our side what the peer may have: connection sections, or the policy alone, and then its section is that of [Phase 1]:Default. */
  readonly permittedBy: 'sections' | 'policy';
  readonly expect: Expectation;
}

/** The cells of the result table; each has to hold at least three scenarios in a full run. */
export const CELLS = ['plain', 'PFS', 'transport', 'rekey', 'refusal', 'delete', 'signature', 'fragments'] as const;

const PEERS = ['charon', 'pluto'] as const;
const ROLES = ['initiator', 'responder'] as const;

const AXES = {
  peer: PEERS,
  peerRole: ROLES,
  exchange: ['main', 'aggressive'],
  group: [2, 5, 14, 15, 16, 19, 20, 21],
  cipher: ['3des', 'aes128', 'aes256'],
  hash: ['sha1', 'sha256', 'sha384', 'sha512'],
  pfs: [false, true],
  mode: ['tunnel', 'transport'],
  subnets: [1, 3],
  family: [4, 6],
  encap: ['nobody', 'us', 'peer'],
} as const satisfies Axes;

type Shape = Row<typeof AXES>;

/** Everything: all pairs of axis values for each peer and role, and each of the other events for each peer and role. */
export const allScenarios = (): readonly Scenario[] => {
  const rows = product(AXES, isPossible);
  const established = sides().flatMap(({ peer, peerRole }) =>
    pairwise(
      AXES,
      rows.filter((row) => row.peer === peer && row.peerRole === peerRole),
    ),
  );
  const events = sides().flatMap((side) => EVENTS.map((expect) => ({ ...side, expect })));
  return [
    ...established.map((row) => scenario(row, { kind: 'established' })),
    ...events.filter(canHappen).map(eventScenario),
    ...sides().flatMap(signatureScenarios),
    ...sides().flatMap((side) => certificateRows(side).map((row) => certificateScenario(side, row))),
    ...sides().flatMap(fragmentScenarios),
    ...PEERS.flatMap(warriorScenarios),
  ];
};

/** What continuous integration runs: all pairs of axis values over both peers and roles, each event with each peer and in each role. */
export const selectedScenarios = (): readonly Scenario[] => {
  const established = pairwise(AXES, product(AXES, isPossible));
  const events = EVENTS.flatMap((expect, index) =>
    PEERS.map((peer, turn) => ({ peer, peerRole: (index + turn) % 2 === 0 ? ROLES[0] : ROLES[1], expect })),
  );
  return [
    ...established.map((row) => scenario(row, { kind: 'established' })),
    ...events.filter(canHappen).map(eventScenario),
    ...sides().flatMap(signatureScenarios).filter(isSelected),
    ...sides().flatMap((side) =>
      pairwise(CERTIFICATE_AXES, certificateRows(side)).map((row) => certificateScenario(side, row)),
    ),
    ...sides().flatMap(fragmentScenarios),
    ...PEERS.flatMap(warriorScenarios),
  ];
};

/** RSA as it is used most; of ECDSA one of each curve and role, since the curves differ in nothing else. */
const isSelected = ({ proof, exchange }: Scenario): boolean =>
  proof.kind !== 'secret' && (proof.key === 'rsa' || (proof.kind === 'raw' && exchange === 'main'));

/** pluto 4.10 was built without group 2; transport mode knows one pair of hosts. */
const isPossible = (row: Shape): boolean =>
  !(row.peer === 'pluto' && row.group === 2) && !(row.mode === 'transport' && row.subnets === 3);

const EVENTS: readonly Expectation[] = [
  ...([1, 2] as const).flatMap((phase) =>
    (['us', 'peer'] as const).map((by) => ({ kind: 'rekey', phase, by }) as const),
  ),
  { kind: 'delete', what: 'quick', by: 'us' },
  { kind: 'delete', what: 'main', by: 'us' },
  { kind: 'delete', what: 'everything', by: 'us' },
  { kind: 'delete', what: 'quick', by: 'peer' },
  { kind: 'delete', what: 'main', by: 'peer' },
  ...FAULTS.flatMap((fault) =>
    REFUSALS[fault].exchanges.map((exchange) => ({ kind: 'refusal', fault, exchange }) as const),
  ),
];

interface Event {
  readonly peer: PeerName;
  readonly peerRole: PeerRole;
  readonly expect: Expectation;
}

/** A pluto that is told not to do PFS takes it all the same when it is offered, and it loads no certificate of its own that is not valid now. */
const canHappen = ({ peer, peerRole, expect }: Event): boolean => {
  if (peer !== 'pluto' || expect.kind !== 'refusal') return true;
  const { fault } = expect;
  if (fault === 'pfs') return peerRole !== 'responder';
  return fault !== 'certificate-expired' && fault !== 'certificate-early';
};

const sides = () => PEERS.flatMap((peer) => ROLES.map((peerRole) => ({ peer, peerRole })));

/** The other events happen to one ordinary shape; several networks where one of them goes and the rest must stay. */
const eventScenario = (event: Event): Scenario => {
  const { expect } = event;
  const refusal: Refusal | undefined = expect.kind === 'refusal' ? REFUSALS[expect.fault] : undefined;
  return scenario(ordinaryShape(event), expect, refusal?.proof ?? SECRET);
};

const ordinaryShape = (event: Event): Shape => {
  const { expect } = event;
  return {
    peer: event.peer,
    peerRole: event.peerRole,
    exchange: expect.kind === 'refusal' ? expect.exchange : 'main',
    group: 14,
    cipher: 'aes128',
    hash: 'sha256',
    pfs: true,
    mode: 'tunnel',
    subnets: expect.kind === 'delete' && expect.what !== 'main' ? 3 : 1,
    family: 4,
    encap: 'nobody',
  };
};

/** Raw keys and certificates in both exchanges; pluto knows no ECDSA in IKEv1. The negotiated hash is never that of the curve, save one. */
const signatureScenarios = (side: Pick<Event, 'peer' | 'peerRole'>): readonly Scenario[] => {
  const keys = (side.peer === 'pluto' ? ['rsa'] : ['rsa', 'p256', 'p384', 'p521']) as readonly KeyType[];
  const expect = { kind: 'established' } as const;
  return (['main', 'aggressive'] as const).flatMap((exchange) =>
    keys.flatMap((key) =>
      [{ kind: 'raw', key } as const, certificate(key)].map((proof) =>
        scenario({ ...ordinaryShape({ ...side, expect }), exchange }, expect, proof),
      ),
    ),
  );
};

const CERTIFICATE_AXES = {
  exchange: ['main', 'aggressive'],
  below: ['root', 'intermediate'],
  asks: [true, false],
  isCut: [false, true],
} as const satisfies Axes;

/** The ways in which certificates come; the plain ones are among signatureScenarios and fragmentScenarios. pluto sends no intermediate CA in aggressive mode. */
const certificateRows = (side: Pick<Event, 'peer' | 'peerRole'>) =>
  product(CERTIFICATE_AXES, ({ exchange, below, asks, isCut }) => {
    if (below === 'root' && asks && !(exchange === 'aggressive' && isCut)) return false;
    if (exchange === 'main') return true;
    return !(isCut && beginsInFragments(side)) && !(side.peer === 'pluto' && below === 'intermediate');
  });

const certificateScenario = (
  side: Pick<Event, 'peer' | 'peerRole'>,
  { exchange, below, asks, isCut }: Row<typeof CERTIFICATE_AXES>,
): Scenario => {
  const expect = { kind: 'established' } as const;
  const shape = { ...ordinaryShape({ ...side, expect }), exchange };
  const one = scenario(shape, expect, { ...certificate('rsa'), below, asks });
  return isCut ? inFragments(one) : one;
};

/** pluto makes its very first message into fragments as well, which nobody takes from strangers. */
const beginsInFragments = ({ peer, peerRole }: Pick<Event, 'peer' | 'peerRole'>): boolean =>
  peer === 'pluto' && peerRole === 'initiator';

const inFragments = (one: Scenario): Scenario => ({
  ...one,
  fragmentSize: 576,
  cell: 'fragments',
  name: `${one.name}/fragments`,
});

/**
 * A secret and large key exchange values, and certificates. Both peers make their very first message into fragments as well if they make any without being asked twice, which nobody takes
 * from strangers: that of main mode is small, that of aggressive mode is not, and there charon can wait and pluto cannot.
 */
const fragmentScenarios = (side: Pick<Event, 'peer' | 'peerRole'>): readonly Scenario[] => {
  const expect = { kind: 'established' } as const;
  const shape: Shape = { ...ordinaryShape({ ...side, expect }), group: 16, encap: 'us' };
  return [
    scenario(shape, expect),
    scenario({ ...shape, mode: 'transport', encap: 'nobody' }, expect),
    ...(beginsInFragments(side) ? [] : [scenario({ ...shape, exchange: 'aggressive' }, expect)]),
    scenario({ ...shape, group: 14, encap: 'nobody' }, expect, certificate('rsa')),
    // Over IPv6 pluto's are of 1280 bytes.
    ...(side.peer === 'pluto' ? [] : [scenario({ ...shape, family: 6, encap: 'nobody' }, expect)]),
  ].map((one) => inFragments(one));
};

/** Road warriors: what no connection section of ours is for comes up by the policy, and what another peer's section has does not. Only the peer can begin. */
const warriorScenarios = (peer: PeerName): readonly Scenario[] =>
  (['main', 'aggressive'] as const).flatMap((exchange) => {
    const refusal = { kind: 'refusal', fault: 'foreign-subnet', exchange } as const;
    return [{ kind: 'established' } as const, refusal].map((expect) => {
      const one = scenario({ ...ordinaryShape({ peer, peerRole: 'initiator', expect }), exchange }, expect);
      return { ...one, permittedBy: 'policy', name: `${one.name}/warrior-${exchange}` } as const;
    });
  });

const scenario = (shape: Shape, expect: Expectation, proof: Proof = SECRET): Scenario => ({
  ...shape,
  proof,
  fragmentSize: undefined,
  permittedBy: 'sections',
  expect,
  cell: expect.kind === 'established' && proof.kind !== 'secret' ? 'signature' : cellOf(shape, expect),
  name: [
    `${shape.peer}-${shape.peerRole}`,
    ...eventText(expect),
    proofText(proof),
    expect.kind === 'established' ? shapeText(shape) : undefined,
  ]
    .filter((part) => part !== undefined)
    .join('/'),
});

const SECRET: Proof = { kind: 'secret' };

const proofText = (proof: Proof): string | undefined => {
  if (proof.kind === 'secret') return undefined;
  const path = proof.kind === 'certificate' && proof.below === 'intermediate' ? '-intermediate' : '';
  return `${proof.kind}-${proof.key}${path}${proof.kind === 'raw' || proof.asks ? '' : '-unasked'}`;
};

const cellOf = (shape: Shape, expect: Expectation): (typeof CELLS)[number] => {
  if (expect.kind !== 'established') return expect.kind;
  if (shape.mode === 'transport') return 'transport';
  return shape.pfs ? 'PFS' : 'plain';
};

const eventText = (expect: Expectation): readonly string[] => {
  switch (expect.kind) {
    case 'established':
      return [];
    case 'rekey':
      return ['rekey', `phase${expect.phase}-by-${expect.by}`];
    case 'delete':
      return ['delete', `${expect.what}-by-${expect.by}`];
    case 'refusal':
      return ['refusal', expect.fault, ...(REFUSALS[expect.fault].exchanges.length > 1 ? [expect.exchange] : [])];
  }
};

const shapeText = (shape: Shape): string =>
  [
    shape.exchange,
    shape.cipher,
    shape.hash,
    `group${shape.group}`,
    shape.pfs ? 'pfs' : 'nopfs',
    shape.mode,
    shape.subnets === 1 ? '1net' : '3nets',
    `v${shape.family}`,
    ...(shape.encap === 'nobody' ? [] : [`encap-by-${shape.encap}`]),
  ].join('-');
