/**
 * The `0x...` that the original prints for the address of each thing in a report. Nothing here has an address that means anything: the number is made of what
 * the thing is and of its own number, so it is the same in every report while the thing lives, and two things never share one.
 */

export type PointerKind = 'sa' | 'spi' | 'exchange' | 'transport' | 'timer';

/** `number`: 0 to 2^44 - 1, unique among things of this kind. */
export const pointer = (kind: PointerKind, number: number): string =>
  `0x${DIGITS[kind]}${number.toString(16).padStart(11, '0')}`;

/** What glibc prints for no pointer at all. */
export const NO_POINTER = '(nil)';

/** An exchange by its lane, its phase and its number there. */
export const exchangeNumber = (lane: number, phase: 1 | 2, number: number): number =>
  lane * 2 ** 34 + number * 2 + phase - 1;

const DIGITS: Readonly<Record<PointerKind, number>> = { sa: 1, spi: 2, exchange: 3, transport: 4, timer: 5 };
