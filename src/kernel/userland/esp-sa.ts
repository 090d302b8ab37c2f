/** What the ESP thread knows of one SA. Keys are nowhere but in its transform. */
import type { SaId } from '../../shared/connection/events.ts';
import type { ReplayWindow } from '../../shared/esp/replay-window.ts';
import type { CompiledSelector } from '../../shared/esp/selector.ts';
import type { EspSuite } from '../../shared/esp/suite.ts';
import type { Opener, Sealer } from '../../shared/esp/transform.ts';
import type { TimerHandle } from '../../shared/timer-wheel.ts';
import type { SaLife } from '../backend.ts';

/** One end of the outer packet. */
export interface OuterEnd {
  readonly text: string;
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  /** 0 where the SA is not encapsulated in UDP. */
  readonly port: number;
  /** Both as a sockaddr. */
  readonly name: Uint8Array;
}

interface SaFacts {
  readonly reqid: number;
  readonly spi: number;
  /** Of its counters. */
  readonly slot: number;
  readonly suite: EspSuite;
  readonly life: SaLife;
  readonly selectors: { readonly source: CompiledSelector; readonly destination: CompiledSelector } | undefined;
  /** Changed when the peer moves. */
  id: SaId;
  source: OuterEnd;
  destination: OuterEnd;
  /** The soft limit was told already. */
  isDying: boolean;
  timers: readonly TimerHandle[];
}

export interface OutboundSa extends SaFacts {
  readonly direction: 'out';
  readonly sealer: Sealer;
  /** Largest outer IP packet that the path carries, until `pathMtuUntil` (ms); 0: not known. */
  pathMtu: number;
  pathMtuUntil: number;
}

export interface InboundSa extends SaFacts {
  readonly direction: 'in';
  readonly opener: Opener;
  /** Undefined where packets prove nothing. */
  readonly window: ReplayWindow | undefined;
  /** What was told last by `mapping`: address and port. */
  reported: string;
}

export type EspSa = OutboundSa | InboundSa;
