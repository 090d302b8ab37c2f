/** The status socket: takes clients, a bounded number of them, and lets go of them when the daemon ends. */
import type { Server, Socket } from 'node:net';
import { errorAnswer } from '../../shared/report/error-answer.ts';
import { StatusClient, type StatusClientOptions } from './status-client.ts';

export class StatusSocket {
  readonly #server: Server;
  readonly #options: StatusClientOptions;
  readonly #clients = new Set<Socket>();

  /** `server` listens already. */
  constructor(server: Server, options: StatusClientOptions) {
    this.#server = server;
    this.#options = options;
    server.on('connection', (socket) => this.#accept(socket));
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#clients) socket.destroy();
  }

  #accept(socket: Socket): void {
    const client = new StatusClient(socket, this.#options);
    if (this.#clients.size >= MOST_CLIENTS) {
      client.refuse(errorAnswer('too-many-clients', `${MOST_CLIENTS} clients are connected already`));
      return;
    }
    this.#clients.add(socket);
    socket.on('close', () => this.#clients.delete(socket));
    void client.serve();
  }
}

const MOST_CLIENTS = 64;
