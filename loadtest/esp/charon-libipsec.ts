/** strongSwan's charon with its own userland ESP (kernel-libipsec), as one end of a tunnel in a network namespace. */
import { Charon, type CharonOptions } from '../charon.ts';

export interface CharonEnd extends Pick<CharonOptions, 'folder' | 'inside'> {
  readonly localId: string;
  readonly remoteId: string;
  /** Undefined: whoever comes. */
  readonly remoteAddress: string | undefined;
  readonly secret: string;
  /** In swanctl's words: traffic selectors and algorithms of both phases. */
  readonly localNet: string;
  readonly remoteNet: string;
  readonly proposal: string;
  readonly espProposal: string;
}

/** Its child is called `net`. */
export const charonLibipsec = (end: CharonEnd): Charon =>
  new Charon({
    folder: end.folder,
    inside: end.inside,
    settings: SETTINGS,
    sections: 'swanctl { load = random openssl }',
    isLogged: true,
    connections: swanctlConf(end),
  });

const SETTINGS = `
load = random nonce openssl hmac kdf gmp aes aesni sha1 sha2 constraints kernel-libipsec kernel-netlink socket-default vici updown
retransmit_timeout = 1.0
retransmit_tries = 3
keep_alive = 1s`;

const swanctlConf = (end: CharonEnd): string => `connections { peer {
  version = 1
  remote_addrs = ${end.remoteAddress ?? '%any'}
  proposals = ${end.proposal}
  local {
    auth = psk
    id = ${end.localId}
  }
  remote {
    auth = psk
    id = ${end.remoteId}
  }
  children { net {
    local_ts = ${end.localNet}
    remote_ts = ${end.remoteNet}
    esp_proposals = ${end.espProposal}
  } }
} }
secrets { ike-1 { secret = "${end.secret}" } }
`;
