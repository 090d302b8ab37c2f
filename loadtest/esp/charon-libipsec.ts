/** strongSwan's charon with its own userland ESP (kernel-libipsec), as one end of a tunnel in a network namespace. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DaemonFault, until } from '../daemon.ts';

const CHARON = '/usr/lib/ipsec/charon';

export interface CharonEnd {
  /** Words of a command that starts it in its namespace. */
  readonly inside: readonly string[];
  /** An empty folder of its own. */
  readonly folder: string;
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

export class CharonLibipsec {
  readonly #end: CharonEnd;
  readonly #child: ChildProcess;

  constructor(end: CharonEnd) {
    this.#end = end;
    for (const name of ['run', 'swanctl']) mkdirSync(join(end.folder, name), { recursive: true });
    writeFileSync(join(end.folder, 'strongswan.conf'), this.#strongswanConf());
    writeFileSync(join(end.folder, 'swanctl', 'swanctl.conf'), swanctlConf(end));
    // The path of its pid file is built in: a bind mount over /run keeps it away from others.
    const script = 'mount --bind "$1" /run && exec "$2"';
    const words = [...end.inside, 'sh', '-c', script, 'charon', join(end.folder, 'run'), CHARON];
    this.#child = spawn(words[0] ?? 'sh', words.slice(1), { env: this.#env, stdio: 'ignore' });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new DaemonFault('charon did not start');
    return this.#child.pid;
  }

  async ready(): Promise<void> {
    await until('charon to answer', () => this.#swanctl('--stats') || undefined);
    if (!this.#swanctl('--load-all')) throw new DaemonFault('charon does not take its configuration');
  }

  /** Begins the tunnel and waits for it. Throws DaemonFault. */
  initiate(): void {
    if (!this.#swanctl('--initiate', '--child', 'net', '--timeout', '10')) {
      throw new DaemonFault('charon does not get its tunnel');
    }
  }

  log(): string {
    return readFileSync(join(this.#end.folder, 'charon.log'), 'utf8');
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #swanctl(word: string, ...more: readonly string[]): boolean {
    try {
      const words = [word, '--uri', `unix://${join(this.#end.folder, 'vici')}`, ...more];
      execFileSync('swanctl', words, { env: this.#env, stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  }

  get #env(): NodeJS.ProcessEnv {
    const { folder } = this.#end;
    return { ...process.env, STRONGSWAN_CONF: join(folder, 'strongswan.conf'), SWANCTL_DIR: join(folder, 'swanctl') };
  }

  #strongswanConf(): string {
    const { folder } = this.#end;
    return `charon {
  load = random nonce openssl hmac kdf gmp aes aesni sha1 sha2 constraints kernel-libipsec kernel-netlink socket-default vici updown
  retransmit_timeout = 1.0
  retransmit_tries = 3
  keep_alive = 1s
  plugins { vici { socket = unix://${join(folder, 'vici')} } }
  filelog { log {
    path = ${join(folder, 'charon.log')}
    flush_line = yes
    default = 1
  } }
}
swanctl { load = random openssl }
`;
  }
}

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
