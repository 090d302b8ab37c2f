/**
 * The report of isakmpd(8) (`r`, SIGUSR1): SAs, exchanges, transports, connections, timers and configuration, each line as the original writes it.
 * Pure: it reads what it is given, line by line, so that whoever prints it can take turns with other work.
 */

import { printable } from '../log/printable.ts';
import type { SaEntry } from '../sa-table/sa-table.ts';
import type { LaneExchange } from '../threads/contract.ts';
import { configurationReport, type WrittenSection } from './configuration-report.ts';
import { exchangeReport, type LaneAnswer } from './exchange-report.ts';
import { exchangeNumber } from './pointers.ts';
import { saReport } from './sa-report.ts';
import { TimerList } from './timer-report.ts';
import { type OpenSocket, PathsInUse, transportReport } from './transport-report.ts';

/** An active connection. `number` names it among connections; `retryAt`: a timer of its own, ms, 0: none. */
export interface CheckedConnection {
  readonly name: string;
  readonly number: number;
  readonly retryAt: number;
}

/** A connection that answers the peer's quick modes, with the selectors it answers to. */
export interface AnsweringConnection {
  readonly name: string;
  readonly localId: string;
  readonly remoteId: string;
}

export interface ReportSources {
  /** ms, as all times here. */
  readonly now: number;
  readonly sas: Iterable<SaEntry>;
  readonly exchanges: readonly LaneAnswer[];
  readonly policyOf: (exchange: LaneExchange) => string | undefined;
  readonly sockets: readonly OpenSocket[];
  readonly encapsulationPort: number | undefined;
  /** Datagrams that were kept in and out while the daemon was passive. */
  readonly dropped: { readonly received: number; readonly sent: number };
  readonly active: Iterable<CheckedConnection>;
  readonly answering: Iterable<AnsweringConnection>;
  /** When all connections are looked after; 0: never. */
  readonly nextCheckAt: number;
  readonly configuration: Iterable<WrittenSection>;
}

/** The lines without time and tag. */
export function* reportLines(sources: ReportSources): Generator<string, void> {
  const { now, exchanges, policyOf, nextCheckAt } = sources;
  const timers = new TimerList(now);
  const paths = new PathsInUse(sources.encapsulationPort);
  for (const entry of sources.sas) {
    yield* saReport(entry);
    timers.add('sa_soft_expire', entry.handle.slot, entry.row.softAt);
    timers.add('sa_hard_expire', entry.handle.slot, entry.row.hardAt);
    paths.addRow(entry.row);
  }
  for (const answer of exchanges) {
    yield* exchangeReport(answer, policyOf);
    if ('fault' in answer) continue;
    for (const { phase, number, endsAt, repeatsAt } of answer.exchanges) {
      const which = exchangeNumber(answer.lane, phase, number);
      timers.add('exchange_free_aux', which, endsAt);
      timers.add('message_send_expire', which, repeatsAt);
    }
  }
  yield* transportReport(paths, sources.sockets);
  yield* droppedReport(sources.dropped);
  timers.add('connection_checker', 0, nextCheckAt);
  for (const { name, number, retryAt } of sources.active) {
    const at = retryAt === 0 ? nextCheckAt : Math.min(retryAt, nextCheckAt);
    const seconds = Math.max(0, Math.floor(at / 1000) - Math.floor(now / 1000));
    yield `connection_report: connection ${printable(name)} next check ${seconds} seconds`;
    timers.add('connection_checker', number, retryAt);
  }
  for (const { name, localId, remoteId } of sources.answering) {
    yield `connection_report: passive connection ${printable(name)} local_id: ${localId}, remote_id: ${remoteId}`;
  }
  yield* timers.lines();
  yield* configurationReport(sources.configuration);
}

/** A line of ours, so it is there only where it says something. */
function* droppedReport({ received, sent }: ReportSources['dropped']): Generator<string, void> {
  if (received + sent > 0) yield `transport_report: dropped while passive: ${received} received, ${sent} to be sent`;
}
