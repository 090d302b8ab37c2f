/**
 * Messages that come in fragments, until they are whole. Every fragment costs the same whatever came before it (CVE-2016-10396), and what is kept is
 * bounded by message, by ISAKMP SA (the owner), by peer address, in all, and in time (CVE-2009-1574).
 */
import { compareBytes } from '../address.ts';
import type { Fragment } from './fragments.ts';

export type Reassembled =
  /** More has to come, or it has come before. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'whole'; readonly message: Uint8Array }
  /** What was there of the message is gone as well. */
  | { readonly kind: 'refused'; readonly reason: string };

/** One message of which fragments are here. */
interface Pending<Owner> {
  readonly owner: Owner;
  readonly address: string;
  readonly id: number;
  /** ms. */
  readonly since: number;
  /** By their numbers less 1. */
  readonly parts: (Uint8Array | undefined)[];
  received: number;
  /** How many there are, 0 while the last one has not come. */
  count: number;
  /** Of all the data so far. */
  bytes: number;
}

export class Reassembly<Owner extends object> {
  readonly #byOwner = new Map<Owner, Pending<Owner>[]>();
  readonly #byAddress = new Map<string, Hoard<Owner>>();
  readonly #all = new Hoard<Owner>();

  /** Messages that wait for fragments. */
  get size(): number {
    return this.#all.size;
  }

  /** Takes in a fragment that `owner` was sent from `address` at `now` (ms). Its data is copied. Older messages make room for it. */
  add(owner: Owner, address: string, fragment: Fragment, now: number): Reassembled {
    const pending = this.#find(owner, fragment) ?? this.#begin(owner, address, fragment.id, now);
    if (pending.parts[fragment.number - 1] !== undefined) return { kind: 'incomplete' };
    const reason = faultOf(pending, fragment);
    if (reason !== undefined) {
      this.#drop(pending);
      return { kind: 'refused', reason };
    }
    this.#grow(pending, fragment.data.length);
    pending.parts[fragment.number - 1] = new Uint8Array(fragment.data);
    pending.received++;
    pending.bytes += fragment.data.length;
    if (fragment.isLast) pending.count = fragment.number;
    if (pending.received !== pending.count) return { kind: 'incomplete' };
    this.#drop(pending);
    return { kind: 'whole', message: joined(pending) };
  }

  /** Forgets what `owner` has been waiting for too long; answers when the rest of it will have, in ms. */
  expire(owner: Owner, now: number): number | undefined {
    for (const pending of [...(this.#byOwner.get(owner) ?? [])]) {
      if (pending.since + REASSEMBLY_TIME <= now) this.#drop(pending);
    }
    const [oldest] = this.#byOwner.get(owner) ?? [];
    return oldest === undefined ? undefined : oldest.since + REASSEMBLY_TIME;
  }

  /** The owner is no more. */
  forget(owner: Owner): void {
    for (const pending of [...(this.#byOwner.get(owner) ?? [])]) this.#drop(pending);
  }

  /**
   * What the fragment goes on with. Where another fragment has its place, a peer that has one id for all messages has begun the next one: the old
   * one is given up.
   */
  #find(owner: Owner, { id, number, data }: Fragment): Pending<Owner> | undefined {
    const pending = this.#byOwner.get(owner)?.find((one) => one.id === id);
    const before = pending?.parts[number - 1];
    if (pending === undefined || before === undefined || compareBytes(before, data) === 0) return pending;
    this.#drop(pending);
    return undefined;
  }

  #begin(owner: Owner, address: string, id: number, now: number): Pending<Owner> {
    const others = this.#byOwner.get(owner) ?? [];
    if (others.length >= MOST_OF_ONE_OWNER && others[0] !== undefined) this.#drop(others[0]);
    const pending = { owner, address, id, since: now, parts: [], received: 0, count: 0, bytes: 0 };
    const hoard = this.#byAddress.get(address) ?? new Hoard<Owner>();
    this.#byAddress.set(address, hoard);
    for (const one of [hoard, this.#all]) one.add(pending);
    this.#byOwner.set(owner, [...(this.#byOwner.get(owner) ?? []), pending]);
    return pending;
  }

  #grow(pending: Pending<Owner>, bytes: number): void {
    const cost = bytes + COST_OF_ONE;
    const makeRoom = (hoard: Hoard<Owner> | undefined, most: number): void => {
      const next = () => hoard?.tooMuch(most - cost, pending);
      for (let oldest = next(); oldest !== undefined; oldest = next()) this.#drop(oldest);
    };
    const hoard = this.#byAddress.get(pending.address);
    makeRoom(hoard, MOST_OF_ONE_ADDRESS);
    makeRoom(this.#all, MOST_OF_ALL);
    for (const one of [hoard, this.#all]) one?.grow(cost);
  }

  #drop(pending: Pending<Owner>): void {
    const { owner, address, received, bytes } = pending;
    const hoard = this.#byAddress.get(address);
    for (const one of [hoard, this.#all]) one?.remove(pending, bytes + received * COST_OF_ONE);
    if (hoard?.size === 0) this.#byAddress.delete(address);
    const others = this.#byOwner.get(owner)?.filter((one) => one !== pending) ?? [];
    if (others.length === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, others);
  }
}

/** What is kept of one peer, or in all; oldest first. */
class Hoard<Owner> {
  readonly #pending = new Set<Pending<Owner>>();
  #bytes = 0;

  get size(): number {
    return this.#pending.size;
  }

  /** The first to go if there are more than so many bytes; `growing` is what room is made for. */
  tooMuch(most: number, growing: Pending<Owner>): Pending<Owner> | undefined {
    if (this.#bytes <= most) return undefined;
    for (const oldest of this.#pending) if (oldest !== growing) return oldest;
    return undefined;
  }

  add(pending: Pending<Owner>): void {
    this.#pending.add(pending);
  }

  grow(bytes: number): void {
    this.#bytes += bytes;
  }

  remove(pending: Pending<Owner>, bytes: number): void {
    if (this.#pending.delete(pending)) this.#bytes -= bytes;
  }
}

/** A plain array: of a Buffer, slice() would be no copy. */
const joined = <Owner>({ parts, bytes }: Pending<Owner>): Uint8Array => {
  const message = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    if (part === undefined) continue;
    message.set(part, at);
    at += part.length;
  }
  return message;
};

/** Why a fragment cannot be one of this message; undefined: it can. */
const faultOf = <Owner>(pending: Pending<Owner>, { number, isLast, data }: Fragment): string | undefined => {
  const { parts, count, bytes } = pending;
  if (number > MOST_FRAGMENTS) return `more than ${MOST_FRAGMENTS} fragments`;
  if (bytes + data.length > LARGEST_MESSAGE) return `more than ${LARGEST_MESSAGE} bytes`;
  if (count !== 0 && (number > count || (isLast && number !== count))) return 'a fragment after the last one';
  if (isLast && parts.length > number) return 'a last fragment before others';
  return undefined;
};

/** 32 KiB: chains of certificates fit, even in fragments of 576 bytes as Windows makes them. */
export const LARGEST_MESSAGE = 32_768;
export const MOST_FRAGMENTS = 64;
const MOST_OF_ONE_OWNER = 2;
/** Bytes, with what a fragment costs besides its data. */
export const MOST_OF_ONE_ADDRESS = 262_144;
export const MOST_OF_ALL = 4_194_304;
const COST_OF_ONE = 256;
/** ms: what is lost comes again within that time. */
export const REASSEMBLY_TIME = 30_000;
