/** Events of quick modes and informational messages. */
import type { EventTable } from './row.ts';

export const PHASE2_EVENTS = {
  'phase2-established': {
    severity: 'verbose',
    byPeer: false,
    lines: {
      'isakmpd: quick mode done: src: {local} dst: {remote}': {
        cause: 'We began a quick mode, and its IPsec SAs are there.',
        cure: 'None needed.',
      },
      'isakmpd: quick mode done (as responder): src: {local} dst: {remote}': {
        cause: 'The peer began a quick mode, and its IPsec SAs are there.',
        cure: 'None needed.',
      },
    },
  },
  'phase2-no-proposal': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'attribute_unacceptable: {attribute}: got {theirs}, expected {ours}': {
        cause:
          'A transform that the peer offers and one of the connection’s Suites differ in this attribute; one line for each pair that was compared, eight at most.',
        cure: 'Go by the explanation that follows: it names the nearest pair and what to add to the configuration.',
      },
      'message_negotiate_sa: no compatible proposal found': {
        cause: 'Nothing that the peer offers is among the connection’s Suites.',
        cure: 'Go by the explanation that follows.',
      },
    },
  },
  'phase2-wrong-ids': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'responder_recv_HASH_SA_NONCE: peer proposed invalid phase 2 IDs: initiator id {theirs}, responder id {ours}': {
        cause: 'No connection of this peer is between these two networks or hosts.',
        cure: 'Go by the explanation that follows: it lists the connections that the peer has.',
      },
    },
  },
  'peer-dead': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'peer does not answer: {who}: no answer to {count} R-U-THERE in {seconds} s: its SAs are deleted': {
        cause:
          'Nothing has come from the peer for DPD-check-interval, and it does not answer when asked whether it is there.',
        cure: 'None needed if the peer was switched off. Otherwise look at the way to it. Active connections are tried again.',
      },
    },
  },
  'dpd-bad-sequence': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'dpd_handle_notify: bad R_U_THERE seqno {number} <= {last}': {
        cause:
          'The peer asks whether we are there with a number that it had used before: a late duplicate, or the peer was restored from a snapshot.',
        cure: 'None needed unless the peer deletes its SAs.',
      },
      'dpd_handle_notify: got bad ACK seqno {number}, expected {last}': {
        cause:
          'An answer to our question whether the peer is there has another number than the question: it comes late, or nobody asked.',
        cure: 'None needed unless our SAs are deleted although the peer lives.',
      },
    },
  },
  'message-ids': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'ISAKMP SA of {who} has seen {count} exchanges: it ends': {
        cause: 'So many exchanges ran under this ISAKMP SA that it is replaced, lest a message be accepted twice.',
        cure: 'None needed. If it comes often, the peer renews IPsec SAs or asks for dead peers far too often.',
      },
    },
  },
} as const satisfies EventTable;
