/** A client of a status socket: sends lines, reads lines. */
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';

export interface StatusLines {
  readonly socket: Socket;
  readonly send: (line: string) => void;
  /** The next line as JSON; undefined when the other side has closed. */
  readonly next: () => Promise<unknown>;
}

/** Connects to the socket at `path`; the connection ends with the test. */
export const statusLines = (t: TestContext, path: string): StatusLines => {
  const socket = connect(path);
  t.after(() => socket.destroy());
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  return {
    socket,
    send: (line) => socket.write(`${line}\n`),
    next: async () => {
      const { value, done } = await lines.next();
      return done === true ? undefined : JSON.parse(value);
    },
  };
};
