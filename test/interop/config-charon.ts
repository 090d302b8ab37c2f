/** strongswan.conf(5) and swanctl.conf(5) for a set-up. */
import { CIPHERS, GROUPS, HASHES } from './algorithms.ts';
import type { Net, Prefix, Setup } from './setup.ts';

interface CharonPaths {
  readonly socket: string;
  readonly log: string;
}

/** In fragments at once: not in aggressive mode, where even the first message would be in fragments, before either side knows the other. */
const fragmentation = ({ fragmentSize, aggressive }: Setup): string =>
  fragmentSize === undefined || aggressive ? 'yes' : 'force';

/** `ike = 4` prints the phase 1 keys, which the capture is decrypted with. Aggressive mode with a secret needs the long word. */
export const strongswanConf = (paths: CharonPaths, { fragmentSize }: Setup): string => `charon {
  load = ${PLUGINS}
${fragmentSize === undefined ? '' : `  fragment_size = ${fragmentSize}\n`}  retransmit_timeout = 1.0
  retransmit_tries = 3
  install_routes = no
  install_virtual_ip = no
  i_dont_care_about_security_and_use_aggressive_mode_psk = yes
  plugins {
    vici { socket = unix://${paths.socket} }
  }
  filelog { log {
    path = ${paths.log}
    flush_line = yes
    default = 1
    ike = 4
    cfg = 2
  } }
}
swanctl { load = random openssl pem pkcs1 pkcs8 pubkey x509 }
`;

export const swanctlConf = (setup: Setup): string => `connections { peer {
  version = 1
  encap = ${setup.forcesEncapsulation ? 'yes' : 'no'}
  fragmentation = ${fragmentation(setup)}
  aggressive = ${setup.aggressive ? 'yes' : 'no'}
  local_addrs = ${setup.local}
  remote_addrs = ${setup.remote}
  send_certreq = ${setup.proof.kind === 'certificate' && !setup.proof.asks ? 'no' : 'yes'}
  proposals = ${CIPHERS[setup.phase1.cipher].charon}-${HASHES[setup.phase1.hash].charon}-${GROUPS[setup.phase1.group].charon}
  local {
    ${proof(setup, 'own')}
    id = ${setup.localId}
  }
  remote {
    ${proof(setup, 'other')}
    id = ${setup.remoteId}
  }
  children {
${[...setup.nets, ...setup.claims].map((net) => child(setup, net)).join('\n')}
  }
} }
secrets { ike-1 { secret = "${setup.secret}" } }
`;

/** Files are named in swanctl's own folders. charon sends its certificate when it is asked for it. */
const proof = ({ proof: { kind } }: Setup, whose: 'own' | 'other'): string => {
  if (kind === 'secret') return 'auth = psk';
  if (kind === 'raw') return `auth = pubkey\n    pubkeys = ${whose}.pub`;
  return whose === 'own' ? 'auth = pubkey\n    certs = own.crt' : 'auth = pubkey';
};

const child = (setup: Setup, net: Net): string => `    ${net.name} {
      mode = ${setup.transport ? 'transport' : 'tunnel'}
      esp_proposals = ${esp(setup)}
${setup.transport ? '' : `      local_ts = ${cidr(net.local)}\n      remote_ts = ${cidr(net.remote)}\n`}    }`;

const esp = ({ phase2 }: Setup): string =>
  [
    ...(phase2.hash === undefined
      ? [`${CIPHERS[phase2.cipher].charon}gcm16`]
      : [CIPHERS[phase2.cipher].charon, HASHES[phase2.hash].charon]),
    ...(phase2.group === undefined ? [] : [GROUPS[phase2.group].charon]),
  ].join('-');

const cidr = (prefix: Prefix): string => `${prefix.address}/${prefix.length}`;

const PLUGINS =
  'random nonce openssl hmac kdf gmp pem pkcs1 pkcs8 pubkey x509 constraints kernel-netlink socket-default vici updown';
