/** What the daemon asks of an IPsec kernel. One folder per implementation; `none` keeps nothing. */
import type { SaId } from '../shared/connection/events.ts';
import { SystemError } from '../shared/errors.ts';
import type { IpsecSa } from '../shared/threads/contract.ts';

export interface KernelBackend {
  readonly capabilities: Capabilities;
  /** Resolves when the kernel has it; the keys may be zeroed then. Rejects with KernelError. */
  addSa(sa: IpsecSa): Promise<void>;
  /** Rejects with KernelError 'missing' where there is none. */
  deleteSa(id: SaId): Promise<void>;
  /** Outbound traffic between the selectors of this SA uses it from now on. Rejects with KernelError 'missing'. */
  preferSa(id: SaId): Promise<void>;
  close(): Promise<void>;
}

/** What may be negotiated; numbers of the IPsec DOI. */
export interface Capabilities {
  readonly espTransforms: ReadonlySet<number>;
  readonly ahTransforms: ReadonlySet<number>;
  readonly authentications: ReadonlySet<number>;
  readonly encapsulations: ReadonlySet<number>;
}

/** 'exists': another SA has this SPI; 'missing': none has; 'unsupported': an algorithm or mode; 'failed': anything else. */
export type KernelRefusal = 'exists' | 'missing' | 'unsupported' | 'failed';

/** The kernel said no. */
export class KernelError extends SystemError {
  readonly reason: KernelRefusal;
  constructor(reason: KernelRefusal, message: string) {
    super(message);
    this.reason = reason;
  }
}
