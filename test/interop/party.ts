/** What a scenario may ask of one side, whichever daemon it is. */
import type { Listing } from './listing.ts';

/** Where one side of a scenario lives. */
export interface Place {
  readonly namespace: string;
  /** A folder of its own for configuration, sockets and logs. */
  readonly folder: string;
  /** The keys of all sides. */
  readonly keys: string;
}

/** A phase 1 key as the peer tells it: the initialization vector of the first encrypted message says which phase 1 it is of. */
export interface Key {
  readonly key: string;
  readonly iv: string;
}

export interface Party {
  /** Starts the daemon and returns when it listens. */
  start(): Promise<void>;
  /** Negotiates all that the set-up lists. Failing to is an outcome, which the listings show. */
  initiate(): Promise<void>;
  /** Negotiates one more pair of networks. */
  initiateOne(net: string): Promise<void>;
  listing(): Promise<Listing>;
  /** Replaces the SAs of that phase, now or when their short life ends. */
  rekey(phase: 1 | 2): Promise<void>;
  removeQuick(net: string): Promise<void>;
  removeMain(): Promise<void>;
  removeEverything(): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

/** A foreign daemon also tells the keys of its phase 1s, and the g^xy (hex) they were made of in the order of its agreements. */
export interface Peer extends Party {
  keys(): readonly Key[];
  sharedSecrets(): readonly string[];
}
