/** NAT keepalives, RFC 3948 §4: while SAs of either phase with a peer exist and a NAT stands before us, its mapping is kept awake. One for each mapping, however many SAs use it. */
import type { NatTraversal, Path } from '../threads/contract.ts';
import type { Deadline } from './deadlines.ts';
import type { Desk } from './desk.ts';

export class Keepalives {
  readonly #desk: Desk;
  readonly #mappings = new Map<string, Mapping>();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** `change`: SAs more (1) or fewer (-1) that use this path. */
  count(path: Path, nat: NatTraversal | undefined, change: 1 | -1): void {
    if (nat?.isLocalBehind !== true || !path.encapsulated) return;
    const key = keyOf(path);
    const known = this.#mappings.get(key);
    const users = (known?.users ?? 0) + change;
    if (users <= 0) {
      known?.timer.cancel();
      this.#mappings.delete(key);
    } else if (known === undefined) this.#mappings.set(key, { path, users, timer: this.#next(key) });
    else known.users = users;
  }

  #next(key: string): Deadline {
    return this.#desk.after(this.#desk.view.keepaliveSeconds * 1000, 'nat_t_keepalive', key, () => {
      const mapping = this.#mappings.get(key);
      if (mapping === undefined) return;
      this.#desk.emit({ kind: 'keepalive', path: mapping.path });
      mapping.timer = this.#next(key);
    });
  }
}

interface Mapping {
  readonly path: Path;
  users: number;
  timer: Deadline;
}

const keyOf = ({ local, remote }: Path): string => `${local.address} ${local.port} ${remote.address} ${remote.port}`;
