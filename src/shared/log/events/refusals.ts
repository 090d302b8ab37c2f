/**
 * Events that say in words why a negotiation came to nothing. All in one form: what happened, whom it is about (who.ts), why, and what can be
 * done about it. The general lines stand for those reasons that have none of their own.
 */
import type { EventTable } from './row.ts';

export const REFUSAL_EVENTS = {
  'policy-refusal': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'quick mode refused by the policy: {who}: {decision}': {
        cause:
          'The policy (isakmpd.policy, and the credentials of the peer) does not give "true" for what the peer wants. The line names the assertion that decided and what its conditions compared.',
        cure: 'Change the condition if the peer is to have it. An assertion that licenses who asks, and nothing that refuses: add one. `keynote verify` tries a policy without the daemon.',
      },
    },
  },
  refusal: {
    severity: 'notice',
    byPeer: true,
    lines: {
      '{phase} refused: {who}: it offers {theirs}; nearest of ours is {name}, which wants {differences}; {cure}': {
        cause:
          'We refuse everything that the peer offers. The line has the pair that differs least: what the peer offers, which of our transforms or suites comes nearest, and each attribute in which they differ.',
        cure: 'Add the named transform or suite to the named tag if it is strong enough for you; else let the peer offer what the line says.',
      },
      '{phase} refused: {who}: it offers nothing that {list} could be compared with': {
        cause:
          'The peer offers another protocol than our list has (AH for ESP), or the list has nothing that can be used.',
        cure: 'Look at the list with `isakmpd --check`, and at the proposals of the peer.',
      },
      "phase 1 refused: {who}: it calls itself {identity}, [{peer}]:Remote-ID wants {ours}; let the section that Remote-ID names have {settings} to accept it, or correct the peer's own ID":
        {
          cause: 'The peer has the right secret, but another identity than is configured.',
          cure: 'Correct one of the two. Do not remove Remote-ID where several peers have the same secret.',
        },
      'phase 1 refused: {who}: no pre-shared key for it; add [{peer}]:Authentication': {
        cause: 'The peer section has no pre-shared key.',
        cure: 'Add it. Main mode finds it by the peer’s address, since it comes before the identity.',
      },
      'phase 1 refused: {who}: no pre-shared key for it, neither in its section nor for its ID; add [{peer}]:Authentication or [{identity}]:Authentication':
        {
          cause:
            'Aggressive mode: neither the peer section nor a section named after the identity has a pre-shared key.',
          cure: 'Add one of the two; one per identity where many peers share a section.',
        },
      "phase 1 refused: {who}: its authentication failed ({fault}), probably a wrong pre-shared key; compare [{peer}]:Authentication with the peer's":
        {
          cause:
            'What the peer sent to prove itself does not fit our secret, or cannot be decrypted with keys made from it.',
          cure: 'Compare both secrets: length, trailing blanks, quotation marks, hex (0x...) for text.',
        },
      'phase 1 refused: {who}: no public key of {identity} for {method} ({certificates}); let it send a certificate of that name from one of our CAs, or put its key into Pubkey-directory, in {place}':
        {
          cause:
            'The peer proves itself by a signature, and nothing says which key its identity has: neither a certificate, the peer’s or ours, nor a raw key.',
          cure: 'For certificates: the name in the parentheses has to be the ID that the peer sends. For raw keys: put its public key (PEM) where the line says and send HUP.',
        },
      "phase 1 refused: {who}: its signature is not made with the key of {identity}; compare the public key or certificate that we have with the peer's private key":
        {
          cause:
            'The peer signs with another private key than the one that belongs to its certificate or to the raw key we have, or somebody else plays the peer.',
          cure: 'Compare the two (`openssl pkey -pubout`). Peers that sign a DigestInfo in place of the bare hash do not follow RFC 2409.',
        },
      'phase 1 refused: {who}: its KeyNote credentials are not taken: {reason}': {
        cause:
          'The peer sends KeyNote credentials, and neither a certificate nor a raw key proves who it is. They count where a policy is asked, where each of them is signed, where the last one licenses the key that the peer signs with, and where conditions of theirs or of the policy say by remote_id whose key that is.',
        cure: 'As the line says: correct the policy, or have the peer send other credentials. A peer whose key lies in Pubkey-directory needs no condition about remote_id.',
      },
      'phase 1 refused: {who}: its certificate is not taken: {reason}': {
        cause:
          'The peer has the private key of its certificate, but the certificate does not lead to one of our CAs, has expired, is revoked, or breaks a rule of RFC 5280.',
        cure: 'As the line says. CAs are in CA-directory, revocation lists in CRL-directory.',
      },
      'phase 1 refused: {who}: [Phase 1] has neither its address nor a Default; add {address}=<peer section> to [Phase 1] to accept it':
        {
          cause: 'Somebody begins a negotiation whose address is not configured.',
          cure: 'If it is a peer of yours: add the tag. Otherwise: somebody tries, nothing to do.',
        },
      'phase 1 refused: {who}: its section cannot be used as it is written; see isakmpd --check': {
        cause: 'The address is configured, but its peer section has an error; it was logged when the section was read.',
        cure: 'Correct the section.',
      },
      'phase 1 refused: {who}: it begins with {theirs}, we want {ours}; set [{configuration}]:EXCHANGE_TYPE={exchange} to accept it{warning}, or let it use {sameAsOurs}':
        {
          cause: 'One side is set to main mode (ID_PROT), the other to aggressive mode.',
          cure: 'Use main mode on both sides if the peer can.',
        },
      'quick mode refused: {who}: it asks for its {remote} to our {local}; [{peer}]:Remote-ID means {identity} by now: it gets no connection before it authenticates as that':
        {
          cause: 'The section was given to somebody else after this peer had authenticated with it.',
          cure: 'None needed if that was meant; the peer gets nothing more under this ISAKMP SA.',
        },
      'quick mode refused: {who}: it asks for its {remote} to our {local}; no connection has ISAKMP-peer={peer}: add a section that has, with Local-ID and Remote-ID of these, to [Phase 2]:Passive-connections to accept it':
        {
          cause:
            'The peer is configured, but no connection in [Phase 2]:Connections or Passive-connections belongs to it.',
          cure: 'Add one, or correct the ISAKMP-peer of the one that is meant.',
        },
      'quick mode refused: {who}: it asks for its {remote} to our {local}; no connection has ISAKMP-peer={peer}: add a section that has, with Local-ID and Remote-ID of these, to [Phase 2]:Passive-connections to accept it; no policy is asked (-K, Use-Keynote) that could permit it without a section':
        {
          cause:
            'The same, and without a policy nothing else can say that the peer may have it: a road warrior with -K needs a section.',
          cure: 'Add one with Local-ID and, where the address of the peer is not known, without Remote-ID. Or write a policy (isakmpd.policy(5)) and leave -K out.',
        },
      "quick mode refused: {who}: it asks for its {remote} to our {local}; nearest of ours is {name}, its {ourRemote} to our {ourLocal}; let the section of {changes} to accept it, or correct the peer's":
        {
          cause: 'The networks or hosts on the two sides differ: in address, mask, protocol or port.',
          cure: 'Make the two sides mirror each other; a peer must not be given a network that belongs to another.',
        },
      'quick mode refused: {who}: it asks for its {remote} to our {local}; nearest of ours is {name}, its {ourRemote} to our {ourLocal}, but it has Flags=Active-only: remove that to accept it':
        {
          cause: 'The connection may only be begun from here.',
          cure: 'Remove the flag, or let the peer wait for us.',
        },
      'message refused: {who}: it speaks IKE version {version}, this daemon IKEv1 only; set it to IKEv1': {
        cause: 'The peer begins with IKEv2.',
        cure: 'Set the peer to IKEv1 for this connection; many try IKEv2 first and fall back by themselves.',
      },
      'message refused: {who}: exchange type {type} is not there; switch off what needs it on the peer (TRANSACTION: mode config, XAUTH)':
        {
          cause: 'The peer begins an exchange that this daemon does not do.',
          cure: 'Switch mode config or XAUTH off for this connection on the peer.',
        },
      'message refused: {who}: it uses an ISAKMP SA that is not here (any more); it begins anew when it notices, or when its SA is deleted':
        {
          cause: 'We were restarted, or our SA has expired or was deleted and the peer has not heard of it.',
          cure: 'None needed; to hasten it, delete the SA on the peer or run `c` for one of its connections.',
        },
      'message refused: {who}: nothing is under way that it could belong to: it comes too late, or of another exchange type than was agreed':
        {
          cause: 'The exchange has ended or failed here, or the peer changes between main and aggressive mode.',
          cure: 'None needed for single lines.',
        },
      'message refused: {who}: it sends in the clear what has to be encrypted: a fault of the peer, or a forgery': {
        cause: 'Keys are there, but the message is not encrypted.',
        cure: 'If it goes on, capture the messages (`p on`) and ask whoever makes the peer.',
      },
      'message refused: {who}: {fault}; its key exchange value is unsound: a fault of the peer, or an attack': {
        cause: 'The Diffie-Hellman value is out of range, not on the curve, or of the wrong length for the group.',
        cure: 'Use another group; if it goes on, ask whoever makes the peer.',
      },
      'message refused: {who}: {fault}; let the peer use IDs that are addresses or networks': {
        cause: 'An identity of a kind that has no meaning there.',
        cure: 'Correct the identities on the peer.',
      },
      'message refused: {who}: {fault}; a forgery, or the two sides have different keys: delete the ISAKMP SA if it goes on':
        {
          cause: 'The hash over a message of phase 2 is wrong.',
          cure: '`t main peer` and `c connection` begin anew.',
        },
      'message refused: {who}: {fault}; the peer may want another exchange or authentication method (certificates, XAUTH), or has a fault':
        {
          cause: 'A message that is broken, or lacks a payload that it must have.',
          cure: 'Look at what the peer is set to: pre-shared key, main or aggressive mode, no XAUTH.',
        },
      'message refused: {who}: {fault}; the peer wants another authentication method, or something that is not there (XAUTH), or has a fault':
        {
          cause: 'A message with a payload that does not belong there.',
          cure: 'Look at what the peer is set to: pre-shared key, no certificates, no XAUTH.',
        },
      'message refused: {who}: {fault}': {
        cause: 'Any other fault of a message; the words are those of isakmpd’s line before it.',
        cure: 'Ask whoever makes the peer, with a capture (`p on`).',
      },
    },
  },
  'refused-by-peer': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'phase 1 refused by {who}: it answers {type}, unauthenticated: {meaning}': {
        cause:
          'The peer refuses our phase 1. Nobody has proved that it was the peer, so the negotiation goes on to its end.',
        cure: 'As the meaning says: it is what this answer usually stands for. The log of the peer knows better.',
      },
      'quick mode refused by {who}: it answers {type}, unauthenticated: {meaning}': {
        cause: 'The peer refuses our quick mode in the clear, most often because it has lost the ISAKMP SA.',
        cure: 'None needed: when the quick mode gives up, a new phase 1 begins.',
      },
      "phase 1 refused by {who}: it answers something that we cannot decrypt, probably a wrong pre-shared key; compare [{peer}]:Authentication with the peer's":
        {
          cause: 'The peer answers our proof of the secret with a message under other keys.',
          cure: 'Compare both secrets.',
        },
      'phase 1 refused by {who}: it answers something that we cannot decrypt yet, probably it does not know our public key or certificate, or expects another ID than ours; look into its log':
        {
          cause: 'The peer answers our signature with an encrypted message in place of its own proof.',
          cure: 'Look into the log of the peer. It needs our raw key or the CA of our certificate; in aggressive mode that it begins also the certificates of CAs in between, which our answer has no room for.',
        },
    },
  },
  'peer-error': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'error reported by {who}: {type}; look into its log': {
        cause: 'The authenticated peer sent an error notify that belongs to no quick mode of ours that is under way.',
        cure: 'Look into the log of the peer.',
      },
    },
  },
  'no-answer': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'transport_send_messages: giving up on exchange {name}, no response from peer {address}:{port}': {
        cause: 'Our last message of this negotiation was sent Retransmits times without an answer.',
        cure: 'Go by the line that follows: it says what the silence probably means.',
      },
    },
  },
  'phase1-failed': {
    severity: 'notice',
    byPeer: false,
    lines: {
      'phase 1 failed: {who}: no response from peer {address}; nothing has come from it at all: check [{peer}]:Address, the route, firewalls both ways, and that it speaks IKEv1':
        {
          cause:
            'The peer is down, not reachable, does not do IKEv1, or drops us without a word since it does not know our address.',
          cure: 'Ping it; look with tcpdump whether our messages leave and whether any come back (UDP 500, 4500).',
        },
      'phase 1 failed: {who}: no response from peer {address}; nothing has come from it at all: check [{peer}]:Address, the route, firewalls both ways, and that it takes aggressive mode from our ID':
        {
          cause:
            'As above; in aggressive mode a peer also drops without a word whoever has an identity that it does not know.',
          cure: 'As above; compare [peer]:ID with what the peer expects.',
        },
      'phase 1 failed: {who}: no response from peer {address} to our message 3 (key exchange), after it answered message 1; look for a path that loses large packets, and into its log':
        {
          cause:
            'Message 3 or 4 is lost, time after time: they are larger than the first two. Or the peer takes longer than our patience for the key exchange.',
          cure: 'Look for a path MTU that is too small and for firewalls that drop fragments; a smaller group (19) makes smaller messages.',
        },
      "phase 1 failed: {who}: no response from peer {address} to our message 5 (authentication), probably a wrong pre-shared key, or it expects another ID than ours; compare [{peer}]:Authentication and [{name}]:ID with the peer's":
        {
          cause:
            'The peer cannot decrypt or does not believe our proof of the secret, and says nothing. On the peer the log has `reserved field non-zero` or the like.',
          cure: 'Compare the secrets, then the identities.',
        },
      'phase 1 failed: {who}: [{peer}]:Address is missing, or stands for no address now: all we can do is wait for the peer to begin':
        {
          cause:
            'A connection is to be started, but its peer has no address, or the name of a host that cannot be resolved (a line before says why).',
          cure: 'Add Address, see to the name service, or move the connection to [Phase 2]:Passive-connections.',
        },
      'phase 1 failed: {who}: no local address can reach it: check [{peer}]:Local-address, [General]:Listen-on and the routes':
        {
          cause: 'There is no socket of the peer’s address family, or Local-address is none that is listened on.',
          cure: 'Correct the tags.',
        },
      'phase 1 failed: {who}: there is no peer section [{peer}] that can be used; see isakmpd --check': {
        cause: 'ISAKMP-peer names a section that is not there or has an error.',
        cure: 'Correct the section.',
      },
      'phase 1 failed: {who}: {reason}': {
        cause:
          'Any other reason; `(it had answered ..., unauthenticated)` and `(its last message was refused: ...)` tell what came before the end.',
        cure: 'As the reason says. The end of the line says which connections wait and when it is tried again.',
      },
    },
  },
  'phase1-abandoned': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'phase 1 abandoned: {who}: it stopped after our message 2 (choice of transform); our answers may not reach it: look at firewalls and NAT on the way':
        {
          cause:
            'The peer began main mode and did not go on after our first answer: it never arrived, or it did not like it. Scanners do the same.',
          cure: 'Look with tcpdump on both sides; look into the log of the peer.',
        },
      'phase 1 abandoned: {who}: it stopped after our message 4 (key exchange); its message 5 may be lost on the way (large packets): look into its log':
        {
          cause: 'Main mode stopped before the peer authenticated itself.',
          cure: 'Look into the log of the peer; if it has sent message 5, look for lost fragments.',
        },
      'phase 1 abandoned: {who}: it stopped after our message {number} ({step}) (its last message was refused: {fault})':
        {
          cause: 'What the peer sent next was refused; the lines before say how, this one in short.',
          cure: 'As the fault says: compare both secrets, or identities.',
        },
      "phase 1 abandoned: {who}: it stopped after our message 2 (authentication), probably a wrong pre-shared key; compare [{peer}]:Authentication with the peer's, and our ID":
        {
          cause: 'Aggressive mode: the peer has not accepted our proof of the secret.',
          cure: 'Compare both secrets, then [peer]:ID with what the peer expects. Scanners that collect hashes do the same: prefer main mode.',
        },
      'phase 1 abandoned: {who}: {reason}': {
        cause: 'Any other end of a phase 1 that the peer began, such as room made for newer ones in a flood.',
        cure: 'As the reason says.',
      },
    },
  },
  'phase2-failed': {
    severity: 'notice',
    byPeer: false,
    lines: {
      "quick mode failed: {who}: no response from peer {address} to our quick mode; it may have lost the ISAKMP SA, or refuse without a word: compare Suites, Local-ID and Remote-ID of {connection} with the peer's":
        {
          cause: 'The peer has no such ISAKMP SA any more, or drops what it does not accept.',
          cure: 'The next attempt begins with a new phase 1. If it fails as well, compare both sides’ configurations.',
        },
      "quick mode failed: {who}: the peer answered {type}: we offer {suites}; compare {list}, PFS included, with the peer's proposals":
        {
          cause:
            'The authenticated peer refuses all our suites: cipher, hash, PFS group, tunnel or transport, lifetime.',
          cure: 'Compare the lists; a difference in PFS alone is enough.',
        },
      "quick mode failed: {who}: the peer answered {type}: it has no connection between {ids}; compare [{connection}]:Local-ID and Remote-ID with the peer's":
        {
          cause:
            'The peer has no connection with these two ends: Cisco calls them proxy identities, others encryption domain or traffic selectors.',
          cure: 'Make the two sides mirror each other, masks included.',
        },
      'quick mode failed: {who}: the kernel refused the SAs ({fault}): look whether it has the algorithms and who else manages its SAs':
        {
          cause: 'The negotiation went well, but the kernel does not take the result.',
          cure: 'Load the modules for the algorithms; end other daemons that manage SAs.',
        },
      'quick mode failed: {who}: the kernel has not answered within Exchange-max-time: look into its log, and start the daemon anew if it goes on':
        {
          cause: 'The kernel did not say whether it has taken the SAs.',
          cure: 'Look into the kernel’s log.',
        },
      'quick mode failed: {who}: the peer chose a proposal that was not offered': {
        cause: 'The peer answered with something else than our offer.',
        cure: 'A fault of the peer: offer it a single suite.',
      },
      'quick mode failed: {who}: the peer answered with other IDs, our {ours} and its {theirs}, than those of [{connection}]:Local-ID and Remote-ID, {local} and {remote}':
        {
          cause: 'The peer narrows or changes the selectors, which IKEv1 does not know.',
          cure: 'Make the two sides mirror each other.',
        },
      "quick mode failed: {who}: RESPONDER-LIFETIME: got {seconds} seconds, expected {least} at least; let the LIFE_DURATION of the connection's suites begin lower to accept it, or the peer keep its SAs for longer":
        {
          cause: 'The peer keeps its SAs for less time than our suites allow.',
          cure: 'Lower the second number of LIFE_DURATION, or raise the life on the peer.',
        },
      'quick mode failed: {who}: {reason}': {
        cause: 'Any other reason.',
        cure: 'As the reason says. The end of the line says when it is tried again.',
      },
    },
  },
  'phase2-abandoned': {
    severity: 'notice',
    byPeer: true,
    lines: {
      'quick mode abandoned: {who}: it stopped after our message 2; it may not accept our answer: look into its log': {
        cause: 'The peer began a quick mode and did not confirm our answer.',
        cure: 'Look into the log of the peer. What was installed here is taken back.',
      },
      'quick mode abandoned: {who}: the kernel refused the SAs ({fault}): look whether it has the algorithms and who else manages its SAs':
        {
          cause:
            'The negotiation that the peer began went well, but our kernel does not take the result. The peer gets NO_PROPOSAL_CHOSEN.',
          cure: 'Load the modules for the algorithms; end other daemons that manage SAs.',
        },
      'quick mode abandoned: {who}: it asks for its {remote} to our {local}; that is traffic of {holder}: narrow what the policy gives it, or correct the peer':
        {
          cause:
            'No connection section gives this peer these networks, so only the policy has said yes, or it is a section without Remote-ID; and somebody else has that traffic, or a part of it: a connection section of another peer, or another peer that was here first.',
          cure: 'Have the policy compare remote_filter (isakmpd.policy(5)) with what belongs to remote_id, or give the peer another address.',
        },
      'quick mode abandoned: {who}: it asks for its {remote} to our {local}; among those is what connection {name} has on our side: narrow what the policy gives it, or correct the peer':
        {
          cause: 'The peer calls a network its own that lies behind us by one of our connection sections.',
          cure: 'Have the policy compare remote_filter with what belongs to the peer.',
        },
      'quick mode abandoned: {who}: it asks for its {remote} to our {local}; our address {address} is among those: narrow what the policy gives it, or correct the peer':
        {
          cause: 'The peer calls a network its own that our own address lies in.',
          cure: 'Have the policy compare remote_filter with what belongs to the peer.',
        },
      'quick mode abandoned: {who}: it asks for its {remote} to our {local}; without a connection section a peer gets no {what}: add a section if it is to have {that}':
        {
          cause:
            'What only the policy permits is bounded: no remote network wider than /8 (IPv4) or /32 (IPv6), no ranges that make more than 16 networks.',
          cure: 'Add a connection section for the peer, or let it ask for less.',
        },
      'quick mode abandoned: {who}: it asks for its {remote} to our {local}; it has {count} tunnels without a connection section, the most that one peer gets: add sections if it is to have more':
        {
          cause: 'One peer gets 16 tunnels that only the policy permits.',
          cure: 'Add connection sections, or have the peer end some.',
        },
      'quick mode abandoned: {who}: it asks for its {remote} to our {local}; there are {count} tunnels without a connection section, the most that there can be: add sections for some':
        {
          cause: 'All peers together get 16,384 tunnels that only the policy permits.',
          cure: 'Add connection sections for the peers that are always there.',
        },
      'quick mode abandoned: {who}: {reason}': {
        cause: 'Any other end of a quick mode that the peer began.',
        cure: 'As the reason says.',
      },
    },
  },
} as const satisfies EventTable;
