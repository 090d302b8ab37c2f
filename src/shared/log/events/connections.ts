/** Events of connections and of the negotiations that they need, whichever phase failed. */
import type { EventTable } from './row.ts';

export const CONNECTION_EVENTS = {
  refusal: {
    severity: 'notice',
    byPeer: true,
    lines: {
      '{text}': {
        cause: 'The explanation of the refusal in the lines before it.',
        cure: 'It says what to change.',
      },
    },
  },
  'refused-by-peer': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'peer {address} (peer section {peer}) answers {answer}': {
        cause:
          'The peer refuses what we sent. The message is not authenticated, so it ends nothing; it is told in case the negotiation fails.',
        cure: 'As the line says; look into the log of the peer as well.',
      },
    },
  },
  'no-answer': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'transport_send_messages: giving up on exchange {name}, no response from peer {address}:{port}': {
        cause: 'Our last message of this negotiation was sent Retransmits times without an answer.',
        cure: 'Go by the line that follows.',
      },
    },
  },
  'phase1-failed': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'no ISAKMP SA with {who}: {reason}': {
        cause: 'A phase 1 that a connection needs has failed; the line says why and when it is tried again.',
        cure: 'As the reason says.',
      },
    },
  },
  'phase2-failed': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'no IPsec SA for {connection}: {reason}': {
        cause: 'A quick mode of this connection has failed; the line says why and when it is tried again.',
        cure: 'As the reason says.',
      },
      'no IPsec SA for {connection} with {who}: {reason}': {
        cause: 'A quick mode of this connection has failed; the line says why and when it is tried again.',
        cure: 'As the reason says.',
      },
    },
  },
  'cannot-start': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'connection {connection} cannot be started: {reason}': {
        cause: 'The configuration of the connection lacks something.',
        cure: 'As the reason says.',
      },
    },
  },
  'no-longer-configured': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'connection {connection} is gone from the configuration: its SAs will not be renewed': {
        cause: 'The configuration was changed while the connection had SAs. They live to their end.',
        cure: 'None needed; `t connection` ends them at once.',
      },
    },
  },
  'second-sa-refused': {
    severity: 'notice',
    byPeer: false,
    lines: {
      '{identity} is connected from {first} already (Unique=keep in section {peer}): its new ISAKMP SA from {second} is deleted':
        {
          cause: 'Two hosts use the same identity and secret, or one has changed its address and its old SA lives on.',
          cure: 'Give each host its own identity, or set [peer]:Unique=replace.',
        },
    },
  },
  'initial-contact': {
    severity: 'debug',
    byPeer: false,
    lines: {
      'INITIAL-CONTACT from {who}: removed {isakmpSas} ISAKMP and {ipsecSas} IPsec SAs': {
        cause: 'The peer says that it has no older SAs with us: it was restarted.',
        cure: 'None needed.',
      },
    },
  },
  'deleted-by-peer': {
    severity: 'verbose',
    byPeer: false,
    lines: {
      'isakmpd: Peer {address} made us delete live SA {name} for proto {protocol}, initiator id: {initiatorId}, responder id: {responderId}':
        {
          cause: 'The peer sent a DELETE for an SA that was not due to be renewed yet.',
          cure: 'None needed if somebody ended the connection there; else look into the log of the peer.',
        },
    },
  },
} as const satisfies EventTable;
