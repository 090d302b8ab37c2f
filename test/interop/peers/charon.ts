/** strongSwan's charon as one side, driven by swanctl. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { strongswanConf, swanctlConf } from '../config-charon.ts';
import { certificateOf, intermediatesOfPeer, keyTypeOf, otherSide } from '../keys.ts';
import { type Listing, parseSwanctl } from '../listing.ts';
import { inside } from '../namespaces.ts';
import type { Key, Peer, Place } from '../party.ts';
import { must, type Result, run, Service, textOf, until } from '../processes.ts';
import type { Setup } from '../setup.ts';

export class Charon implements Peer {
  readonly #place: Place;
  readonly #setup: Setup;
  readonly #shim: string;
  #service: Service | undefined;

  constructor(place: Place, setup: Setup, shim: string) {
    this.#place = place;
    this.#setup = setup;
    this.#shim = shim;
  }

  /** A bind mount over /run hides the pid file whose path is built into charon, so several can run. */
  async start(): Promise<void> {
    const { folder, namespace } = this.#place;
    mkdirSync(join(folder, 'run'), { recursive: true });
    mkdirSync(join(folder, 'swanctl'), { recursive: true });
    const paths = { socket: this.#socket, log: this.#log };
    writeFileSync(join(folder, 'strongswan.conf'), strongswanConf(paths, this.#setup));
    writeFileSync(join(folder, 'swanctl', 'swanctl.conf'), swanctlConf(this.#setup));
    this.#copyKeys(join(folder, 'swanctl'));
    const script = 'mount --bind "$1" /run && LD_PRELOAD="$2" exec "$3"';
    const command = ['sh', '-c', script, 'charon', join(folder, 'run'), this.#shim, CHARON];
    const service = new Service('charon', join(folder, 'output'), inside(namespace, command), this.#env);
    this.#service = service;
    await until(
      () => 'charon does not answer',
      15,
      async () => (await this.#swanctl('--stats')).code === 0,
    );
    await must('swanctl', ['--load-all', '--uri', `unix://${this.#socket}`], this.#env);
    await until(
      () => 'charon does not listen',
      5,
      () => service.listensOn(500),
    );
  }

  #copyKeys(folder: string): void {
    const { proof, side, keys } = this.#setup;
    const type = keyTypeOf(proof);
    if (type === undefined) return;
    const copy = (name: string, place: string, as: string): void => {
      mkdirSync(join(folder, place), { recursive: true });
      copyFileSync(join(this.#place.keys, name), join(folder, place, as));
    };
    copy(`${certificateOf(proof, keys) ?? `${keys}-${type}`}.key`, 'private', 'own.key');
    if (proof.kind === 'raw') {
      copy(`${keys}-${type}.pub`, 'pubkey', 'own.pub');
      copy(`${otherSide(side)}-${type}.pub`, 'pubkey', 'other.pub');
    } else {
      copy(`${certificateOf(proof, keys)}.crt`, 'x509', 'own.crt');
      copy('ca.crt', 'x509ca', 'ca.crt');
      for (const name of intermediatesOfPeer(this.#setup)) copy(`${name}.crt`, 'x509ca', `${name}.crt`);
    }
  }

  async initiate(): Promise<void> {
    for (const net of this.#setup.nets) await this.initiateOne(net.name);
  }

  async initiateOne(net: string): Promise<void> {
    await this.#swanctl('--initiate', '--child', net, '--timeout', '10');
  }

  async listing(): Promise<Listing> {
    return parseSwanctl((await this.#swanctl('--list-sas', '--raw')).output);
  }

  async rekey(phase: 1 | 2): Promise<void> {
    await this.#swanctl('--rekey', ...(phase === 1 ? ['--ike', 'peer'] : ['--child', this.#setup.nets[0]?.name ?? '']));
  }

  async removeQuick(net: string): Promise<void> {
    await this.#swanctl('--terminate', '--child', net, '--timeout', '5');
  }

  async removeMain(): Promise<void> {
    await this.#swanctl('--terminate', '--ike', 'peer', '--timeout', '5');
  }

  removeEverything(): Promise<void> {
    return this.removeMain();
  }

  keys(): readonly Key[] {
    const vectors = this.#dumps('initial IV');
    return this.#dumps('encryption key Ka').map((key, index) => ({ key, iv: vectors[index] ?? '' }));
  }

  sharedSecrets(): readonly string[] {
    return this.#dumps('shared Diffie Hellman secret');
  }

  log(): string {
    return textOf(this.#log);
  }

  async stop(): Promise<void> {
    await this.#service?.stop();
  }

  #swanctl(command: string, ...args: readonly string[]): Promise<Result> {
    return run('swanctl', [command, '--uri', `unix://${this.#socket}`, ...args], this.#env);
  }

  /** Dumps follow their title: `encryption key Ka => 16 bytes @ ...`, then lines `0: 55 E8 ...`. */
  #dumps(title: string): readonly string[] {
    const lines = this.log().split('\n');
    return lines.flatMap((line, index) => (line.includes(`${title} => `) ? [dumpAfter(lines, index)] : []));
  }

  get #env(): NodeJS.ProcessEnv {
    const { folder } = this.#place;
    return { ...process.env, STRONGSWAN_CONF: join(folder, 'strongswan.conf'), SWANCTL_DIR: join(folder, 'swanctl') };
  }

  get #socket(): string {
    return join(this.#place.folder, 'vici');
  }

  get #log(): string {
    return join(this.#place.folder, 'charon.log');
  }
}

const dumpAfter = (lines: readonly string[], title: number): string => {
  const length = Number(/=> (\d+) bytes/.exec(lines[title] ?? '')?.[1] ?? 0);
  return lines
    .slice(title + 1, title + 1 + Math.ceil(length / 16))
    .map((line) => (/ \d+: ((?:[0-9A-F]{2} )+)/.exec(`${line} `)?.[1] ?? '').replaceAll(' ', ''))
    .join('')
    .toLowerCase();
};

export const CHARON = '/usr/lib/ipsec/charon';
