/** Where a report gets its facts: the SA table, the lanes, the sockets, the connection core and the configuration. */

import { SystemError } from '../../shared/errors.ts';
import { identityText } from '../../shared/policy/identity.ts';
import type { WrittenSection } from '../../shared/report/configuration-report.ts';
import type { LaneAnswer } from '../../shared/report/exchange-report.ts';
import type { AnsweringConnection, CheckedConnection, ReportSources } from '../../shared/report/report.ts';
import type { SaTable } from '../../shared/sa-table/sa-table.ts';
import type { DaemonConfiguration } from '../configuration.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { Gate } from '../network/gate.ts';
import type { UdpSockets } from '../network/sockets.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';

export interface ReportedParts {
  readonly configuration: DaemonConfiguration;
  readonly table: SaTable;
  readonly lanes: Pick<Lanes, 'count' | 'exchanges'>;
  readonly network: Pick<UdpSockets, 'openSockets'>;
  readonly supervisor: Pick<Supervisor, 'activeStatus' | 'nextCheckAt'>;
  readonly gate: Pick<Gate, 'dropped'>;
  readonly encapsulationPort: number | undefined;
}

/** What a report says as of `now` (ms). The lanes are asked first; one that does not answer is reported as such. */
export const reportSources = async (parts: ReportedParts, now: number): Promise<ReportSources> => {
  const { configuration, table, lanes, network, supervisor, gate, encapsulationPort } = parts;
  const exchanges = await Promise.all(Array.from({ length: lanes.count }, (_, lane) => answerOf(lanes, lane)));
  return {
    now,
    sas: table.all(),
    exchanges,
    policyOf: ({ phase, name }) =>
      phase === 1 ? configuration.peer(name)?.configuration : configuration.store.get(name, 'Configuration'),
    sockets: network.openSockets(),
    encapsulationPort,
    dropped: gate.dropped,
    active: checkedConnections(supervisor),
    answering: answeringConnections(configuration),
    nextCheckAt: supervisor.nextCheckAt ?? 0,
    configuration: writtenSections(configuration),
  };
};

const answerOf = async (lanes: ReportedParts['lanes'], lane: number): Promise<LaneAnswer> => {
  try {
    return { lane, ...(await lanes.exchanges(lane)) };
  } catch (fault) {
    if (!(fault instanceof SystemError)) throw fault;
    return { lane, fault: fault.message };
  }
};

function* checkedConnections(supervisor: ReportedParts['supervisor']): Generator<CheckedConnection, void> {
  for (const { name, number, nextAttemptAt } of supervisor.activeStatus()) {
    yield { name, number, retryAt: nextAttemptAt ?? 0 };
  }
}

/** Every connection with selectors, whoever begins it, unless only we may. */
function* answeringConnections(configuration: DaemonConfiguration): Generator<AnsweringConnection, void> {
  for (const peer of configuration.peersInUse()) {
    for (const { name, localId, remoteId, activeOnly } of configuration.peer(peer)?.connections ?? []) {
      if (localId === undefined || activeOnly) continue;
      yield {
        name,
        localId: identityText(localId),
        remoteId: remoteId === undefined ? '<any>' : identityText(remoteId),
      };
    }
  }
}

/** Section by section, because the report may be long and the store changes meanwhile. */
export function* writtenSections({ store }: DaemonConfiguration): Generator<WrittenSection, void> {
  for (const name of store.sections()) {
    const tags = store.tags(name);
    if (tags.length > 0) yield { name, tags };
  }
}
