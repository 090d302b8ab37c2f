/** Carries out what the lanes ask for: bytes to the sockets, records to the log, all else to the supervisor. */
import { unreachable } from '../../shared/errors.ts';
import type { LaneEffect } from '../../shared/threads/contract.ts';
import type { Capture } from '../capture/capture.ts';
import type { TrustReview } from '../credentials/trust-review.ts';
import type { Logger } from '../log/log.ts';
import type { UdpSockets } from '../network/sockets.ts';
import type { Faults } from '../process/faults.ts';

/** What of a lane's effects is not just sent or printed. */
export type SupervisorEffect = Exclude<LaneEffect, { readonly kind: 'send' | 'log' | 'captured' | 'captureKey' }>;

interface EffectsOptions {
  readonly network: Pick<UdpSockets, 'send'>;
  readonly log: Pick<Logger, 'write'>;
  readonly capture: Pick<Capture, 'record' | 'recordKey'>;
  readonly supervisor: { laneEffect(lane: number, effect: SupervisorEffect): void };
  readonly trustReview: Pick<TrustReview, 'established'>;
  readonly faults: Pick<Faults, 'dropped'>;
}

/** A function that carries out a lane's effects, in order; one that fails is dropped. */
export const createEffects =
  (options: EffectsOptions): ((lane: number, effects: readonly LaneEffect[]) => void) =>
  (lane, effects) => {
    for (const effect of effects) {
      try {
        carryOut(options, lane, effect);
      } catch (fault) {
        options.faults.dropped(effect.kind, fault);
      }
    }
  };

const carryOut = (
  { network, log, capture, supervisor, trustReview }: EffectsOptions,
  lane: number,
  effect: LaneEffect,
): void => {
  switch (effect.kind) {
    case 'send':
      network.send(effect.path, effect.bytes);
      break;
    case 'log':
      log.write(effect.record);
      break;
    case 'captured':
      capture.record(effect);
      break;
    case 'captureKey':
      try {
        capture.recordKey(effect.initiatorCookie, effect.key);
      } finally {
        effect.key.fill(0);
      }
      break;
    case 'phase1Established':
      supervisor.laneEffect(lane, effect);
      trustReview.established(effect);
      break;
    case 'phase1Failed':
    case 'phase1Moved':
    case 'peerAlive':
    case 'peerDead':
    case 'phase1Expiring':
    case 'phase1Gone':
    case 'phase1Resumed':
    case 'phase2Started':
    case 'install':
    case 'phase2Established':
    case 'phase2Failed':
    case 'retire':
    case 'initialContact':
      supervisor.laneEffect(lane, effect);
      break;
    default:
      unreachable(effect);
  }
};
