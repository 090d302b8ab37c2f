/** Main's end of one launched lane: its ports, what it was told of the configuration, and the calls that wait for its answer. */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { type Remote, wrap } from 'comlink';
import type { CredentialFiles } from '../../shared/credentials/credential-files.ts';
import { SystemError } from '../../shared/errors.ts';
import type { GeneralPolicy, PeerPolicy } from '../../shared/policy/peer-policy.ts';
import type {
  LaneControl,
  LaneEffect,
  LaneEvent,
  LaneExchanges,
  LaneStart,
  LaneStatistics,
} from '../../shared/threads/contract.ts';
import { controlEndpoint } from '../../shared/threads/control-port.ts';
import { BatchWriter, LANE_EFFECTS, LANE_EVENTS, readBatch } from '../../shared/threads/frames.ts';

/** What the configuration says now. */
export interface Policies {
  readonly general: () => GeneralPolicy;
  readonly credentials: () => CredentialFiles;
  /** Undefined: no such peer section, or one that cannot be used. */
  readonly peer: (name: string) => PeerPolicy | undefined;
}

export class LaneLink {
  readonly #lane: number;
  readonly #policies: Policies;
  readonly #data = new MessageChannel();
  readonly #control = new MessageChannel();
  readonly #remote: Remote<LaneControl>;
  readonly #batch = new BatchWriter<LaneEvent>(LANE_EVENTS);
  readonly #onEffects: (effects: readonly LaneEffect[]) => void;
  /** Fail the calls that wait for an answer: one to a dead thread never settles by itself. */
  readonly #waiting = new Set<(why: SystemError) => void>();
  /** Peers whose policy the lane has. */
  readonly #held = new Set<string>();
  /** Those of them whose policy has changed since. */
  readonly #changed = new Set<string>();
  #generalChanged = true;
  #credentialsChanged = true;
  #flush: NodeJS.Immediate | undefined;
  #closed = false;
  #launched = false;

  constructor(lane: number, policies: Policies, onEffects: (effects: readonly LaneEffect[]) => void) {
    this.#lane = lane;
    this.#policies = policies;
    this.#onEffects = onEffects;
    this.#remote = wrap<LaneControl>(controlEndpoint(this.#control.port1));
    this.#data.port1.on('message', (batch) => this.#receive(batch));
  }

  /** What the lane's thread gets: the other ends of the ports. */
  launch<Table>(
    given: Pick<LaneStart<MessagePort, Table, SharedArrayBuffer>, 'table' | 'slab' | 'groups' | 'levels'>,
  ): LaunchedLane<Table> {
    this.#launched = true;
    const [data, control] = [this.#data.port2, this.#control.port2];
    return { start: { lane: this.#lane, data, control, ...given }, transferList: [data, control] };
  }

  /** Sends the event with everything else of this tick, in order, and after what has changed in the configuration. */
  post(event: LaneEvent): void {
    // Nobody reads yet, and the peers will send again.
    if (this.#closed || (event.kind === 'datagram' && !this.#launched)) return;
    this.#refresh();
    this.#add(event);
    if (this.#batch.size > LARGEST_BATCH) this.flush();
  }

  /** Makes sure that the lane has the peer's present policy. False when there is none. */
  ensurePeer(name: string): boolean {
    if (this.#held.has(name) && !this.#changed.has(name)) return true;
    const policy = this.#closed ? undefined : this.#policies.peer(name);
    if (policy === undefined) return false;
    this.#held.add(name);
    this.#changed.delete(name);
    this.post({ kind: 'peer', policy });
    return true;
  }

  peerChanged(name: string): void {
    if (!this.#held.has(name)) return;
    this.#changed.add(name);
    this.#schedule();
  }

  generalChanged(): void {
    this.#generalChanged = true;
    this.#schedule();
  }

  credentialsChanged(): void {
    this.#credentialsChanged = true;
    this.#schedule();
  }

  /** Hands over what has gathered, without waiting for the end of the tick. */
  flush(): void {
    clearImmediate(this.#flush);
    this.#flush = undefined;
    if (this.#closed) return;
    this.#refresh();
    const batch = this.#batch.take();
    if (batch !== undefined) this.#data.port1.postMessage(batch, [batch]);
  }

  /** Rejects with SystemError when the lane dies or does not answer in time (ms). */
  statistics(patience: number): Promise<LaneStatistics> {
    return this.#answer('statistics', patience, this.#remote.statistics());
  }

  /** Rejects as `statistics`. */
  exchanges(patience: number): Promise<LaneExchanges> {
    return this.#answer('exchanges', patience, this.#remote.exchanges());
  }

  /** Asks the lane to end, after everything that was posted. Rejects as `statistics`. */
  stop(patience: number): Promise<void> {
    this.flush();
    return this.#answer('stop', patience, this.#remote.stop());
  }

  /** Takes the effects that have arrived but were not read yet. */
  drain(): void {
    const port = this.#data.port1;
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      this.#receive(next.message);
    }
  }

  /** The lane is no more: effects still under way are dropped, calls that wait are failed. */
  close(why: SystemError): void {
    this.#closed = true;
    clearImmediate(this.#flush);
    for (const { port1, port2 } of [this.#data, this.#control]) {
      port1.close();
      if (!this.#launched) port2.close();
    }
    for (const fail of this.#waiting) fail(why);
  }

  #receive(batch: unknown): void {
    if (!(batch instanceof ArrayBuffer)) return;
    // There may be keys in it.
    if (this.#closed) new Uint8Array(batch).fill(0);
    else this.#onEffects(readBatch(LANE_EFFECTS, batch));
  }

  #add(event: LaneEvent): void {
    this.#batch.add(event);
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#closed) this.#flush ??= setImmediate(() => this.flush());
  }

  #refresh(): void {
    if (this.#generalChanged) {
      this.#generalChanged = false;
      this.#add({ kind: 'general', policy: this.#policies.general() });
    }
    if (this.#credentialsChanged) {
      this.#credentialsChanged = false;
      this.#add({ kind: 'credentials', files: this.#policies.credentials() });
    }
    for (const name of this.#changed) {
      this.#changed.delete(name);
      const policy = this.#policies.peer(name);
      if (policy === undefined) this.#held.delete(name);
      this.#add(policy === undefined ? { kind: 'peerGone', name } : { kind: 'peer', policy });
    }
  }

  #answer<T>(what: string, patience: number, call: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(fail);
      };
      const fail = (why: unknown): void => {
        settle();
        reject(why);
      };
      const timer = setTimeout(
        () => fail(new SystemError(`lane ${this.#lane} did not answer (${what}) within ${patience} ms`)),
        patience,
      );
      this.#waiting.add(fail);
      call.then((value) => {
        settle();
        resolve(value);
      }, fail);
    });
  }
}

interface LaunchedLane<Table> {
  readonly start: LaneStart<MessagePort, Table, SharedArrayBuffer>;
  readonly transferList: readonly MessagePort[];
}

/** Bytes: many policies at once (a HUP) go in several batches, so that the lane works on the first while the others are packed. */
const LARGEST_BATCH = 1048576;
