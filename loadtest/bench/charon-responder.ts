/**
 * strongSwan's charon as the responder of a benchmark. On a kernel without ESP the shim of the interoperability tests lets it finish quick modes; what it
 * says to the kernel for that is in its figures, which ours with -n do not have: well below a tenth of a millisecond per handshake.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CHARON, Charon, type CharonOptions, type Credentials } from '../charon.ts';
import type { Certificates } from './certificates.ts';
import { RESPONDER } from './gateways.ts';

const SHIM = join(process.cwd(), 'test', 'interop', 'shim.c');

/** Who does Diffie-Hellman for it: OpenSSL, or GMP with short exponents, which is its best for MODP groups. */
export type DiffieHellman = 'openssl' | 'gmp';

export interface ResponderOptions extends Pick<CharonOptions, 'folder' | 'inside'> {
  readonly diffieHellman: DiffieHellman;
  /** Of phase 1, in its words. */
  readonly proposal: string;
  /** Undefined: a pre-shared key authenticates. */
  readonly certificates: Certificates | undefined;
}

/** Why it cannot be had here; false: it can. */
export const charonFault = (): string | false => {
  return existsSync(CHARON) ? false : 'needs charon: sh test/interop/setup.sh installs it';
};

export const charonResponder = (options: ResponderOptions): Charon => {
  const { diffieHellman, proposal, certificates, inside } = options;
  const folder = join(options.folder, diffieHellman);
  mkdirSync(folder, { recursive: true });
  const shim = join(folder, 'shim.so');
  execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', shim, SHIM, '-ldl']);
  return new Charon({
    folder,
    inside,
    settings: settingsOf(diffieHellman),
    sections: SECTIONS,
    isLogged: false,
    connections: swanctlConf(proposal, certificates !== undefined),
    credentials: certificates === undefined ? {} : credentialsOf(certificates),
    preload: shim,
  });
};

const credentialsOf = ({ authority, responder: { key, certificates } }: Certificates): Credentials => {
  const [own = authority] = certificates;
  return { 'x509ca/ca.crt': authority, 'x509/own.crt': own, 'private/own.key': key.privatePem };
};

/** Tables wide enough, nobody held up for having many half-open ones: all that makes it fast. */
const settingsOf = (diffieHellman: DiffieHellman): string => `
load = random nonce ${diffieHellman === 'gmp' ? 'gmp openssl' : 'openssl gmp'} hmac kdf pem pkcs1 pkcs8 pubkey x509 constraints kernel-netlink socket-default vici
dos_protection = no
install_routes = no
ikesa_table_size = 4096
ikesa_table_segments = 16`;

const SECTIONS = `libstrongswan { dh_exponent_ansi_x9_42 = no }
swanctl { load = random openssl pem pkcs1 pkcs8 pubkey x509 }`;

const swanctlConf = (proposal: string, hasCertificates: boolean): string => `connections { gateways {
  version = 1
  local_addrs = ${RESPONDER}
  remote_addrs = %any
  proposals = ${proposal}
  local {
    ${hasCertificates ? 'auth = pubkey\n    certs = own.crt' : 'auth = psk'}
    id = ${RESPONDER}
  }
  remote {
    auth = ${hasCertificates ? 'pubkey' : 'psk'}
    id = %any
  }
  children { net {
    local_ts = 10.64.0.0/10
    remote_ts = 10.16.0.0/12
    esp_proposals = aes128-sha256
  } }
} }
secrets { ike-1 { secret = "benchmark" } }
`;
