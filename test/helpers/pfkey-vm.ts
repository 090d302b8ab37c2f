/** What tests of the PF_KEY backend on a real kernel share; its upcalls are waited for. */
import assert from 'node:assert/strict';
import type { Acquire, Expire, KernelBackend, Mapping, SaContext } from '../../src/kernel/backend.ts';
import { openPfKeySocket } from '../../src/kernel/native/kernel-sockets.ts';
import { openPfKeyBackend, type PfKeyOptions } from '../../src/kernel/pfkey/pfkey-backend.ts';
import type { SaId } from '../../src/shared/connection/events.ts';
import type { IpsecSa } from '../../src/shared/threads/contract.ts';
import { Awaited } from './awaited.ts';
import { realTimers } from './two-gates.ts';
import { peerState, saOf } from './vm-network.ts';

export class PfKeyVm {
  readonly acquires = new Awaited<Acquire>();
  readonly expires = new Awaited<Expire>();
  readonly mappings = new Awaited<Mapping>();
  readonly lost = new Awaited<readonly SaId[]>();

  open(more: Partial<PfKeyOptions> = {}): Promise<KernelBackend> {
    return openPfKeyBackend({
      open: openPfKeySocket,
      pid: process.pid,
      reqids: { first: 1000, count: 500 },
      schedule: realTimers,
      upcalls: {
        acquire: (acquire) => this.acquires.put(acquire),
        expire: (expire) => this.expires.put(expire),
        mapping: (mapping) => this.mappings.put(mapping),
        lost: (gone) => this.lost.put(gone),
        failed: (error) => assert.fail(error),
      },
      ...more,
    });
  }
}

/** Both directions, here and at the peer. */
export const installPair = async (
  backend: KernelBackend,
  spi: number,
  context: SaContext,
): Promise<readonly [IpsecSa, IpsecSa]> => {
  const [into, out] = [saOf('in', spi), saOf('out', spi + 1)];
  peerState(into);
  peerState(out);
  await backend.addSa(into, { ...context, acquire: undefined });
  await backend.addSa(out, context);
  return [into, out];
};
