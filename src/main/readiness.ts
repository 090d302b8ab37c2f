/** What the daemon waits for before it says that it is ready: until the policies of the configuration are in the kernel, packets may leave in the clear. */
import type { schedule } from './clock.ts';
import type { Operator } from './operator.ts';
import type { Supervisor } from './supervisor/supervisor.ts';

export interface ReadinessParts {
  readonly operator: Pick<Operator, 'settled'>;
  readonly supervisor: Pick<Supervisor, 'flowsSettled'>;
  readonly schedule: typeof schedule;
}

/**
 * Resolves with true when the policies of all connections are in place, or logged as refused, as far as the way to their peers is known; with false when that takes too long: a name
 * server or a kernel that does not answer keeps nobody from using the daemon. To be called when the operator has been told `reconfigured`.
 */
export const policiesInPlace = ({ operator, supervisor, schedule }: ReadinessParts): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const cancel = schedule(READY_WITHIN, () => resolve(false));
    const inPlace = operator.settled().then(() => supervisor.flowsSettled());
    inPlace.then(() => resolve(true), reject).finally(cancel);
  });

/** ms */
export const READY_WITHIN = 5000;
