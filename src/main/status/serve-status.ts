/** Opens the status socket for a daemon that has started. */
import { SystemError } from '../../shared/errors.ts';
import { failure } from '../../shared/log/records.ts';
import type { Assembly } from '../assembly.ts';
import { monotonicNow, wallTime } from '../clock.ts';
import type { DaemonConfiguration } from '../configuration.ts';
import type { Logger } from '../log/log.ts';
import type { Privileged } from '../privileged/privileged.ts';
import { answerPieces, type StatusParts } from './status-answers.ts';
import { StatusSocket } from './status-socket.ts';

interface ServedParts extends Pick<StatusParts, 'credentials'> {
  readonly configuration: DaemonConfiguration;
  readonly privileged: Pick<Privileged, 'openStatusSocket'>;
  readonly log: Pick<Logger, 'write'>;
}

/** The answer closes it. A daemon that cannot have it says so and goes on without. */
export const serveStatus = async (
  { configuration, credentials, privileged, log }: ServedParts,
  daemon: Assembly,
): Promise<() => void> => {
  const parts = {
    ...daemon,
    configuration,
    credentials,
    pid: process.pid,
    startedAt: wallTime(monotonicNow()),
    wallTime,
  };
  try {
    const server = await privileged.openStatusSocket();
    const { feed, faults } = daemon;
    const socket = new StatusSocket(server, { feed, faults, answer: (question) => answerPieces(parts, question) });
    return () => socket.close();
  } catch (fault) {
    if (!(fault instanceof SystemError)) throw fault;
    log.write(failure('status-socket-failed', `status socket: ${fault.message}`));
    return () => undefined;
  }
};
