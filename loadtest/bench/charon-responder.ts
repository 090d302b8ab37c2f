/**
 * strongSwan's charon as the responder of a benchmark. On a kernel without ESP the shim of the interoperability tests lets it finish quick modes; what it
 * says to the kernel for that is in its figures, which ours with -n do not have: well below a tenth of a millisecond per handshake.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DaemonFault, until } from '../daemon.ts';
import type { Certificates } from './certificates.ts';
import { RESPONDER } from './gateways.ts';

const CHARON = '/usr/lib/ipsec/charon';
const SHIM = join(process.cwd(), 'test', 'interop', 'shim.c');

/** Who does Diffie-Hellman for it: OpenSSL, or GMP with short exponents, which is its best for MODP groups. */
export type DiffieHellman = 'openssl' | 'gmp';

export interface CharonOptions {
  readonly folder: string;
  readonly diffieHellman: DiffieHellman;
  /** Of phase 1, in its words. */
  readonly proposal: string;
  /** Undefined: a pre-shared key authenticates. */
  readonly certificates: Certificates | undefined;
  /** Words of a command that starts it in its namespace. */
  readonly inside: readonly string[];
}

/** Why it cannot be had here; false: it can. */
export const charonFault = (): string | false => {
  return existsSync(CHARON) ? false : 'needs charon: sh test/interop/setup.sh installs it';
};

export class CharonResponder {
  readonly #child: ChildProcess;
  readonly #folder: string;

  constructor({ folder, diffieHellman, proposal, certificates, inside }: CharonOptions) {
    this.#folder = join(folder, diffieHellman);
    for (const name of ['run', 'swanctl']) mkdirSync(join(this.#folder, name), { recursive: true });
    writeFileSync(join(this.#folder, 'strongswan.conf'), this.#strongswanConf(diffieHellman));
    writeFileSync(join(this.#folder, 'swanctl', 'swanctl.conf'), swanctlConf(proposal, certificates !== undefined));
    if (certificates !== undefined) this.#writeCertificates(certificates);
    // The path of its pid file is built in: a bind mount over /run keeps it away from others.
    const script = 'mount --bind "$1" /run && LD_PRELOAD="$2" exec "$3"';
    const shim = join(this.#folder, 'shim.so');
    execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', shim, SHIM, '-ldl']);
    const started = ['sh', '-c', script, 'charon', join(this.#folder, 'run'), shim, CHARON];
    const [command = 'sh', ...words] = [...inside, ...started];
    this.#child = spawn(command, words, { env: this.#env, stdio: 'ignore' });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new DaemonFault('charon did not start');
    return this.#child.pid;
  }

  async ready(): Promise<void> {
    await until('charon to answer', () => this.#swanctl('--stats') || undefined);
    if (!this.#swanctl('--load-all')) throw new DaemonFault('charon does not take its configuration');
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #writeCertificates({ authority, responder: { key, certificates } }: Certificates): void {
    const [own = authority] = certificates;
    const files = { 'x509ca/ca.crt': authority, 'x509/own.crt': own, 'private/own.key': key.privatePem };
    for (const [name, content] of Object.entries(files)) {
      const file = join(this.#folder, 'swanctl', name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content, { mode: 0o600 });
    }
  }

  #swanctl(word: string): boolean {
    try {
      execFileSync('swanctl', [word, '--uri', `unix://${join(this.#folder, 'vici')}`], {
        env: this.#env,
        stdio: 'ignore',
      });
      return true;
    } catch {
      return false;
    }
  }

  get #env(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      STRONGSWAN_CONF: join(this.#folder, 'strongswan.conf'),
      SWANCTL_DIR: join(this.#folder, 'swanctl'),
    };
  }

  /** No log, tables wide enough, nobody held up for having many half-open ones: all that makes it fast. */
  #strongswanConf(diffieHellman: DiffieHellman): string {
    const crypto = diffieHellman === 'gmp' ? 'gmp openssl' : 'openssl gmp';
    return `charon {
  load = random nonce ${crypto} hmac kdf pem pkcs1 pkcs8 pubkey x509 constraints kernel-netlink socket-default vici
  dos_protection = no
  install_routes = no
  ikesa_table_size = 4096
  ikesa_table_segments = 16
  plugins {
    vici { socket = unix://${join(this.#folder, 'vici')} }
  }
}
libstrongswan { dh_exponent_ansi_x9_42 = no }
swanctl { load = random openssl pem pkcs1 pkcs8 pubkey x509 }
`;
  }
}

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
