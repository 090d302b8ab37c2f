/** What main and the ESP thread say to each other. Calls are numbered, and answered by `done` or `refused`; the rest is said unasked. */
import type { Endpoint } from '../../shared/address.ts';
import type { SaId } from '../../shared/connection/events.ts';
import type { IpsecSa } from '../../shared/threads/contract.ts';
import type { Acquire, Expire, Flow, KernelRefusal, Mapping, SaContext } from '../backend.ts';
import type { Drops } from './drops.ts';

/** What the thread is started with. */
export interface EspThreadStart {
  readonly interfaceName: string;
  /** Bytes: the largest packet that the host sends into the tunnel device. */
  readonly mtu: number;
  /** SO_MARK of outer packets, so that they are not routed into the tunnel device again. */
  readonly mark: number;
  readonly counters: SharedArrayBuffer;
}

export type EspCommand =
  /** The buffers of the keys are transferred, and zeroed by the thread. */
  | { readonly kind: 'addSa'; readonly sa: IpsecSa; readonly context: SaContext; readonly slot: number }
  | { readonly kind: 'moveSa'; readonly id: SaId; readonly source: Endpoint; readonly destination: Endpoint }
  | { readonly kind: 'deleteSa'; readonly id: SaId }
  | { readonly kind: 'putFlow'; readonly flow: Flow }
  | { readonly kind: 'deleteFlow'; readonly id: number }
  | { readonly kind: 'openEncapsulation'; readonly local: Endpoint }
  | { readonly kind: 'closeEncapsulation'; readonly local: Endpoint }
  | { readonly kind: 'statistics' };

export interface EspCall {
  readonly call: number;
  readonly command: EspCommand;
}

/** The answer to `moveSa` is the new name, to `statistics` the counters; else undefined. */
export type EspAnswer = SaId | EspStatistics | undefined;

/** Packets dropped since the thread started. */
export interface EspStatistics {
  readonly drops: Drops;
}

export type EspMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly call: number; readonly value: EspAnswer }
  | { readonly kind: 'refused'; readonly call: number; readonly reason: KernelRefusal; readonly text: string }
  | { readonly kind: 'acquire'; readonly acquire: Acquire }
  | { readonly kind: 'expire'; readonly expire: Expire }
  | { readonly kind: 'mapping'; readonly mapping: Mapping };
