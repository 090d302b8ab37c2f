/** Events of main and aggressive mode. */
import type { EventTable } from './row.ts';

export const PHASE1_EVENTS = {
  'phase1-established': {
    severity: 'verbose',
    byPeer: false,
    lines: {
      'isakmpd: phase 1 done: initiator id {initiatorId}, responder id {responderId}, src: {local} dst: {remote}': {
        cause: 'We began a phase 1 and it is complete.',
        cure: 'None needed.',
      },
      'isakmpd: phase 1 done (as responder): initiator id {initiatorId}, responder id {responderId}, src: {local} dst: {remote}':
        {
          cause: 'The peer began a phase 1 and it is complete.',
          cure: 'None needed.',
        },
    },
  },
  'phase1-no-proposal': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'attribute_unacceptable: {attribute}: got {theirs}, expected {ours}': {
        cause:
          'A transform that the peer offers and one of ours differ in this attribute; one line for each pair that was compared, eight at most.',
        cure: 'Go by the explanation that follows: it names the nearest pair and what to add to the configuration.',
      },
      'message_negotiate_sa: no compatible proposal found': {
        cause: 'Nothing that the peer offers is among what is accepted here.',
        cure: 'Go by the explanation that follows.',
      },
    },
  },
  'phase1-wrong-identity': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'ike_phase_1_recv_ID: received remote ID other than expected {identity}': {
        cause: 'The peer has the right secret, but calls itself something else than its section says.',
        cure: 'Correct the section that [peer]:Remote-ID names, or the ID that the peer sends; the explanation has both.',
      },
    },
  },
  'phase1-dubious-identity': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'ipsec_validate_id_information: dubious ID information accepted': {
        cause:
          'The identity of the peer comes with a protocol or port of its own, which has no meaning in phase 1. It is accepted.',
        cure: 'None needed.',
      },
    },
  },
  'phase1-weak-certificate': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'phase 1: {who}: {weakness}': {
        cause:
          'The certificate of the peer, or one on the way to our CA, was taken only because the configuration allows it: signed over SHA-1, or with a CRL that is out of date. Or a KeyNote credential is signed over SHA-1, or with a short key.',
        cure: 'Have the certificate, the CRL or the credential issued anew.',
      },
    },
  },
  'phase1-no-public-key': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'rsa_sig_decode_hash: no public key found': {
        cause: 'The peer signs, and no public key of its identity is known.',
        cure: 'Go by the explanation that follows: it says where the key belongs.',
      },
    },
  },
  'phase1-no-key': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'ike_auth_get_key: no key found for peer "{peer}" or local ID "{identity}"': {
        cause: 'There is no pre-shared key for this peer.',
        cure: 'Add [peer]:Authentication, or a section named after the identity with which the peer comes.',
      },
    },
  },
  'phase1-decoy': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'phase 1: {who} is answered as if only its secret were wrong, so that it does not learn which identities there are':
        {
          cause: 'Aggressive mode with pre-shared keys, and the line before says why this peer is refused.',
          cure: 'That of the line before. Whatever follows about a wrong secret of this peer has the same cause.',
        },
    },
  },
  'phase1-shortened': {
    severity: 'notice',
    byPeer: true,
    lines: {
      "phase 1: {who}: certificates of issuers, or credentials, are left out of our answer: it has to be no more than three times as long as the peer's message":
        {
          cause:
            'Aggressive mode: nobody has proved yet that the message comes from where it says, so a long answer could be meant for somebody else.',
          cure: 'None if the tunnel comes up. Else use main mode (EXCHANGE_TYPE=ID_PROT), or give each side the certificate or public key of the other as a file.',
        },
    },
  },
  'nat-found': {
    severity: 'verbose',
    byPeer: false,
    lines: {
      'NAT traversal: {who}: {ends} behind a NAT, ESP goes in UDP': {
        cause:
          'Phase 1 found that addresses are changed on the way, or one of the two ends pretends so (Flags=force-encap).',
        cure: 'None needed. The NAT has to let UDP pass, ports 500 and 4500.',
      },
    },
  },
  'peer-moved': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'NAT mapping changed: peer {peer} is at {after} now, was at {before}': {
        cause:
          'The NAT before this peer has forgotten it and given it another address or port; an authenticated message came from there. SAs follow.',
        cure: 'None needed. If it happens all the time, let the peer send NAT keepalives more often than the NAT forgets.',
      },
    },
  },
  'phase1-expired': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'ISAKMP SA of {who} has expired': {
        cause:
          'The ISAKMP SA has reached the end of its life and nothing has renewed it: no connection needs it, or renewing it failed.',
        cure: 'None needed if no connection is wanted. Otherwise look for the failure of its renewal before this line.',
      },
    },
  },
} as const satisfies EventTable;
