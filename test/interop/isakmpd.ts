/** Our daemon as one side, driven by its FIFO and read by its result file and log. Without policy (-K) and without a kernel (-n) unless the set-up asks for them. */
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { SystemError } from '../../src/shared/errors.ts';
import type { SaStatus } from '../../src/shared/report/status-schema.ts';
import { underUnitCapabilities } from '../helpers/service-unit.ts';
import { statusSas } from '../helpers/status-sas.ts';
import { isakmpdConf, policyFile, policyText } from './config-isakmpd.ts';
import { certificateOf, intermediateOf, keyTypeOf, otherSide } from './keys.ts';
import { type IsakmpdSa, type Listing, parseIsakmpdResult, readyListing } from './listing.ts';
import { inside } from './namespaces.ts';
import type { Party, Place } from './party.ts';
import { Service, textOf, until } from './processes.ts';
import type { Setup } from './setup.ts';

export class Isakmpd implements Party {
  readonly #place: Place;
  readonly #setup: Setup;
  readonly #program: string;
  #service: Service | undefined;

  /** `program`: the path of bin/isakmpd. */
  constructor(place: Place, setup: Setup, program: string) {
    this.#place = place;
    this.#setup = setup;
    this.#program = program;
  }

  async start(): Promise<void> {
    const { folder, namespace } = this.#place;
    mkdirSync(this.#run, { recursive: true });
    const configuration = join(folder, 'isakmpd.conf');
    writeFileSync(configuration, isakmpdConf(this.#setup, folder), { mode: 0o600 });
    const byPolicy = this.#setup.permittedBy === 'policy';
    if (byPolicy) writeFileSync(policyFile(folder), policyText(this.#setup), { mode: 0o600 });
    this.#copyKeys();
    const hasKernel = this.#setup.kernel !== undefined;
    const kernel = hasKernel ? [] : ['-n'];
    // Whoever uses a kernel shows that what the unit for systemd leaves it is enough.
    const rights = hasKernel ? underUnitCapabilities() : [];
    const options = [
      `-${this.#setup.family}`,
      '-d',
      '-v',
      ...kernel,
      ...(byPolicy ? [] : ['-K']),
      '-c',
      configuration,
      '--run-dir',
      this.#run,
    ];
    const service = new Service('isakmpd', this.#log, inside(namespace, [...rights, this.#program, ...options]));
    this.#service = service;
    await until(
      () => `isakmpd is not ready: ${this.log()}`,
      // The first start in a guest on a busy machine takes longest: nothing is in memory yet.
      60,
      () => textOf(join(this.#run, 'isakmpd.pid')) !== '' && service.listensOn(500),
    );
  }

  #copyKeys(): void {
    const { folder, keys } = this.#place;
    const { proof, side, keys: owner, remoteId } = this.#setup;
    const type = keyTypeOf(proof);
    if (type === undefined) return;
    const copy = (name: string, place: string, as: string, mode = 0o644): void => {
      mkdirSync(join(folder, place), { recursive: true });
      writeFileSync(join(folder, place, as), readFileSync(join(keys, name)), { mode });
    };
    for (const place of ['pubkeys', 'ca', 'certs', 'crls']) mkdirSync(join(folder, place));
    copy(`${certificateOf(proof, owner) ?? `${owner}-${type}`}.key`, 'private', 'local.key', 0o600);
    const kind = remoteId.includes(':') ? 'ipv6' : /^[\d.]+$/.test(remoteId) ? 'ipv4' : 'fqdn';
    if (proof.kind === 'raw') copy(`${otherSide(side)}-${type}.pub`, `pubkeys/${kind}`, remoteId);
    else {
      copy('ca.crt', 'ca', 'ca.crt');
      copy('ca.crl', 'crls', 'ca.crl');
      copy(`${certificateOf(proof, owner)}.crt`, 'certs', 'own.crt');
      const between = intermediateOf(proof, side);
      if (between !== undefined) copy(`${between}.crt`, 'certs', 'between.crt');
    }
  }

  /** Its configuration lists what it starts, so it began when it was started. */
  async initiate(): Promise<void> {}

  async initiateOne(net: string): Promise<void> {
    this.#command(`c ${net}`);
  }

  async listing(): Promise<Listing> {
    return readyListing(await this.sas());
  }

  /** All of `S`, half-open ones included. The file is complete when two looks at it agree; with nothing to list it is empty. */
  async sas(): Promise<readonly IsakmpdSa[]> {
    const result = join(this.#run, 'isakmpd.result');
    rmSync(result, { force: true });
    this.#command('S');
    let last: string | undefined;
    const text = await until(
      () => 'isakmpd does not answer S',
      5,
      () => {
        const now = existsSync(result) ? textOf(result) : undefined;
        const same = now !== undefined && now === last ? { now } : undefined;
        last = now;
        return same;
      },
    );
    return parseIsakmpdResult(text.now);
  }

  /** What its status socket says of its SAs. */
  statusSas(): Promise<readonly SaStatus[]> {
    return statusSas(this.#run);
  }

  /** Short lifetimes do it; a passive connection is made an active one first, since only those are renewed. */
  async rekey(): Promise<void> {
    if (!this.#setup.initiates) for (const net of this.#setup.nets) this.#command(`c ${net.name}`);
  }

  async removeQuick(net: string): Promise<void> {
    this.#command(`t ${net}`);
  }

  async removeMain(): Promise<void> {
    this.#command('t main peer');
  }

  async removeEverything(): Promise<void> {
    this.#command('Q');
    if (!(await this.#service?.ends(10))) throw new SystemError('isakmpd did not end on Q');
  }

  /** Ends it as a crash would. */
  async crash(): Promise<void> {
    this.#service?.kill();
    await this.#service?.ends(10);
  }

  log(): string {
    return textOf(this.#log);
  }

  async stop(): Promise<void> {
    const service = this.#service;
    if (service === undefined) return;
    const died = !service.isRunning && !this.log().includes('isakmpd: exit');
    if (!(await service.stop())) throw new SystemError('isakmpd did not end on SIGTERM');
    if (died) throw new SystemError(`isakmpd died: ${this.log().slice(-400)}`);
  }

  /** Not blocking: a daemon that is gone has no reader on its FIFO, which is an error here. */
  #command(line: string): void {
    const fifo = openSync(join(this.#run, 'isakmpd.fifo'), constants.O_WRONLY | constants.O_NONBLOCK);
    writeSync(fifo, `${line}\n`);
    closeSync(fifo);
  }

  get #run(): string {
    return join(this.#place.folder, 'run');
  }

  get #log(): string {
    return join(this.#place.folder, 'isakmpd.log');
  }
}
