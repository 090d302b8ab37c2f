/** Events of connections: what is to be up, what is renewed, what peers take down. */
import type { EventTable } from './row.ts';

export const CONNECTION_EVENTS = {
  'cannot-start': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'connection {connection} cannot be started: its section is not there or incomplete; set [{section}]:Phase=2 and [{name}]:ISAKMP-peer':
        {
          cause: 'A connection is wanted (Connections, or `c`) that has no section, or one that names no peer.',
          cure: 'Add the two tags, or correct the name; `isakmpd --check` finds the same.',
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
