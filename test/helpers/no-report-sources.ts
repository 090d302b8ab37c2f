/** A report of a daemon that has nothing. */
import type { ReportSources } from '../../src/shared/report/report.ts';

export const NO_REPORT_SOURCES: ReportSources = {
  now: 0,
  sas: [],
  exchanges: [],
  policyOf: () => undefined,
  sockets: [],
  encapsulationPort: 4500,
  dropped: { received: 0, sent: 0 },
  active: [],
  answering: [],
  nextCheckAt: 0,
  configuration: [],
};
