/** An identity may be as long as a datagram. */
export const bounded = (text: string, longest = LONGEST): string =>
  text.length <= longest ? text : `${text.slice(0, longest)}...`;

const LONGEST = 120;

/** What the policy's decision is said to be. */
export const LONGEST_DECISION = 600;
