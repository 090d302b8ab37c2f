/** Stands between a kernel that is opened first and whoever listens to it later. */
import type { KernelUpcalls } from '../../kernel/backend.ts';
import type { SystemError } from '../../shared/errors.ts';

export class UpcallRelay implements KernelUpcalls {
  #target: KernelUpcalls | undefined;

  /** What the kernel said before is about what a predecessor left behind, which is removed or asked about again. */
  connect(target: KernelUpcalls): void {
    this.#target = target;
  }

  acquire(...call: Parameters<KernelUpcalls['acquire']>): void {
    this.#target?.acquire(...call);
  }

  expire(...call: Parameters<KernelUpcalls['expire']>): void {
    this.#target?.expire(...call);
  }

  mapping(...call: Parameters<KernelUpcalls['mapping']>): void {
    this.#target?.mapping(...call);
  }

  lost(...call: Parameters<KernelUpcalls['lost']>): void {
    this.#target?.lost(...call);
  }

  failed(error: SystemError): void {
    this.#target?.failed(error);
  }
}
