/** Finds out which of the two ways to do Diffie-Hellman in a group is faster on this machine and this version of Node. */
import type { DhEngine } from './dh-engine.ts';
import type { GroupSpec } from './dh-groups.ts';

/** A DiffieHellman or ECDH object made once, or KeyObjects made per exchange. */
export type DhPath = 'object' | 'keyObject';

/** What calibration found for a group: the path it keeps, and the milliseconds of a public value and a shared secret together. */
export interface DhCalibration {
  readonly group: number;
  readonly path: DhPath;
  /** Undefined: not measured. */
  readonly object: number | undefined;
  readonly keyObject: number | undefined;
}

/** What is known of a group before: the path that should be the faster one, and how to get an engine for each. */
export interface Candidates {
  readonly spec: GroupSpec;
  readonly preferred: DhPath;
  readonly engine: (path: DhPath) => DhEngine;
  /** Whether the other path may be tried without a reason: not where making it may take seconds. */
  readonly otherIsCheap: boolean;
}

/**
 * Measures the preferred path and, where that is cheap or the preferred one is suspiciously slow, the other. The preferred one
 * stays unless the other is clearly faster: other lanes may be calibrating at the same time, on the same cores.
 */
export const calibrate = (candidates: Candidates, clock: () => number): DhCalibration => {
  const { spec, preferred, engine, otherIsCheap } = candidates;
  const own = measure(spec, engine(preferred), Number.POSITIVE_INFINITY, clock);
  const ownTotal = own.publicValue + own.sharedSecret;
  if (!otherIsCheap && own.sharedSecret <= own.publicValue * SUSPICIOUS) {
    return resultOf(spec, preferred, preferred, ownTotal, undefined);
  }
  const other = measure(spec, engine(otherThan(preferred)), ownTotal * HOPELESS, clock);
  const otherTotal = other.publicValue + other.sharedSecret;
  const path = otherTotal < ownTotal * CLEARLY_FASTER ? otherThan(preferred) : preferred;
  return resultOf(spec, path, preferred, ownTotal, otherTotal);
};

const otherThan = (path: DhPath): DhPath => (path === 'object' ? 'keyObject' : 'object');

const resultOf = (
  { group }: GroupSpec,
  path: DhPath,
  preferred: DhPath,
  own: number,
  other: number | undefined,
): DhCalibration =>
  preferred === 'object'
    ? { group, path, object: own, keyObject: other }
    : { group, path, object: other, keyObject: own };

interface Cost {
  readonly publicValue: number;
  readonly sharedSecret: number;
}

/** The best of three exchanges with ourselves, fewer once one took more than `giveUp` ms. */
const measure = (spec: GroupSpec, engine: DhEngine, giveUp: number, clock: () => number): Cost => {
  // Also warms up, so that the first round is as good as the others.
  const peerPublic = engine.publicValue(new Uint8Array(spec.privateSize).fill(PEER_PATTERN));
  const privateValue = new Uint8Array(spec.privateSize).fill(OWN_PATTERN);
  let publicValue = Number.POSITIVE_INFINITY;
  let sharedSecret = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = clock();
    engine.publicValue(privateValue);
    const middle = clock();
    engine.sharedSecret(privateValue, peerPublic);
    const end = clock();
    publicValue = Math.min(publicValue, middle - start);
    sharedSecret = Math.min(sharedSecret, end - middle);
    if (end - start > giveUp) break;
  }
  return { publicValue, sharedSecret };
};

const ROUNDS = 3;
/** Both are one exponentiation; a secret that costs this much more hides a check of the peer's value as large as the group. */
const SUSPICIOUS = 1.5;
/** One round this much slower than the preferred path settles it. */
const HOPELESS = 3;
const CLEARLY_FASTER = 0.8;
/** Exponents of full length for the measurement, nobody's secret. */
const PEER_PATTERN = 0xa5;
const OWN_PATTERN = 0xc3;
