/** What the connection core says of a connection when somebody asks: a report, or the status socket. */
import type { Connection, LastFailure, Pair } from './records.ts';

/**
 * up: it has an IPsec SA. connecting: one is being negotiated, or the ISAKMP SA for it. down: it should be up. passive: it is the peer's to begin.
 */
export type ConnectionState = 'up' | 'connecting' | 'down' | 'passive';

export interface ConnectionStatus {
  readonly name: string;
  /** Ours, from 1. */
  readonly number: number;
  readonly isActive: boolean;
  readonly state: ConnectionState;
  /** ms: when it last came up or ceased to be. */
  readonly since: number;
  readonly lastFailure: LastFailure | undefined;
  /** ms: when what failed is tried again. */
  readonly nextAttemptAt: number | undefined;
  /** The current one of each tunnel first. */
  readonly pairs: readonly PairStatus[];
}

export interface PairStatus {
  readonly isCurrent: boolean;
  readonly protocols: readonly { readonly protocolId: number; readonly spiIn: number; readonly spiOut: number }[];
}

export const statusOf = (connection: Connection): ConnectionStatus => {
  const { name, number, isActive, changedAt, retry, waitsFor } = connection;
  return {
    name,
    number,
    isActive,
    state: stateOf(connection),
    since: changedAt,
    lastFailure: connection.lastFailure,
    nextAttemptAt: retry?.at ?? waitsFor?.retry?.at,
    pairs: Array.from(connection.pairs(), pairStatus).sort((a, b) => Number(b.isCurrent) - Number(a.isCurrent)),
  };
};

const stateOf = (connection: Connection): ConnectionState => {
  if (!connection.isDown) return 'up';
  const { attempt, foreign, larval, waitsFor } = connection;
  if (attempt !== undefined || foreign.size > 0 || larval.size > 0 || waitsFor?.attempt !== undefined) {
    return 'connecting';
  }
  return connection.isActive ? 'down' : 'passive';
};

const pairStatus = ({ state, agreement }: Pair): PairStatus => ({
  isCurrent: state === 'current',
  protocols: agreement.protocols.map(({ protocolId, spiIn, spiOut }) => ({ protocolId, spiIn, spiOut })),
});
