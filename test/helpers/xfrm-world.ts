/** SAs, flows, an ear and a kernel to talk to, for tests of XFRM. */
import {
  type Acquire,
  type Expire,
  type KernelBackend,
  KernelError,
  type KernelUpcalls,
  type Mapping,
  type SaContext,
} from '../../src/kernel/backend.ts';
import { NO_LIMITS } from '../../src/kernel/xfrm/sa-messages.ts';
import { openXfrmBackend } from '../../src/kernel/xfrm/xfrm-backend.ts';
import type { SaId } from '../../src/shared/connection/events.ts';
import type { SystemError } from '../../src/shared/errors.ts';
import { type Flow, NO_ROUTE, type Selector } from '../../src/shared/flow.ts';
import type { IpsecSa } from '../../src/shared/threads/contract.ts';
import { FakeXfrmKernel } from './fake-xfrm-kernel.ts';
import { virtualTimers } from './virtual-timers.ts';

export const RANGE = { first: 1000, count: 100 };

export const network = (address: string, prefixLength: number): Selector => ({
  address,
  prefixLength,
  protocol: 0,
  port: 0,
});

export const keyOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => 0x40 + i);

/** From 10.9.0.2 to us, 10.9.0.1: AES-128 with HMAC-SHA2-256, tunnel mode. */
export const inboundSa = (changes: Partial<IpsecSa> = {}): IpsecSa => ({
  direction: 'in',
  protocolId: 3,
  spi: 0x1001,
  transformId: 12,
  authentication: 5,
  encapsulation: 1,
  keyLength: 128,
  encryptionKey: keyOf(16),
  authenticationKey: keyOf(32),
  source: '10.9.0.2',
  destination: '10.9.0.1',
  replayWindow: 64,
  ...changes,
});

export const outboundSa = (changes: Partial<IpsecSa> = {}): IpsecSa =>
  inboundSa({ direction: 'out', spi: 0x2001, source: '10.9.0.1', destination: '10.9.0.2', ...changes });

export const saContext = (changes: Partial<SaContext> = {}): SaContext => ({
  reqid: 1001,
  acquire: undefined,
  udp: undefined,
  selectors: undefined,
  life: NO_LIMITS,
  sha2Truncation96: false,
  route: NO_ROUTE,
  ...changes,
});

/** 10.1/16 here, 10.2/16 there. */
export const flow = (changes: Partial<Flow> = {}): Flow => ({
  id: 1,
  local: network('10.1.0.0', 16),
  remote: network('10.2.0.0', 16),
  localAddress: '10.9.0.1',
  remoteAddress: '10.9.0.2',
  protocols: [3],
  encapsulation: 'tunnel',
  reqid: 1001,
  route: NO_ROUTE,
  ...changes,
});

/** What the kernel said. */
export class Ear implements KernelUpcalls {
  readonly acquires: Acquire[] = [];
  readonly expires: Expire[] = [];
  readonly mappings: Mapping[] = [];
  readonly losses: (readonly SaId[])[] = [];
  readonly failures: string[] = [];

  acquire(acquire: Acquire): void {
    this.acquires.push(acquire);
  }

  expire(expire: Expire): void {
    this.expires.push(expire);
  }

  mapping(mapping: Mapping): void {
    this.mappings.push(mapping);
  }

  lost(gone: readonly SaId[]): void {
    this.losses.push(gone);
  }

  failed({ message }: SystemError): void {
    this.failures.push(message);
  }

  clear(): void {
    for (const heard of [this.acquires, this.expires, this.mappings, this.losses, this.failures]) heard.length = 0;
  }
}

export interface World {
  readonly kernel: FakeXfrmKernel;
  readonly backend: KernelBackend;
  readonly ear: Ear;
}

/** `release`: of the kernel. */
export const openWith = async (kernel: FakeXfrmKernel, release = '6.1.0-26-amd64'): Promise<World> => {
  const ear = new Ear();
  const { schedule } = virtualTimers();
  const backend = await openXfrmBackend({ open: kernel.open, schedule, upcalls: ear, range: RANGE, release });
  return { kernel, backend, ear };
};

export const world = (): Promise<World> => openWith(new FakeXfrmKernel());

/** For assert.rejects. */
export const refusedAs =
  (reason: string, text = /./) =>
  (fault: unknown) =>
    fault instanceof KernelError && fault.reason === reason && text.test(fault.message);
