/** libreswan's pluto as one side, driven by whack, from a package that is unpacked and not installed (it conflicts with strongSwan). */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ipsecConf, ipsecSecrets } from '../config-pluto.ts';
import { certificateOf, intermediatesOfPeer, keyTypeOf, otherSide } from '../keys.ts';
import { type Listing, parseWhack } from '../listing.ts';
import { inside } from '../namespaces.ts';
import type { Key, Peer, Place } from '../party.ts';
import { must, type Result, run, Service, textOf, until } from '../processes.ts';
import type { Setup } from '../setup.ts';

interface PlutoFiles {
  /** Where the package is unpacked. */
  readonly root: string;
  /** An empty NSS database, copied for each pluto. */
  readonly nss: string;
  readonly shim: string;
}

export class Pluto implements Peer {
  readonly #place: Place;
  readonly #setup: Setup;
  readonly #files: PlutoFiles;
  #service: Service | undefined;

  constructor(place: Place, setup: Setup, files: PlutoFiles) {
    this.#place = place;
    this.#setup = setup;
    this.#files = files;
  }

  /** pluto runs its helper programs by absolute path, so the unpacked folder is mounted where they should be. It loads the connections by itself, then listens, then reads the secrets. */
  async start(): Promise<void> {
    const { folder, namespace } = this.#place;
    for (const name of ['run', 'ipsec.d']) mkdirSync(join(folder, name), { recursive: true });
    cpSync(this.#files.nss, join(folder, 'nss'), { recursive: true });
    await this.#importKeys(`sql:${join(folder, 'nss')}`);
    writeFileSync(join(folder, 'ipsec.conf'), ipsecConf(this.#setup, this.#place.keys));
    writeFileSync(join(folder, 'secrets'), ipsecSecrets(this.#setup), { mode: 0o600 });
    const script = 'mount --bind "$1" /usr/libexec && LD_PRELOAD="$2" && export LD_PRELOAD && shift 2 && exec "$@"';
    const pluto = [join(LIBEXEC, 'pluto'), '--nofork', '--stderrlog', '--no-dnssec'];
    const files = [
      '--config',
      'ipsec.conf',
      '--rundir',
      'run',
      '--ipsecdir',
      'ipsec.d',
      '--nssdir',
      'nss',
      '--secretsfile',
      'secrets',
    ];
    const options = files.map((word) => (word.startsWith('--') ? word : join(folder, word)));
    const mount = ['sh', '-c', script, 'pluto', join(this.#files.root, LIBEXEC, '..'), this.#files.shim];
    const env = { ...process.env, INTEROP_KEYS: join(folder, 'keys') };
    const service = new Service('pluto', this.#log, inside(namespace, [...mount, ...pluto, ...options]), env);
    this.#service = service;
    await until(
      () => 'pluto is not ready',
      15,
      () => this.log().includes('loading secrets from') && service.listensOn(500),
    );
    const missing = this.#setup.nets.filter((net) => !this.log().includes(`"${net.name}": added IKEv1 connection`));
    await until(
      () => `pluto refused ${missing.map((net) => net.name)}: ${this.log()}`,
      0,
      () => missing.length === 0,
    );
  }

  async #importKeys(database: string): Promise<void> {
    const { proof, side, keys: owner } = this.#setup;
    const { keys } = this.#place;
    const type = keyTypeOf(proof);
    if (type === undefined) return;
    const base = certificateOf(proof, owner) ?? `${owner}-${type}`;
    await must('pk12util', ['-i', join(keys, `${base}.p12`), '-d', database, '-W', '', '-K', '']);
    if (proof.kind !== 'certificate') return;
    const add = (name: string, trust: string, file: string) =>
      must('certutil', ['-A', '-n', name, '-t', trust, '-i', join(keys, `${file}.crt`), '-d', database]);
    await add('ca', 'CT,,', 'ca');
    for (const name of intermediatesOfPeer(this.#setup)) await add(name, ',,', name);
    const other = otherSide(side);
    if (!proof.asks) await add(other, ',,', certificateOf(proof, other) ?? other);
  }

  async initiate(): Promise<void> {
    for (const net of this.#setup.nets) await this.initiateOne(net.name);
  }

  async initiateOne(net: string): Promise<void> {
    await this.#whack('--initiate', '--asynchronous', '--name', net);
  }

  async listing(): Promise<Listing> {
    return parseWhack((await this.#whack('--showstates')).output);
  }

  /** whack refuses to rekey an IKEv1 connection by command: the short life in the configuration does it. */
  async rekey(): Promise<void> {}

  /** By number: taking the connection down would take its phase 1 with it. */
  async removeQuick(net: string): Promise<void> {
    const states = (await this.#whack('--showstates')).output;
    const number = new RegExp(`#(\\d+): "${net}".*STATE_QUICK`).exec(states)?.[1];
    await this.#whack('--deletestate', number ?? '0');
  }

  async removeMain(): Promise<void> {
    for (const net of this.#setup.nets) await this.#whack('--terminate', '--name', net.name);
  }

  removeEverything(): Promise<void> {
    return this.removeMain();
  }

  keys(): readonly Key[] {
    return this.#written('key').flatMap(([key = '', iv = '']) => (iv === '' ? [] : [{ key, iv }]));
  }

  sharedSecrets(): readonly string[] {
    return this.#written('shared').map(([secret = '']) => secret);
  }

  log(): string {
    return textOf(this.#log);
  }

  async stop(): Promise<void> {
    await this.#service?.stop();
  }

  #whack(...args: readonly string[]): Promise<Result> {
    return run(join(this.#files.root, LIBEXEC, 'whack'), ['--rundir', join(this.#place.folder, 'run'), ...args]);
  }

  /** The shim writes what pluto itself never shows. */
  #written(word: string): readonly (readonly string[])[] {
    const lines = textOf(join(this.#place.folder, 'keys')).split('\n');
    return lines.map((line) => line.split(' ')).flatMap(([first, ...rest]) => (first === word ? [rest] : []));
  }

  get #log(): string {
    return join(this.#place.folder, 'pluto.log');
  }
}

const LIBEXEC = '/usr/libexec/ipsec';
