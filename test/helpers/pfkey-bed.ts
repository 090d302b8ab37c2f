/** What tests of the PF_KEY backend share: a backend over a kernel of ours, and SAs, flows and messages for it. */
import type { Acquire, Expire, KernelBackend, Mapping } from '../../src/kernel/backend.ts';
import { MessageType } from '../../src/kernel/pfkey/constants.ts';
import type { Extension } from '../../src/kernel/pfkey/extension.ts';
import { openPfKeyBackend, type PfKeyOptions } from '../../src/kernel/pfkey/pfkey-backend.ts';
import type { SaId } from '../../src/shared/connection/events.ts';
import {
  AuthenticationAlgorithm,
  EncapsulationMode,
  EspTransform,
  ProtocolId,
} from '../../src/shared/constants/ipsec-doi.ts';
import type { SystemError } from '../../src/shared/errors.ts';
import type { IpsecSa } from '../../src/shared/threads/contract.ts';
import { PfKeyKernel } from './pfkey-kernel.ts';
import { StandingClock } from './pfkey-socket.ts';
import { contextsFor, flowsBetween } from './sample-flows.ts';

export const [HERE, PEER] = ['192.0.2.1', '198.51.100.2'];
const REQIDS = { first: 1000, count: 10 };

/** A backend and its kernel, with a clock that stands still. */
export class PfKeyBed {
  readonly kernel = new PfKeyKernel();
  readonly clock = new StandingClock();
  /** All upcalls in their order. */
  readonly told: (Acquire | Expire | Mapping | { lost: readonly SaId[] } | SystemError)[] = [];

  open(more: Partial<PfKeyOptions> = {}): Promise<KernelBackend> {
    const { kernel, clock, told } = this;
    return openPfKeyBackend({
      open: kernel.socket.open,
      pid: 4242,
      reqids: REQIDS,
      schedule: clock.schedule,
      upcalls: {
        acquire: (acquire) => told.push(acquire),
        expire: (expire) => told.push(expire),
        mapping: (mapping) => told.push(mapping),
        lost: (lost) => told.push({ lost }),
        failed: (error) => told.push(error),
      },
      ...more,
    });
  }

  /** The kernel says that an SA has come to a limit: 3 hard, 4 soft. `auth` 0: it was only reserved. */
  expire({ spi, source, destination }: IpsecSa, type: 3 | 4, reqid = 1001, auth = 3): void {
    const sa2: Extension = { type: 19, mode: 2, sequence: 0, reqid };
    const ends = [addressExtension(5, source), addressExtension(6, destination)];
    const extensions = [saFields(spi, auth), lifetime(type), lifetime(2), ...ends, sa2];
    this.kernel.socket.say({ type: MessageType.EXPIRE, extensions });
  }

  /** A packet has met the policy of this number. */
  acquire(sequence: number, index: number): void {
    const policy: Extension = { type: 18, action: 2, direction: 2, id: index, priority: 0, requests: [] };
    const extensions = [addressExtension(5, HERE), addressExtension(6, PEER), policy];
    this.kernel.socket.say({ type: MessageType.ACQUIRE, sequence, extensions });
  }

  /** The number of the only outbound policy. */
  outIndex(): number {
    return [...this.kernel.policies.values()].find(({ policy }) => policy.direction === 2)?.index ?? -1;
  }

  /** Flows that were told of. */
  flows(): readonly (number | undefined)[] {
    return this.told.map((one) => ('flow' in one ? one.flow : undefined));
  }

  /** Work that ends though answers are lost. */
  async withTime<T>(work: Promise<T>): Promise<T> {
    const outcome = Promise.allSettled([work]);
    for (let i = 0; i < 20; i++) await this.clock.advance(1000);
    const [only] = await outcome;
    if (only?.status === 'rejected') throw only.reason;
    return only.value;
  }
}

export const saOf = (direction: 'in' | 'out', spi: number, more: Partial<IpsecSa> = {}): IpsecSa => ({
  direction,
  protocolId: ProtocolId.IPSEC_ESP,
  spi,
  transformId: EspTransform.AES,
  authentication: AuthenticationAlgorithm.HMAC_SHA,
  encapsulation: EncapsulationMode.TUNNEL,
  keyLength: 128,
  encryptionKey: new Uint8Array(16).fill(0xee),
  authenticationKey: new Uint8Array(20).fill(0xaa),
  source: direction === 'out' ? HERE : PEER,
  destination: direction === 'out' ? PEER : HERE,
  replayWindow: 32,
  ...more,
});

export const contextOf = contextsFor({ softSeconds: 90, hardSeconds: 100 });
export const flowOf = flowsBetween(HERE, PEER);

export const addressExtension = <T extends 5 | 6>(type: T, text: string): Extension => ({
  type,
  protocol: 0,
  prefixLength: 32,
  port: 0,
  address: Uint8Array.from(text.split('.'), Number),
});

export const saFields = (spi: number, auth = 3): Extension => ({
  type: 1,
  spi,
  replay: 0,
  state: 3,
  auth,
  encrypt: auth === 0 ? 0 : 12,
  flags: 0,
});
const lifetime = <T extends 2 | 3 | 4>(type: T): Extension => ({
  type,
  allocations: 5,
  bytes: 420n,
  addTime: 9n,
  useTime: 10n,
});
