/** Events of messages that are dropped before an exchange has understood them, or by it. */
import type { EventTable } from './row.ts';

export const RECEPTION_EVENTS = {
  'message-dropped': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'dropped message from {address} port {port} due to notification type {type}': {
        cause:
          'A message was refused; the lines before it say what was wrong with it, the line after it explains. The peer is told this type, if it may be told anything.',
        cure: 'Go by the other lines with the same address.',
      },
      'message_recv: bad message length': {
        cause:
          'A datagram shorter than an ISAKMP header, or of another length than its header says: no IKE, or something on the way cut it.',
        cure: 'From a known peer: look for a path MTU or fragment problem. From others: scanners; nothing to do.',
      },
      'message_recv: invalid cookie(s) {initiatorCookie} {responderCookie}': {
        cause:
          'The message belongs to an ISAKMP SA that this daemon does not have: it was restarted, or deleted or expired the SA, and the peer has not noticed.',
        cure: 'None needed: the peer negotiates anew when its dead peer detection or its retransmissions end. To hasten it, delete the SA on the peer, or run `c` for a connection here.',
      },
      'message_recv: invalid payload type {type} in ISAKMP header (check passphrases, if applicable and in Phase 1)': {
        cause:
          'The header names a payload type that does not exist. After decryption with a wrong key that is what one sees; from strangers it is noise.',
        cure: 'Compare [peer]:Authentication with the secret that the peer has.',
      },
      'message_recv: invalid version major {version}': {
        cause: 'The peer speaks another version of IKE, most often IKEv2 (major 2). This daemon speaks IKEv1 only.',
        cure: 'Set the peer to IKEv1 for this connection.',
      },
      'message_recv: invalid version minor {version}': {
        cause: 'The header is of no version of IKEv1.',
        cure: 'Not IKE, or broken on the way; look at who sends it.',
      },
      'message_recv: invalid exchange type {type}': {
        cause: 'The header names an exchange type that does not exist, or one that cannot begin a negotiation.',
        cure: 'Not IKE, or a fault of the peer.',
      },
      'message_recv: unsupported exchange type {type}': {
        cause:
          'An exchange that this daemon does not do: base (1), authentication only (3), transaction (6: mode config, XAUTH), new group (33).',
        cure: 'Switch mode config, XAUTH or the exchange in question off on the peer.',
      },
      'message_recv: invalid flags {flags}': {
        cause: 'Flag bits in the header that do not exist.',
        cure: 'Not IKE, or a fault of the peer.',
      },
      'message_recv: invalid message id {messageId}': {
        cause: 'A first message of phase 1 with a message id.',
        cure: 'Not IKE, or a fault of the peer.',
      },
      'message_recv: fragment under unknown cookies {initiatorCookie} {responderCookie}': {
        cause:
          'An IKE fragment belongs to no ISAKMP SA here: the SA is gone, or the peer sends its very first message in fragments, which are not kept for strangers.',
        cure: 'If it is a peer of yours: let it offer fewer proposals, so that its first message fits a datagram, or let it fragment only later ones (strongSwan: `fragmentation = yes`, not `force`).',
      },
      'message_recv: fragment dropped: {reason}': {
        cause: 'An IKE fragment is malformed, or does not fit the others of its message; the reason says how.',
        cure: 'With the reason Flags=no-fragmentation: take that flag out of the peer section, or switch fragmentation off on the peer. Otherwise a fault of the peer, or a forgery.',
      },
      'message_recv: no exchange': {
        cause:
          'The message belongs to no exchange that runs under its ISAKMP SA: it comes too late, or with another exchange type than the one that is under way.',
        cure: 'If the peer keeps sending it: compare [configuration]:EXCHANGE_TYPE with what the peer is set to.',
      },
      'message_recv: cleartext phase {phase} message': {
        cause: 'A message that should be encrypted is not.',
        cure: 'A fault of the peer, or somebody forges messages.',
      },
      'message_recv: phase 1 message after ISAKMP SA is ready': {
        cause: 'A late duplicate: phase 1 is complete.',
        cure: 'None needed. If there are many, messages of this peer are delayed or duplicated on the way.',
      },
      'message_parse_payloads: reserved field non-zero: {byte}': {
        cause:
          'After decryption the message makes no sense: the two sides have different keys, in phase 1 nearly always because the pre-shared keys differ.',
        cure: 'Compare [peer]:Authentication with the secret that the peer has.',
      },
      'message_parse_payloads: {fault}': {
        cause:
          'A payload is malformed or does not belong in this message; the fault says which and how. In an encrypted message of phase 1: probably different pre-shared keys.',
        cure: 'In phase 1 compare [peer]:Authentication on both sides; otherwise a fault of the peer.',
      },
      'exchange_run: exchange_validate failed': {
        cause:
          'A payload that the message must have is missing, or one stands where it must not; the next line says which.',
        cure: 'A fault of the peer, or the peer wants another exchange or authentication method than is configured.',
      },
      'exchange_run: {fault}': {
        cause: 'The message could be read but not accepted; the fault says why.',
        cure: 'Go by the explanation that follows.',
      },
    },
  },
  'message-shed': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'phase 1 dropped: {who}: more peers begin aggressive mode than keys can be computed for; it tries again': {
        cause:
          'More aggressive mode negotiations begin than the daemon computes keys for: a flood, or very many peers at once.',
        cure: 'Peers try again by themselves. If it goes on, use main mode: [configuration]:EXCHANGE_TYPE=ID_PROT.',
      },
      'quick mode dropped: {who}: {count} of its quick modes are under way; it tries again': {
        cause:
          'The peer, or somebody who forges its messages, begins more quick modes at once than are taken from one peer.',
        cure: 'If the peer has so many connections: let it have several ISAKMP SAs, or renew with more time between.',
      },
      'phase 1 dropped: {who}: the SA table is full; give the daemon more memory': {
        cause: 'There is no memory for another SA. Established SAs are not touched.',
        cure: 'Look with `S` for what fills the table; give the daemon more memory.',
      },
    },
  },
  'peer-unknown': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'exchange_setup_p1: no "Default" tag in [Phase 1] section': {
        cause: 'Somebody whose address [Phase 1] does not know begins a negotiation, and there is no default peer.',
        cure: 'If that is a peer of yours: add its address to [Phase 1], or a Default with the name of a peer section.',
      },
      'exchange_setup_p1: expected exchange type {ours} got {theirs}': {
        cause: 'The peer begins with main mode (ID_PROT) where aggressive mode is configured for it, or the reverse.',
        cure: 'Set [configuration]:EXCHANGE_TYPE to what the peer uses, or change the peer.',
      },
    },
  },
  'natt-marker': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'udp_encap_handle_message: Null-ESP marker not NULL or short message': {
        cause: 'A datagram on the NAT traversal port that is no IKE: ESP in UDP that no kernel took, or noise.',
        cure: 'If it comes from a peer with an SA: look whether that SA is still in the kernel.',
      },
    },
  },
} as const satisfies EventTable;
