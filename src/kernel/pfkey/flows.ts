/** Our flows in the kernel: which policies each of them is, and which flow an ACQUIRE means, for the kernel names the policy by its number only. */
import { type Flow, KernelError } from '../backend.ts';
import { CommonPolicies } from '../common-policies.ts';
import { isOwn, type OwnReqids } from '../own-reqids.ts';
import { MessageType, PolicyDirection } from './constants.ts';
import type { Conversation } from './conversation.ts';
import {
  areAlike,
  type KernelPolicy,
  neighbourPolicies,
  policiesOf,
  policyIn,
  policyRequest,
  sameRequests,
  selectorsKey,
} from './policy-requests.ts';
import { AnswerLost } from './refusal.ts';
import { type DumpedPolicy, dumpPolicies, ownPolicies } from './resync.ts';

export class Flows {
  readonly #conversation: Conversation;
  readonly #reqids: OwnReqids;
  readonly #flows = new Map<number, readonly KernelPolicy[]>();
  /** The flow by selectors of its policies, from the moment they are asked for. */
  readonly #owners = new Map<string, number>();
  /** Of outbound policies: the kernel's number -> flow, and selectors -> the kernel's number. */
  readonly #byIndex = new Map<number, number>();
  readonly #indexes = new Map<string, number>();
  /** What is under way for a flow: one change after the other. */
  readonly #changes = new Map<number, Promise<unknown>>();
  /** Policies of ours that no flow has, by their selectors, in the order of `ownPolicies`: a predecessor's. */
  readonly #adopted = new Map<string, KernelPolicy>();
  readonly #neighbours = new CommonPolicies<KernelPolicy>({
    keyOf: selectorsKey,
    add: (policy) => this.#addNeighbour(policy),
    remove: (policy) => this.#remove([policy]),
  });

  constructor(conversation: Conversation, reqids: OwnReqids) {
    this.#conversation = conversation;
    this.#reqids = reqids;
  }

  /** The flow whose outbound policy has this number; undefined: none of ours. */
  flowOf(index: number): number | undefined {
    return this.#byIndex.get(index);
  }

  /** As in KernelBackend. Policies that a predecessor left are taken over. */
  async put(flow: Flow): Promise<void> {
    const wanted = policiesOf(flow);
    await this.#inTurn(flow.id, () => this.#put(flow.id, wanted));
  }

  /** Rejects with KernelError 'missing' where there is no such flow; that its policies are gone already is no fault. */
  delete(id: number): Promise<void> {
    return this.#inTurn(id, async () => {
      const policies = this.#flows.get(id);
      if (policies === undefined) throw new KernelError('missing', `flow ${id} is not in the kernel`);
      await this.#neighbours.want(id, []);
      await this.#remove(policies);
      this.#flows.delete(id);
      for (const policy of policies) this.#owners.delete(selectorsKey(policy));
    });
  }

  /** All policies with a reqid of ours and what belongs to them, whoever made them. */
  async listOwn(): Promise<readonly DumpedPolicy[]> {
    const own = ownPolicies(await dumpPolicies(this.#conversation), this.#reqids);
    this.#adopted.clear();
    for (const { policy } of own) {
      if (!this.#isWanted(policy)) this.#adopted.set(selectorsKey(policy), policy);
    }
    return own;
  }

  /** Of the last `listOwn`, but for those that are put meanwhile. */
  async removeLeftovers(): Promise<number> {
    const left = [...this.#adopted.values()];
    let flows = 0;
    this.#adopted.clear();
    // Inbound ones come first there, and are to be removed first.
    for (const policy of left) {
      if (this.#isWanted(policy)) continue;
      await this.#remove([policy]);
      if (policy.requests.some(({ reqid }) => isOwn(this.#reqids, reqid))) flows++;
    }
    return flows;
  }

  #isWanted(policy: KernelPolicy): boolean {
    const key = selectorsKey(policy);
    return this.#owners.has(key) || this.#neighbours.has(key);
  }

  /** Removes these. They are nobody's flows any more before the first one goes: a loss meanwhile must not have them made again. */
  async purgeOwn(): Promise<void> {
    const own = (await this.listOwn()).map(({ policy }) => policy);
    for (const table of [this.#flows, this.#owners, this.#byIndex, this.#indexes, this.#adopted]) table.clear();
    this.#neighbours.forget();
    // Inbound ones come first there, and are to be removed first.
    await this.#remove(own.reverse());
  }

  /** Messages were lost: the kernel's numbers are read anew, and policies that somebody has flushed are made again, for without them all passes in clear. */
  async restore(): Promise<void> {
    const dumped = await dumpPolicies(this.#conversation);
    const indexes = new Map(dumped.map(({ policy, index }) => [selectorsKey(policy), index]));
    await this.#neighbours.restore((policy) => indexes.has(selectorsKey(policy)));
    for (const [id, policies] of [...this.#flows]) {
      await this.#inTurn(id, async () => {
        // It may have changed since, and then the dump says nothing about it.
        if (this.#flows.get(id) === policies) await this.#restoreOne(id, policies, indexes);
      });
    }
  }

  async #restoreOne(
    id: number,
    policies: readonly KernelPolicy[],
    indexes: ReadonlyMap<string, number>,
  ): Promise<void> {
    for (const policy of policies) {
      const index = indexes.get(selectorsKey(policy));
      if (index === undefined) await this.#isAdded(id, policy);
      else this.#numbered(id, policy, index);
    }
  }

  async #inTurn(id: number, change: () => Promise<void>): Promise<void> {
    const mine = (this.#changes.get(id) ?? Promise.resolve()).then(change);
    const settled = mine.catch(() => {});
    this.#changes.set(id, settled);
    try {
      await mine;
    } finally {
      if (this.#changes.get(id) === settled) this.#changes.delete(id);
    }
  }

  /** First what is wanted, then away with what is not: there is no moment at which packets pass in clear. */
  async #put(id: number, wanted: ReturnType<typeof policiesOf>): Promise<void> {
    const old = this.#flows.get(id) ?? [];
    const oldKeys = new Set(old.map(selectorsKey));
    const keys = new Set(wanted.map(selectorsKey));
    this.#own(id, keys);
    try {
      await this.#storeAll(id, wanted, oldKeys);
    } catch (fault) {
      for (const key of keys) if (!oldKeys.has(key)) this.#owners.delete(key);
      throw fault;
    }
    this.#flows.set(id, wanted);
    await this.#neighbours.want(id, neighbourPolicies(wanted[0]));
    const unwanted = old.filter((policy) => !keys.has(selectorsKey(policy)));
    for (const policy of unwanted) this.#owners.delete(selectorsKey(policy));
    await this.#remove(unwanted);
  }

  #own(id: number, keys: ReadonlySet<string>): void {
    for (const key of keys) {
      const owner = this.#owners.get(key) ?? id;
      if (owner !== id) throw new KernelError('exists', `PF_KEY: flow ${owner} of ours has the policy ${key}`);
    }
    for (const key of keys) this.#owners.set(key, id);
  }

  /** All or none of what is new. */
  async #storeAll(id: number, wanted: readonly KernelPolicy[], known: ReadonlySet<string>): Promise<void> {
    const added: KernelPolicy[] = [];
    let isTakenOver = false;
    try {
      for (const policy of wanted) {
        if (known.has(selectorsKey(policy))) await this.#store(id, MessageType.X_SPDUPDATE, policy);
        else if (await this.#isAdded(id, policy)) added.push(policy);
        else {
          // The outbound policy tells whose they all are.
          isTakenOver ||= policy.direction === PolicyDirection.OUT && (await this.#isOwn(policy));
          if (!isTakenOver) {
            throw new KernelError('exists', `PF_KEY: somebody else has the policy ${selectorsKey(policy)}`);
          }
          await this.#store(id, MessageType.X_SPDUPDATE, policy);
        }
        this.#adopted.delete(selectorsKey(policy));
      }
    } catch (fault) {
      await this.#remove(added);
      throw fault;
    }
  }

  /** False: there is such a policy. */
  async #isAdded(id: number, policy: KernelPolicy): Promise<boolean> {
    try {
      await this.#store(id, MessageType.X_SPDADD, policy);
      return true;
    } catch (fault) {
      if (fault instanceof KernelError && fault.reason === 'exists') return false;
      throw fault;
    }
  }

  async #isOwn(policy: KernelPolicy): Promise<boolean> {
    const key = selectorsKey(policy);
    return this.#adopted.delete(key) || (await this.listOwn()).some((one) => selectorsKey(one.policy) === key);
  }

  /** Whether it is ours now. */
  async #addNeighbour(policy: KernelPolicy): Promise<boolean> {
    try {
      await this.#conversation.ask(policyRequest(MessageType.X_SPDADD, policy));
      return true;
    } catch (fault) {
      const isThere = fault instanceof AnswerLost || (fault instanceof KernelError && fault.reason === 'exists');
      if (!isThere) throw fault;
      if (this.#adopted.delete(selectorsKey(policy))) return true;
      const found = await this.#find(policy);
      if (found === undefined) throw fault;
      return areAlike(found.policy, policy);
    }
  }

  async #find(policy: KernelPolicy): Promise<DumpedPolicy | undefined> {
    const key = selectorsKey(policy);
    return (await dumpPolicies(this.#conversation)).find((one) => selectorsKey(one.policy) === key);
  }

  async #store(
    id: number,
    type: typeof MessageType.X_SPDADD | typeof MessageType.X_SPDUPDATE,
    policy: KernelPolicy,
  ): Promise<void> {
    try {
      await this.#conversation.ask(policyRequest(type, policy), (answer) => {
        const stored = policyIn(answer);
        if (stored !== undefined) this.#numbered(id, policy, stored.index);
      });
    } catch (fault) {
      if (!(fault instanceof AnswerLost)) throw fault;
      await this.#confirm(id, policy, fault);
    }
  }

  /** The answer is lost: what the kernel has tells what it was. */
  async #confirm(id: number, policy: KernelPolicy, fault: AnswerLost): Promise<void> {
    const found = await this.#find(policy);
    if (found === undefined) throw fault;
    if (!sameRequests(found.policy.requests, policy.requests)) {
      throw new KernelError('exists', `PF_KEY: there is another policy ${selectorsKey(policy)}`);
    }
    this.#numbered(id, policy, found.index);
  }

  /** Inbound ones first: they are known as ours by the outbound one. */
  async #remove(policies: readonly KernelPolicy[]): Promise<void> {
    for (const policy of [...policies].reverse()) {
      await this.#conversation.askUntilGone(policyRequest(MessageType.X_SPDDELETE, policy));
      this.#unnumbered(policy);
    }
  }

  #numbered(id: number, policy: KernelPolicy, index: number): void {
    if (policy.direction !== PolicyDirection.OUT) return;
    this.#unnumbered(policy);
    this.#byIndex.set(index, id);
    this.#indexes.set(selectorsKey(policy), index);
  }

  #unnumbered(policy: KernelPolicy): void {
    const key = selectorsKey(policy);
    const index = this.#indexes.get(key);
    if (index === undefined) return;
    this.#indexes.delete(key);
    this.#byIndex.delete(index);
  }
}
