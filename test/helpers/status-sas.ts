/** What a daemon says of its SAs on its status socket. */
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { InvariantError } from '../../src/shared/errors.ts';
import { type SaStatus, statusAnswer } from '../../src/shared/report/status-schema.ts';

/** One question on a connection of its own; the answer is checked against the schema. */
export const statusSas = async (runDirectory: string): Promise<readonly SaStatus[]> => {
  const socket = createConnection(join(runDirectory, 'isakmpd.sock'));
  socket.end('{"request":"sas"}\n');
  const answer = statusAnswer.parse(JSON.parse(await text(socket)));
  if (answer.answer !== 'sas') throw new InvariantError(`the answer to "sas" is ${answer.answer}`);
  return answer.sas;
};
