/** The `transport_report` lines: the paths to peers that ISAKMP SAs and exchanges use, then the sockets that listen. */
import { addressFromBytes, type Endpoint } from '../address.ts';
import { printable } from '../log/printable.ts';
import type { SaRow } from '../sa-table/rows.ts';
import type { Path } from '../threads/contract.ts';
import { pointer } from './pointers.ts';

/** A socket that listens. `number` is ours: sockets count from 1 in the order in which they were opened. */
export interface OpenSocket {
  readonly local: Endpoint;
  readonly encapsulated: boolean;
  readonly number: number;
}

/** Paths in use and by how many, as a report comes across them. */
export class PathsInUse {
  readonly #encapsulationPort: number | undefined;
  readonly #users = new Map<string, { readonly path: Path; count: number }>();

  /** `encapsulationPort`: what goes from there is encapsulated. */
  constructor(encapsulationPort: number | undefined) {
    this.#encapsulationPort = encapsulationPort;
  }

  /** The path of an ISAKMP SA; one that has no transport yet counts for nothing. */
  addRow(row: SaRow): void {
    if (row.phase !== 1 || row.family === 0) return;
    const text = (bytes: Uint8Array): string => addressFromBytes(bytes, printable(row.zone)).text;
    this.add({
      local: { address: text(row.localAddress), port: row.localPort },
      remote: { address: text(row.remoteAddress), port: row.remotePort },
      encapsulated: row.localPort === this.#encapsulationPort,
    });
  }

  add(path: Path): void {
    const key = `${endpoint(path.local)} ${endpoint(path.remote)}`;
    const known = this.#users.get(key);
    if (known === undefined) this.#users.set(key, { path, count: 1 });
    else known.count++;
  }

  all(): Iterable<{ readonly path: Path; readonly count: number }> {
    return this.#users.values();
  }
}

/** `flags 1` is a socket that listens, `flags 0` a path to one peer; `refcnt` is how many use it. */
export function* transportReport(paths: PathsInUse, sockets: readonly OpenSocket[]): Generator<string, void> {
  const numbers = new Map(sockets.map(({ local, number }) => [endpoint(local), number]));
  let transport = sockets.reduce((highest, { number }) => Math.max(highest, number), 0);
  for (const { path, count } of paths.all()) {
    transport++;
    yield `transport_report: transport ${pointer('transport', transport)} flags 0 refcnt ${count}`;
    const number = numbers.get(endpoint(path.local)) ?? 0;
    yield socketLine(path.encapsulated, number, path.local, endpoint(path.remote));
  }
  for (const { local, encapsulated, number } of sockets) {
    yield `transport_report: transport ${pointer('transport', number)} flags 1 refcnt 1`;
    yield socketLine(encapsulated, number, local, encapsulated ? '*:0' : '<none>:0');
  }
}

const socketLine = (encapsulated: boolean, number: number, local: Endpoint, remote: string): string =>
  `${encapsulated ? 'udp_encap_report' : 'udp_report'}: fd ${number} src ${endpoint(local)} dst ${remote}`;

const endpoint = ({ address, port }: Endpoint): string => `${address}:${port}`;
