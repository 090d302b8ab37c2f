/** Names of rows in the SA table, as a record and as one number for messages between threads. */
import { InvariantError } from '../errors.ts';

/** Names one SA: when the slot is given to another SA, its generation changes. */
export interface SaHandle {
  readonly slot: number;
  /** Odd; even generations belong to free slots. */
  readonly generation: number;
}

/** A safe integer: slot times 2^32 plus generation. */
export const encodeHandle = (handle: SaHandle): number => handle.slot * GENERATIONS + handle.generation;

/** The reverse of `encodeHandle`. Throws InvariantError for what cannot have come from it. */
export const decodeHandle = (encoded: number): SaHandle => {
  if (!Number.isSafeInteger(encoded) || encoded < 0) throw new InvariantError(`${encoded} is no SA handle`);
  return { slot: Math.floor(encoded / GENERATIONS), generation: encoded % GENERATIONS };
};

/** What fits beside a generation into a safe integer. */
export const MOST_SLOTS = 2 ** 21;

const GENERATIONS = 2 ** 32;
