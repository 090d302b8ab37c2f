/** What the status socket answers, in pieces: a list of thousands is made and written a few hundred entries at a time, so it takes no more memory than they do. */
import { fold } from '../../shared/config/case-fold.ts';
import type { ConnectionStatus } from '../../shared/connection/status.ts';
import { type DatedItem, stateOf } from '../../shared/credentials/check-certificates.ts';
import { SystemError, unreachable } from '../../shared/errors.ts';
import { maskedValue } from '../../shared/report/configuration-report.ts';
import { jsonText } from '../../shared/report/json-text.ts';
import { saStatusOf, spisOf, type WallTime } from '../../shared/report/sa-status.ts';
import type {
  CertificateItem,
  ConnectionItem,
  LaneItem,
  PeerItem,
  SaStatus,
  SectionItem,
  StatusAnswer,
  StatusRequest,
} from '../../shared/report/status-schema.ts';
import type { SaEntry, SaTable } from '../../shared/sa-table/sa-table.ts';
import type { DaemonConfiguration } from '../configuration.ts';
import type { DaemonCredentials } from '../credentials/daemon-credentials.ts';
import type { TrafficCounters } from '../kernel/traffic-counters.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { Gate } from '../network/gate.ts';
import { writtenSections } from '../report/report-sources.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';

export interface StatusParts {
  readonly configuration: DaemonConfiguration;
  readonly table: SaTable;
  readonly lanes: Pick<Lanes, 'count' | 'statistics'>;
  readonly supervisor: Pick<Supervisor, 'statusOf' | 'activeStatus' | 'counts'>;
  readonly traffic: Pick<TrafficCounters, 'refresh' | 'read'>;
  readonly gate: Pick<Gate, 'isOpen' | 'dropped'>;
  readonly credentials: Pick<DaemonCredentials, 'items'>;
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly wallTime: WallTime;
}

/** Requests that are answered by one line, all but `subscribe`. */
export type Question = Exclude<StatusRequest, { readonly request: 'subscribe' }>;

/** The answer to one request as the pieces of its line, newline included. */
export async function* answerPieces(parts: StatusParts, question: Question): AsyncGenerator<string, void> {
  switch (question.request) {
    case 'status':
      yield `${jsonText(statusOf(parts))}\n`;
      return;
    case 'sas':
      await parts.traffic.refresh(saEntries(parts, question.name));
      yield* listPieces('sas', sas(parts, question.name));
      return;
    case 'connections':
      yield* listPieces('connections', connections(parts, question.name));
      return;
    case 'peers':
      yield* listPieces('peers', peers(parts, question.name));
      return;
    case 'certificates':
      yield* listPieces('certificates', parts.credentials.items.map(certificateItem));
      return;
    case 'configuration':
      yield* listPieces('configuration', sections(parts, question.name));
      return;
    case 'lanes':
      yield* listPieces(
        'lanes',
        await Promise.all(Array.from({ length: parts.lanes.count }, (_, i) => laneOf(parts, i))),
      );
      return;
    default:
      unreachable(question);
  }
}

type ListAnswer = Exclude<StatusAnswer['answer'], 'status' | 'subscribed' | 'error'>;

function* listPieces(answer: ListAnswer, items: Iterable<unknown>): Generator<string, void> {
  let piece = `{"answer":"${answer}","${answer}":[`;
  let count = 0;
  for (const item of items) {
    piece += `${count === 0 ? '' : ','}${jsonText(item)}`;
    count++;
    if (count % ITEMS_A_PIECE !== 0) continue;
    yield piece;
    piece = '';
  }
  yield `${piece}]}\n`;
}

const statusOf = (parts: StatusParts): StatusAnswer => {
  const { supervisor, lanes, gate, pid, startedAt } = parts;
  const { isakmpSas, pairs, running } = supervisor.counts;
  const connectionCounts = { configured: 0, up: 0, connecting: 0, down: 0, passive: 0 };
  for (const name of connectionNames(parts)) {
    connectionCounts.configured++;
    connectionCounts[supervisor.statusOf(name).state]++;
  }
  return {
    answer: 'status',
    pid,
    startedAt,
    mode: gate.isOpen ? 'active' : 'passive',
    lanes: lanes.count,
    isakmpSas,
    ipsecSas: pairs,
    running,
    droppedWhilePassive: gate.dropped,
    connections: connectionCounts,
  };
};

const isWanted = (name: string, wanted: string | undefined): boolean =>
  wanted === undefined || fold(name) === fold(wanted);

function* saEntries({ table }: StatusParts, wanted: string | undefined): Generator<SaEntry, void> {
  for (const entry of table.all()) if (isWanted(entry.row.name, wanted)) yield entry;
}

function* sas(parts: StatusParts, wanted: string | undefined): Generator<SaStatus, void> {
  const { traffic, wallTime } = parts;
  for (const entry of saEntries(parts, wanted)) yield saStatusOf(entry.row, wallTime, traffic.read(entry));
}

/** What the configuration lists, and what the operator has started besides. */
const connectionNames = ({ configuration, supervisor }: StatusParts): Iterable<string> => {
  const { active, passive } = configuration.store.connectionLists();
  const names = new Map([...active, ...passive].map((name) => [fold(name), name]));
  for (const { name } of supervisor.activeStatus()) names.set(fold(name), name);
  return names.values();
};

function* connections(parts: StatusParts, wanted: string | undefined): Generator<ConnectionItem, void> {
  const { configuration, supervisor, wallTime } = parts;
  const view = configuration.view();
  for (const name of connectionNames(parts)) {
    if (!isWanted(name, wanted)) continue;
    yield connectionItem(name, view.connection(name)?.peer, supervisor.statusOf(name), wallTime);
  }
}

const connectionItem = (
  name: string,
  peer: string | undefined,
  { isActive, state, since, lastFailure, nextAttemptAt, pairs }: ConnectionStatus,
  wallTime: WallTime,
): ConnectionItem => ({
  name,
  peer: peer ?? null,
  mode: isActive ? 'active' : 'passive',
  state,
  since: wallTime(since),
  lastFailure:
    lastFailure === undefined
      ? null
      : { reason: lastFailure.reason, cause: lastFailure.cause, at: wallTime(lastFailure.at) },
  nextAttemptAt: nextAttemptAt === undefined ? null : wallTime(nextAttemptAt),
  sas: pairs.flatMap(({ isCurrent, protocols }) =>
    protocols.map((protocol) => ({ current: isCurrent, ...spisOf(protocol) })),
  ),
});

function* peers({ configuration }: StatusParts, wanted: string | undefined): Generator<PeerItem, void> {
  for (const name of configuration.peersInUse()) {
    if (!isWanted(name, wanted)) continue;
    const policy = configuration.peer(name);
    yield {
      name,
      usable: policy !== undefined,
      address: policy?.address ?? null,
      connections: policy?.connections.map((connection) => connection.name) ?? [],
    };
  }
}

function* sections({ configuration }: StatusParts, wanted: string | undefined): Generator<SectionItem, void> {
  for (const { name, tags } of writtenSections(configuration)) {
    if (!isWanted(name, wanted)) continue;
    yield { section: name, tags: tags.map(({ tag, value }) => ({ tag, value: maskedValue(tag, value) })) };
  }
}

const certificateItem = (item: DatedItem): CertificateItem => ({
  kind: item.kind,
  file: item.file,
  name: item.name,
  validFrom: new Date(item.from).toISOString(),
  validUntil: item.until === undefined ? null : new Date(item.until).toISOString(),
  state: stateOf(item, Date.now()),
});

const laneOf = async ({ lanes }: StatusParts, lane: number): Promise<LaneItem> => {
  try {
    const { threadId: _, ...counts } = await lanes.statistics(lane);
    return { ...counts, lane, fault: null };
  } catch (fault) {
    if (!(fault instanceof SystemError)) throw fault;
    return { ...SILENT_LANE, lane, fault: fault.message };
  }
};

const SILENT_LANE = {
  isakmpSas: null,
  halfOpen: null,
  phase2Exchanges: null,
  queuedFast: null,
  queuedSlow: null,
  shed: null,
  diffieHellman: null,
} as const;

const ITEMS_A_PIECE = 200;
