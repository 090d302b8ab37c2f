/** The faults a peer can have, and the lines our daemon must log about each (isakmpd's own, which scripts rely on). */

import type { KeyType, Proof, Scenario } from './scenarios.ts';

export interface Refusal {
  readonly exchanges: readonly ('main' | 'aggressive')[];
  /** How both sides prove who they are; a pre-shared key where it is absent. */
  readonly proof?: Proof;
  /** Our lines, all of which must come, by the role of the peer. */
  readonly lines: {
    readonly initiator: readonly RegExp[];
    readonly responder: readonly RegExp[];
    /** Where the policy, not a connection section, permits what the peer asks for. */
    readonly warrior?: readonly RegExp[];
  };
}

const NO_PROPOSAL = /message_negotiate_sa: no compatible proposal found/;
const DROPPED_NO_PROPOSAL = /dropped message from \S+ port 500 due to notification type NO_PROPOSAL_CHOSEN/;
const GIVING_UP = /transport_send_messages: giving up on exchange \S+, no response from peer/;
/** What the peer told us ends the exchange if it is authenticated; if it is not, only our patience does. */
const TOLD_NO_PROPOSAL = /NO_PROPOSAL_CHOSEN|giving up on exchange/;
const INVALID_IDS =
  /responder_recv_HASH_SA_NONCE: peer proposed invalid phase 2 IDs: initiator id \S+, responder id \S+/;
const GARBLED =
  /dropped message from \S+ port 500 due to notification type (PAYLOAD_MALFORMED|INVALID_PAYLOAD_TYPE|UNEQUAL_PAYLOAD_LENGTHS)/;
const WRONG_SECRET = /probably a wrong pre-shared key/;

const OTHER_KEY = /its signature is not made with the key of/;

const BOTH = ['main', 'aggressive'] as const;

/** An RSA certificate right below the root, that the peer asks for. */
export const certificate = (key: KeyType) => ({ kind: 'certificate', key, below: 'root', asks: true }) as const;

/** A certificate that names the peer, and is not to be trusted. */
const flawed = (reason: RegExp) => {
  const lines = [
    /due to notification type INVALID_CERTIFICATE/,
    new RegExp(`phase 1 refused: .*: its certificate is not taken: certificate of \\S+: ${reason.source}`),
  ];
  return { exchanges: BOTH, proof: certificate('rsa'), lines: { initiator: lines, responder: lines } };
};

/** A certificate that does not name the peer. */
const misnamed = (names: RegExp) => {
  // What its certificate does not call it charon does not call itself.
  const lines = [new RegExp(`its certificate is that of ${names.source}\\)|received remote ID other than expected`)];
  return { exchanges: BOTH, proof: certificate('rsa'), lines: { initiator: lines, responder: lines } };
};

export const REFUSALS = {
  secret: {
    exchanges: ['main'],
    lines: { initiator: [GARBLED, WRONG_SECRET], responder: [GIVING_UP] },
  },
  'secret-aggressive': {
    exchanges: ['aggressive'],
    lines: { initiator: [/probably a wrong pre-shared key/], responder: [WRONG_SECRET] },
  },
  'phase1-proposal': {
    exchanges: ['main'],
    lines: {
      initiator: [
        NO_PROPOSAL,
        DROPPED_NO_PROPOSAL,
        /attribute_unacceptable: GROUP_DESCRIPTION: got MODP_1536, expected MODP_2048/,
      ],
      responder: [TOLD_NO_PROPOSAL],
    },
  },
  'phase2-proposal': {
    exchanges: ['main'],
    lines: { initiator: [NO_PROPOSAL, DROPPED_NO_PROPOSAL], responder: [TOLD_NO_PROPOSAL] },
  },
  pfs: {
    exchanges: ['main'],
    lines: { initiator: [NO_PROPOSAL, DROPPED_NO_PROPOSAL], responder: [TOLD_NO_PROPOSAL] },
  },
  'phase1-id': {
    exchanges: ['main'],
    lines: {
      initiator: [/ike_phase_1_recv_ID: received remote ID other than expected/],
      responder: [/ike_phase_1_recv_ID: received remote ID other than expected/],
    },
  },
  'phase2-ids': {
    exchanges: ['main'],
    lines: { initiator: [INVALID_IDS], responder: [/INVALID_ID_INFORMATION|giving up on exchange/] },
  },
  'foreign-subnet': {
    exchanges: ['main'],
    lines: {
      initiator: [INVALID_IDS],
      responder: [INVALID_IDS],
      warrior: [
        /its 10\.91\.99\.0\/\S+ to our 10\.91\.11\.0\/\S+; that is traffic of connection foreign of peer stranger/,
      ],
    },
  },
  'raw-key': {
    exchanges: ['main'],
    proof: { kind: 'raw', key: 'rsa' },
    lines: {
      initiator: [/due to notification type INVALID_SIGNATURE/, OTHER_KEY],
      responder: [/due to notification type INVALID_SIGNATURE/, OTHER_KEY],
    },
  },
  'certificate-authority': flawed(/no certificate of its issuer \/O=Bed\/CN=Stray CA is there/),
  'certificate-revoked': flawed(/revoked on \d{4}-\d\d-\d\d .*keyCompromise/),
  'certificate-expired': flawed(/expired on \d{4}-/),
  'certificate-early': flawed(/valid from \d{4}-\S+ \S+ UTC only/),
  'certificate-alone': flawed(/signed by itself, and it is not among the CA certificates/),
  'certificate-identity': misnamed(/\/O=Bed\/CN=impostor\.example, impostor\.example/),
  'certificate-name-type': misnamed(/\/O=Bed\/CN=theirs\.example, theirs\.example \(USER_FQDN, its ID is FQDN\)/),
} as const satisfies Readonly<Record<string, Refusal>>;

/** What our log says of the fault of a scenario. */
export const refusalLines = (fault: Fault, { peerRole, permittedBy }: Scenario): readonly RegExp[] => {
  const { lines }: Refusal = REFUSALS[fault];
  return (permittedBy === 'policy' ? lines.warrior : undefined) ?? lines[peerRole];
};

export type Fault = keyof typeof REFUSALS;

export const FAULTS = Object.keys(REFUSALS).filter((name): name is Fault => name in REFUSALS);
