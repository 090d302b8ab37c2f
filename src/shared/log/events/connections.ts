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
  acquire: {
    severity: 'debug',
    byPeer: false,
    lines: {
      'acquire: a packet by way of {address} wants connection {connection}': {
        cause: 'Traffic met a policy without an SA; one is negotiated.',
        cure: 'None needed.',
      },
      'acquire: a packet by way of {address} gets no SA: {reason}': {
        cause:
          'Traffic met a policy without an SA, and none is negotiated for the reason given. The packet is dropped.',
        cure: '`M active`, or `c connection` for one that was taken down.',
      },
    },
  },
  'acquire-made': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'acquire: connection {connection} is made for traffic {selectors} by way of {address}': {
        cause: 'A packet met an IPsec policy of somebody else, and no connection is configured for it.',
        cure: 'None needed. It is gone from the configuration when its last SA is.',
      },
    },
  },
  'acquire-refused': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'acquire: no connection is made for traffic by way of {address}: {reason}': {
        cause: 'A packet met an IPsec policy of somebody else, from which no connection can be made.',
        cure: 'Configure a connection for this traffic, or change that policy.',
      },
    },
  },
  moved: {
    severity: 'notice',
    byPeer: true,
    lines: {
      'connection {connection}: the peer has moved from {before} to {after}': {
        cause: 'An authenticated packet came from another address or port: the peer or its NAT has changed it.',
        cure: 'None needed.',
      },
    },
  },
  'too-many-policies': {
    severity: 'error',
    byPeer: false,
    lines: {
      'connection {connection}: its selectors make {count} policies, more than {most}: the kernel gets none': {
        cause:
          'Kernels know networks, no ranges; two ranges with odd ends make as many policies as their networks multiplied.',
        cure: 'Take networks in place of ranges in Local-ID and Remote-ID.',
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
  'peer-distrusted': {
    severity: 'error',
    byPeer: false,
    lines: {
      '{who} is no longer trusted: {reason}; {isakmpSas} ISAKMP and {ipsecSas} IPsec SAs are deleted': {
        cause:
          'Certificates, CRLs or raw keys were read anew, and by these what the peer has proved its identity with is refused: its certificate was revoked, the CA is gone, or Pubkey-directory has another key for it, or none.',
        cure: 'None needed if that was meant. Else give the peer a certificate that is accepted, or put the CA or the key back.',
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
