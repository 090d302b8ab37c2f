/** The attributes of one transform as numbers: what phase 1 and phase 2 selection have in common. RFC 2408 §3.6, RFC 2409 appendix A, RFC 2407 §4.5. */
import { DEFAULT_LIFE_SECONDS } from '../constants/ipsec-doi.ts';
import { LifeType } from '../constants/oakley.ts';
import { type Attribute, attributeNumber, durationAttribute } from '../wire/payloads.ts';
import type { Lifetime, NumberRange } from './peer-policy.ts';

export interface OfferedLifetime {
  /** LifeType. */
  readonly type: number;
  readonly duration: number;
}

/** A transform read leniently in order, strictly in value. */
export interface OfferedAttributes {
  /** Every attribute but lifetimes: type -> value. */
  readonly values: ReadonlyMap<number, number>;
  readonly lifetimes: readonly OfferedLifetime[];
  /** Why no such transform can be accepted: a duplicate, an unreadable value, a duration without type. */
  readonly fault: string | undefined;
}

/** Which attribute numbers mean life type and duration: they differ between the two phases. */
export interface LifetimeNumbers {
  readonly LIFE_TYPE: number;
  readonly LIFE_DURATION: number;
}

/** Reads a transform's attributes. Never throws: a fault makes the transform unacceptable, not the message. */
export const readAttributes = (attributes: readonly Attribute[], numbers: LifetimeNumbers): OfferedAttributes => {
  const values = new Map<number, number>();
  const lifetimes: OfferedLifetime[] = [];
  let fault: string | undefined;
  let lifeType: number | undefined;
  for (const attribute of attributes) {
    const value = attributeNumber(attribute);
    if (value === undefined) fault ??= `attribute ${attribute.type} has a value of a size nobody uses`;
    else if (attribute.type === numbers.LIFE_TYPE) lifeType = value;
    else if (attribute.type === numbers.LIFE_DURATION) {
      if (lifeType === undefined) fault ??= 'LIFE_DURATION without LIFE_TYPE before it';
      else lifetimes.push({ type: lifeType, duration: value });
      lifeType = undefined;
    } else if (values.has(attribute.type)) fault ??= `attribute ${attribute.type} given twice`;
    else values.set(attribute.type, value);
  }
  return { values, lifetimes, fault };
};

/** The attributes that offer these lifetimes; `ANY` offers none. */
export const lifetimeAttributes = (lifetimes: readonly Lifetime[], numbers: LifetimeNumbers): readonly Attribute[] =>
  lifetimes.flatMap(({ type, duration }) =>
    duration === 'ANY'
      ? []
      : [{ type: numbers.LIFE_TYPE, value: type }, durationAttribute(numbers.LIFE_DURATION, duration.offered)],
  );

export interface AgreedLifetimes {
  readonly seconds: number;
  /** 0 = no such limit. */
  readonly kilobytes: number;
  /** Ours is shorter than what the peer offered: it is to be told. */
  readonly shortened: boolean;
}

/**
 * Longer than our maximum is accepted and shortened on our side, shorter than our minimum refused (the answer is then what to
 * say about it); a kind of lifetime that we do not configure is taken as offered. No seconds offered mean 28,800 (RFC 2407 §4.5).
 */
export const agreeLifetimes = (
  offered: readonly OfferedLifetime[],
  accepted: readonly Lifetime[],
): AgreedLifetimes | Difference => {
  const agreed = { [LifeType.SECONDS]: 0, [LifeType.KILOBYTES]: 0 };
  let shortened = false;
  for (const { type, duration } of withDefault(offered, accepted)) {
    if (type !== LifeType.SECONDS && type !== LifeType.KILOBYTES) {
      return { attribute: 'LIFE_TYPE', got: String(type), expected: 'SECONDS or KILOBYTES' };
    }
    const range = rangeFor(type, accepted);
    if (range !== undefined && duration < range.least) {
      return { attribute: 'LIFE_DURATION', got: String(duration), expected: `${range.least} to ${range.most}` };
    }
    const ours = Math.min(duration, range?.most ?? LONGEST_LIFE, LONGEST_LIFE);
    if (ours < duration) shortened = true;
    agreed[type] = agreed[type] === 0 ? ours : Math.min(agreed[type], ours);
  }
  return {
    seconds: agreed[LifeType.SECONDS] || DEFAULT_LIFE_SECONDS,
    kilobytes: agreed[LifeType.KILOBYTES],
    shortened,
  };
};

const withDefault = (
  offered: readonly OfferedLifetime[],
  accepted: readonly Lifetime[],
): readonly OfferedLifetime[] => {
  if (offered.some(({ type }) => type === LifeType.SECONDS)) return offered;
  // Nobody asked for less than our minimum here: it is we who fill in.
  return [...offered, { type: LifeType.SECONDS, duration: Math.max(DEFAULT_LIFE_SECONDS, leastSeconds(accepted)) }];
};

/** The shortest life that we accept, seconds; 0 where nothing is said about it. */
export const leastSeconds = (accepted: readonly Lifetime[]): number => rangeFor(LifeType.SECONDS, accepted)?.least ?? 0;

/** What fits the 4 bytes of RESPONDER-LIFETIME: 136 years, 4 TB. */
const LONGEST_LIFE = 0xffffffff;

const rangeFor = (type: number, accepted: readonly Lifetime[]): NumberRange | undefined => {
  for (const lifetime of accepted) {
    if (lifetime.type === type && lifetime.duration !== 'ANY') return lifetime.duration;
  }
  return undefined;
};

/** One attribute on which an offer and what we accept disagree, in words of isakmpd.conf(5). */
export interface Difference {
  readonly attribute: string;
  readonly got: string;
  readonly expected: string;
}

export const isDifference = <T extends object>(x: T | Difference): x is Difference => 'attribute' in x;

/** A transform of the offer against one that we accept: everything that differs, worst-informed guess excluded. */
export interface Comparison {
  /** What the peer offered, in words: AES_CBC-128/SHA2_256/MODP_2048. */
  readonly offered: string;
  /** Section name of the transform compared with, and its words. */
  readonly acceptedName: string;
  readonly accepted: string;
  readonly differences: readonly Difference[];
  /** The generated name that would accept the offer, where there is one. */
  readonly remedy: string | undefined;
  /** It would take Legacy-crypto=yes as well. */
  readonly isWeak: boolean;
}

/** The comparison with the fewest differences: the one worth telling the operator. */
export const nearest = (comparisons: readonly Comparison[]): Comparison | undefined => {
  let best: Comparison | undefined;
  for (const comparison of comparisons) {
    if (best === undefined || comparison.differences.length < best.differences.length) best = comparison;
  }
  return best;
};
