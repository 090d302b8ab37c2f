/** strongSwan's charon as a child process with a folder of its own, driven through swanctl. For benchmarks and tests; who starts it has the configurations. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DaemonFault, until } from './daemon.ts';

export const CHARON = '/usr/lib/ipsec/charon';

/** Keys and certificates, by their place below swanctl's folder. */
export type Credentials = Readonly<Record<string, string | Uint8Array>>;

export interface CharonOptions {
  /** An empty folder of its own. */
  readonly folder: string;
  /** Words of a command that starts it in its namespace. */
  readonly inside: readonly string[];
  /** Lines of the section `charon` of strongswan.conf, without where it listens for swanctl and where it logs. */
  readonly settings: string;
  /** Sections beside that one. */
  readonly sections: string;
  /** Without: there is no log, which is faster. */
  readonly isLogged: boolean;
  /** Text of swanctl.conf. */
  readonly connections: string;
  readonly credentials?: Credentials;
  /** A shared object that it has loaded before all others. */
  readonly preload?: string;
}

export class Charon {
  readonly #folder: string;
  readonly #child: ChildProcess;

  constructor(options: CharonOptions) {
    const { folder, inside, connections, credentials = {}, preload = '' } = options;
    this.#folder = folder;
    mkdirSync(join(folder, 'run'), { recursive: true });
    this.#write('strongswan.conf', this.#strongswanConf(options));
    this.#write('swanctl/swanctl.conf', connections);
    for (const [place, content] of Object.entries(credentials)) this.#write(`swanctl/${place}`, content);
    // The path of its pid file is built in: a bind mount over /run keeps it away from others.
    const script = 'mount --bind "$1" /run && LD_PRELOAD="$2" exec "$3"';
    const started = ['sh', '-c', script, 'charon', join(folder, 'run'), preload, CHARON];
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

  /** Begins the tunnel of this child and waits for it. Throws DaemonFault. */
  initiate(child: string): void {
    if (!this.#swanctl('--initiate', '--child', child, '--timeout', '10')) {
      throw new DaemonFault('charon does not get its tunnel');
    }
  }

  log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #write(place: string, content: string | Uint8Array): void {
    const file = join(this.#folder, place);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { mode: 0o600 });
  }

  #swanctl(word: string, ...more: readonly string[]): boolean {
    try {
      execFileSync('swanctl', [word, '--uri', this.#vici, ...more], { env: this.#env, stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  }

  get #vici(): string {
    return `unix://${join(this.#folder, 'vici')}`;
  }

  get #logFile(): string {
    return join(this.#folder, 'charon.log');
  }

  get #env(): NodeJS.ProcessEnv {
    const folder = this.#folder;
    return { ...process.env, STRONGSWAN_CONF: join(folder, 'strongswan.conf'), SWANCTL_DIR: join(folder, 'swanctl') };
  }

  #strongswanConf({ settings, sections, isLogged }: CharonOptions): string {
    const log = `filelog { log {
  path = ${this.#logFile}
  flush_line = yes
  default = 1
} }`;
    return `charon {
${settings}
plugins { vici { socket = ${this.#vici} } }
${isLogged ? log : ''}
}
${sections}
`;
  }
}
