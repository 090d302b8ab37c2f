/** Why userland ESP drops packets: the counters, as they begin. */
export const NO_DROPS = {
  /** No IP packet, or an authentic ESP packet whose inside is none. */
  malformed: 0,
  /** No flow for it, in or out. */
  noFlow: 0,
  /** Out: one of its flow waits for an SA already. In: no SA has this SPI. */
  noSa: 0,
  /** Encapsulated in UDP for an SA that is not, or the other way round. */
  otherEncapsulation: 0,
  replayed: 0,
  forged: 0,
  /** There to be dropped (RFC 4303 §2.6). */
  dummy: 0,
  /** Authentic, but not between the addresses and ports that the SA was made for. */
  outsideSa: 0,
  /** Its ends would not learn of the congestion it met (RFC 6040 §4.2). */
  congestion: 0,
  tooBig: 0,
  /** The socket or the device did not take it. */
  notSent: 0,
} as const;

export type Drop = keyof typeof NO_DROPS;
export type Drops = Readonly<Record<Drop, number>>;
