/** The faults a peer can have, and the lines our daemon must log about each (isakmpd's own, which scripts rely on). */

export interface Refusal {
  readonly exchange: 'main' | 'aggressive';
  /** How both sides prove who they are; a pre-shared key where it is absent. */
  readonly proof?: 'raw' | 'certificate';
  /** Our lines, all of which must come, by the role of the peer. */
  readonly lines: { readonly initiator: readonly RegExp[]; readonly responder: readonly RegExp[] };
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
const OTHER_AUTHORITY = /its certificate is not taken: .*: no certificate of its issuer \/O=Bed\/CN=Stray CA is there/;

export const REFUSALS = {
  secret: {
    exchange: 'main',
    lines: { initiator: [GARBLED, WRONG_SECRET], responder: [GIVING_UP] },
  },
  'secret-aggressive': {
    exchange: 'aggressive',
    lines: { initiator: [/probably a wrong pre-shared key/], responder: [WRONG_SECRET] },
  },
  'phase1-proposal': {
    exchange: 'main',
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
    exchange: 'main',
    lines: { initiator: [NO_PROPOSAL, DROPPED_NO_PROPOSAL], responder: [TOLD_NO_PROPOSAL] },
  },
  pfs: {
    exchange: 'main',
    lines: { initiator: [NO_PROPOSAL, DROPPED_NO_PROPOSAL], responder: [TOLD_NO_PROPOSAL] },
  },
  'phase1-id': {
    exchange: 'main',
    lines: {
      initiator: [/ike_phase_1_recv_ID: received remote ID other than expected/],
      responder: [/ike_phase_1_recv_ID: received remote ID other than expected/],
    },
  },
  'phase2-ids': {
    exchange: 'main',
    lines: { initiator: [INVALID_IDS], responder: [/INVALID_ID_INFORMATION|giving up on exchange/] },
  },
  'foreign-subnet': {
    exchange: 'main',
    lines: { initiator: [INVALID_IDS], responder: [INVALID_IDS] },
  },
  'raw-key': {
    exchange: 'main',
    proof: 'raw',
    lines: {
      initiator: [/due to notification type INVALID_SIGNATURE/, OTHER_KEY],
      responder: [/due to notification type INVALID_SIGNATURE/, OTHER_KEY],
    },
  },
  'certificate-authority': {
    exchange: 'aggressive',
    proof: 'certificate',
    lines: {
      initiator: [/due to notification type INVALID_CERTIFICATE/, OTHER_AUTHORITY],
      responder: [/due to notification type INVALID_CERTIFICATE/, OTHER_AUTHORITY],
    },
  },
} as const satisfies Readonly<Record<string, Refusal>>;

export type Fault = keyof typeof REFUSALS;

export const FAULTS = Object.keys(REFUSALS).filter((name): name is Fault => name in REFUSALS);
