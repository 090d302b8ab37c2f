/** The routes and rules of all flows: what is wanted by how many, and the lines that bring ip(8) there, those of one tick together. */
import type { Flow } from '../backend.ts';
import { IP_COMMAND, type IpCommand, type IpLine } from './ip-command.ts';
import {
  commonLines,
  leftovers,
  linesOfFlow,
  localLookup,
  type RoutingLine,
  type RoutingPlan,
  rulePriorities,
} from './routing.ts';

type Family = 4 | 6;

export class Routes {
  readonly #plan: RoutingPlan;
  readonly #ownAddresses: () => readonly string[];
  readonly #ip: IpCommand;
  /** By family and key. */
  readonly #wanted = { 4: new Map<string, Wanted>(), 6: new Map<string, Wanted>() };
  readonly #flows = new Map<number, { readonly family: Family; readonly lines: readonly RoutingLine[] }>();
  /** Families whose lookup of local addresses stands behind our rules. */
  readonly #claimed = new Set<Family>();
  #queued: { readonly family: Family; readonly line: IpLine }[] = [];
  #turn: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  /** Somebody waits for what a predecessor left to go, with what is queued. */
  #removal: { flows: number } | undefined;

  constructor(plan: RoutingPlan, ownAddresses: () => readonly string[], ip: IpCommand = IP_COMMAND) {
    this.#plan = plan;
    this.#ownAddresses = ownAddresses;
    this.#ip = ip;
  }

  /** Adds what the flow needs, or changes it to that. Rejects with SystemError. */
  async put(flow: Flow): Promise<void> {
    const family = familyOf(flow);
    const lines = [...commonLines(this.#plan, family), ...linesOfFlow(this.#plan, flow, this.#ownAddresses())];
    const old = this.#flows.get(flow.id);
    this.#flows.set(flow.id, { family, lines });
    for (const line of lines) this.#want(family, line);
    if (old !== undefined) this.#giveUp(old.family, old.lines);
    await this.#flush();
  }

  /** Rejects with SystemError. */
  async delete(id: number): Promise<void> {
    const old = this.#flows.get(id);
    if (old === undefined) return;
    this.#flows.delete(id);
    this.#giveUp(old.family, old.lines);
    await this.#flush();
  }

  /** The device is there (anew): its settings, and the routes that went with its predecessor. Rejects with SystemError. */
  async deviceIsUp(mtu: number): Promise<void> {
    const { interfaceName } = this.#plan;
    // Hosts without IPv6 do not know the first one.
    this.#queue(4, `link set dev ${interfaceName} addrgenmode none`, true);
    this.#queue(4, `link set dev ${interfaceName} up mtu ${mtu} txqueuelen ${QUEUE_PACKETS}`, false);
    for (const family of FAMILIES) {
      for (const { line } of this.#wanted[family].values()) {
        if (line.isOfDevice) this.#queue(family, `route replace ${line.text}`, false);
      }
    }
    await this.#flush();
  }

  /** Removes all of ours and of our predecessors. Rejects with SystemError. */
  async purge(): Promise<void> {
    this.#flows.clear();
    for (const family of FAMILIES) {
      this.#wanted[family].clear();
      this.#claimed.add(family);
      for (const priority of await this.#rulesThere(family)) this.#queue(family, `rule del pref ${priority}`, true);
      for (const table of [this.#plan.table, this.#plan.table + 1]) {
        this.#queue(family, `route flush table ${table}`, true);
      }
    }
    await this.#flush();
  }

  /** Rules of ours that are there before any flow is: a predecessor's. Rejects with SystemError. */
  async leftRules(): Promise<number> {
    const rules = await Promise.all(FAMILIES.map((family) => this.#rulesThere(family)));
    return rules.flat().length;
  }

  /** Removes what a predecessor left and no flow has taken over. Resolves with the number of flows that it was for. Rejects with SystemError. */
  async removeLeftovers(): Promise<number> {
    this.#removal ??= { flows: 0 };
    const removal = this.#removal;
    await this.#flush();
    return removal.flows;
  }

  /** `wanted`: all that is in place. */
  async #removeLeft(family: Family, wanted: readonly RoutingLine[]): Promise<number> {
    const priorities = await this.#ip.rulePriorities(family);
    const left = leftovers(this.#plan, wanted, { priorities, blackholes: await this.#ip.blackholes(family) });
    if (left.lines.length > 0) {
      await this.#ip.run(
        family,
        left.lines.map((text) => ({ text, mayFail: true })),
      );
    }
    const { usual, moved } = localLookup(this.#plan);
    // A flow may have come meanwhile, which has the lookup moved, or finds it so.
    if (this.#wanted[family].size === 0 && priorities.includes(moved.priority)) {
      await this.#swapRules(family, moved, usual);
    }
    return left.flows;
  }

  async #rulesThere(family: Family): Promise<readonly number[]> {
    const ours = rulePriorities(this.#plan);
    return (await this.#ip.rulePriorities(family)).filter((priority) => ours.includes(priority));
  }

  #want(family: Family, line: RoutingLine): void {
    const wanted = this.#wanted[family];
    const known = wanted.get(line.key);
    if (known !== undefined) {
      known.count++;
      return;
    }
    wanted.set(line.key, { line, count: 1 });
    if (line.kind === 'route') {
      this.#queue(family, `route replace ${line.text}`, false);
      return;
    }
    // A predecessor may have left the very rule, and Linux has no "replace" for rules.
    this.#queue(family, `rule del ${line.text}`, true);
    this.#queue(family, `rule add ${line.text}`, false);
  }

  #giveUp(family: Family, lines: readonly RoutingLine[]): void {
    const wanted = this.#wanted[family];
    for (const { key } of lines) {
      const known = wanted.get(key);
      if (known === undefined || --known.count > 0) continue;
      wanted.delete(key);
      this.#queue(family, `${known.line.kind} del ${known.line.text}`, true);
    }
  }

  #queue(family: Family, text: string, mayFail: boolean): void {
    this.#queued.push({ family, line: { text, mayFail } });
  }

  /** Runs what is queued at the end of this tick, after what runs already. All who ask in one tick share the outcome. */
  #flush(): Promise<void> {
    this.#next ??= this.#turn.then(() => {
      this.#next = undefined;
      return this.#carryOut();
    });
    const shared = this.#next;
    // A failure is told to those who wait for it, and must not keep the next turn from running.
    this.#turn = shared.catch(() => undefined);
    return shared;
  }

  async #carryOut(): Promise<void> {
    const [queued, removal] = [this.#queued, this.#removal];
    this.#queued = [];
    this.#removal = undefined;
    // What is wanted from here on is not in the kernel before this turn is over.
    const wanted = removal && { 4: this.#linesOf(4), 6: this.#linesOf(6) };
    for (const family of FAMILIES) {
      const lines = queued.filter((entry) => entry.family === family).map(({ line }) => line);
      if (lines.length > 0) await this.#run(family, lines);
      if (removal && wanted) removal.flows += await this.#removeLeft(family, wanted[family]);
    }
  }

  #linesOf(family: Family): readonly RoutingLine[] {
    return Array.from(this.#wanted[family].values(), ({ line }) => line);
  }

  async #run(family: Family, lines: readonly IpLine[]): Promise<void> {
    const { usual, moved } = localLookup(this.#plan);
    const isWanted = this.#wanted[family].size > 0;
    if (isWanted && !this.#claimed.has(family)) {
      await this.#swapRules(family, usual, moved);
      this.#claimed.add(family);
    }
    await this.#ip.run(family, lines);
    if (!isWanted && this.#claimed.delete(family)) await this.#swapRules(family, moved, usual);
  }

  /** Puts one rule in the place of another: the host is never without it. */
  async #swapRules(family: Family, before: Rule, after: Rule): Promise<void> {
    const there = await this.#ip.rulePriorities(family);
    if (!there.includes(after.priority))
      await this.#ip.run(family, [{ text: `rule add ${after.text}`, mayFail: false }]);
    const old = there.filter((priority) => priority === before.priority);
    const line = { text: `rule del ${before.text}`, mayFail: false };
    if (old.length > 0)
      await this.#ip.run(
        family,
        old.map(() => line),
      );
  }
}

interface Wanted {
  readonly line: RoutingLine;
  /** Flows that want it. */
  count: number;
}

interface Rule {
  readonly priority: number;
  readonly text: string;
}

const familyOf = (flow: Flow): Family => (flow.remote.address.includes(':') ? 6 : 4);

const FAMILIES: readonly Family[] = [4, 6];
/** Packets that wait in the device while the thread is busy. */
const QUEUE_PACKETS = 2000;
