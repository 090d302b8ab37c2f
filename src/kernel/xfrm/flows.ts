/** Flows in the kernel: which policies each has, and what the kernel has of a predecessor. */
import type { Flow } from '../../shared/flow.ts';
import { KernelError } from '../backend.ts';
import { CommonPolicies } from '../common-policies.ts';
import type { OwnReqids } from '../own-reqids.ts';
import { AnswerLost, type Conversation } from './conversation.ts';
import {
  areAlike,
  hasOwnReqid,
  neighbourPolicies,
  ownPolicies,
  policiesOf,
  policyKey,
  policyText,
} from './flow-policies.ts';
import { MessageType } from './layout.ts';
import {
  deletePolicy,
  dumpPolicies,
  getPolicy,
  type PolicyName,
  type PolicySpec,
  putPolicy,
  readPolicy,
} from './policy-messages.ts';

interface FlowRecord {
  readonly flow: Flow;
  /** As `policiesOf` has them. */
  readonly policies: readonly PolicySpec[];
}

export class XfrmFlows {
  readonly #conversation: Conversation;
  readonly #reqids: OwnReqids;
  readonly #flows = new Map<number, FlowRecord>();
  /** Flow by policyKey, from the moment its policies are asked for. */
  readonly #owners = new Map<string, number>();
  /** Policies of ours that no flow has, by policyKey, in the order of `ownPolicies`: a predecessor's. */
  readonly #adopted = new Map<string, PolicySpec>();
  readonly #neighbours = new CommonPolicies<PolicySpec>({
    keyOf: policyKey,
    add: (policy) => this.#addNeighbour(policy),
    remove: (policy) => this.#deleteAll([policy]),
  });

  constructor(conversation: Conversation, reqids: OwnReqids) {
    this.#conversation = conversation;
    this.#reqids = reqids;
  }

  /** The flow that a policy of the kernel belongs to. */
  flowOf(policy: PolicyName): number | undefined {
    return this.#owners.get(policyKey(policy));
  }

  /** For what has no policy to go by. */
  flowByReqid(reqid: number): Flow | undefined {
    for (const { flow } of this.#flows.values()) if (flow.reqid === reqid) return flow;
    return undefined;
  }

  async put(flow: Flow): Promise<void> {
    const before = this.#flows.get(flow.id)?.policies ?? [];
    const policies = policiesOf(flow);
    const keys = new Set(policies.map(policyKey));
    for (const policy of policies) this.#checkFree(policy, flow.id);
    for (const key of keys) this.#owners.set(key, flow.id);
    try {
      await this.#putAll(policies, new Set(before.map(policyKey)));
    } catch (fault) {
      for (const policy of before) keys.delete(policyKey(policy));
      for (const key of keys) this.#owners.delete(key);
      throw fault;
    }
    this.#flows.set(flow.id, { flow, policies });
    await this.#neighbours.want(flow.id, neighbourPolicies(policies[0]));
    const surplus = before.filter((policy) => !keys.has(policyKey(policy)));
    for (const policy of surplus) this.#owners.delete(policyKey(policy));
    await this.#deleteAll(surplus);
  }

  async delete(id: number): Promise<void> {
    const record = this.#flows.get(id);
    if (record === undefined) throw new KernelError('missing', `flow ${id} is not in the kernel`);
    await this.#neighbours.want(id, []);
    await this.#deleteAll(record.policies);
    this.#flows.delete(id);
    for (const policy of record.policies) this.#owners.delete(policyKey(policy));
  }

  /** All policies of ours, whoever made them. From now on `put` replaces them. */
  async listOwn(): Promise<readonly PolicySpec[]> {
    const all: PolicySpec[] = [];
    const asked = { question: 'other', what: 'list policies', message: dumpPolicies() } as const;
    await this.#conversation.dumped(asked, (payload) => {
      const policy = readPolicy(payload);
      if (policy !== undefined) all.push(policy);
    });
    const own = ownPolicies(all, this.#reqids);
    this.#adopted.clear();
    for (const policy of own) {
      if (!this.#isWanted(policy)) this.#adopted.set(policyKey(policy), policy);
    }
    return own;
  }

  /** Of the last `listOwn`. Whoever puts one of them from now on makes it anew, for the kernel keeps the order. */
  async removeLeftovers(): Promise<number> {
    const left = [...this.#adopted.values()].filter((policy) => !this.#isWanted(policy));
    this.#adopted.clear();
    await this.#deleteAll(left);
    return left.filter((policy) => hasOwnReqid(policy, this.#reqids)).length;
  }

  #isWanted(policy: PolicySpec): boolean {
    const key = policyKey(policy);
    return this.#owners.has(key) || this.#neighbours.has(key);
  }

  async #addNeighbour(policy: PolicySpec): Promise<boolean> {
    if (this.#adopted.delete(policyKey(policy))) return true;
    return (await this.#isAdded(policy)) || areAlike(await this.#get(policy), policy);
  }

  async purgeOwn(): Promise<void> {
    await this.#deleteAll(await this.listOwn());
    this.#neighbours.forget();
    this.#flows.clear();
    this.#owners.clear();
    this.#adopted.clear();
  }

  #checkFree(policy: PolicySpec, id: number): void {
    const owner = this.#owners.get(policyKey(policy));
    if (owner === undefined || owner === id) return;
    throw new KernelError('exists', `add ${policyText(policy)}: flow ${owner} of ours has these selectors`);
  }

  /** `known`: keys of the flow's policies so far. Whatever is new is removed again when one is refused. */
  async #putAll(policies: readonly PolicySpec[], known: ReadonlySet<string>): Promise<void> {
    const added: PolicySpec[] = [];
    let isTakenOver = false;
    try {
      for (const policy of policies) {
        const key = policyKey(policy);
        if (known.has(key) || this.#adopted.has(key)) await this.#ask(MessageType.UPDPOLICY, policy);
        else if (await this.#isAdded(policy)) added.push(policy);
        else {
          // The outbound policy tells whose they all are.
          isTakenOver ||= await this.#isOwn(policy);
          if (!isTakenOver)
            throw new KernelError('exists', `add ${policyText(policy)}: somebody else has such a policy`);
          await this.#ask(MessageType.UPDPOLICY, policy);
        }
        this.#adopted.delete(key);
      }
    } catch (fault) {
      await this.#deleteAll(added);
      throw fault;
    }
  }

  /** False: there is such a policy. */
  async #isAdded(policy: PolicySpec): Promise<boolean> {
    try {
      await this.#ask(MessageType.NEWPOLICY, policy);
      return true;
    } catch (fault) {
      if (fault instanceof KernelError && fault.reason === 'exists') return false;
      if (fault instanceof AnswerLost) return this.#isThere(policy, fault);
      throw fault;
    }
  }

  /** The answer is lost: what the kernel has tells what it was. Rejects with the fault where it has no such policy. */
  async #isThere(policy: PolicySpec, lost: AnswerLost): Promise<boolean> {
    try {
      return areAlike(await this.#get(policy), policy);
    } catch (fault) {
      throw fault instanceof KernelError && fault.reason === 'missing' ? lost : fault;
    }
  }

  async #isOwn(name: PolicyName): Promise<boolean> {
    return hasOwnReqid(await this.#get(name), this.#reqids);
  }

  #get(name: PolicyName): Promise<PolicySpec> {
    const what = `look at ${policyText(name)}`;
    return this.#conversation.answered({ question: 'name policy', what, message: getPolicy(name) }, readPolicy);
  }

  #ask(type: typeof MessageType.NEWPOLICY | typeof MessageType.UPDPOLICY, policy: PolicySpec): Promise<void> {
    const what = `add ${policyText(policy)}`;
    return this.#conversation.acknowledged({ question: 'put policy', what, message: putPolicy(type, policy) });
  }

  /** The last one first (`policiesOf`). One that is gone already is no fault. */
  async #deleteAll(policies: readonly PolicyName[]): Promise<void> {
    const inOrder = [...policies].reverse();
    const outcomes = await Promise.allSettled(
      inOrder.map((policy) =>
        this.#conversation.acknowledged({
          question: 'name policy',
          what: `delete ${policyText(policy)}`,
          message: deletePolicy(policy),
        }),
      ),
    );
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue;
      const { reason } = outcome;
      if (!(reason instanceof KernelError && reason.reason === 'missing')) throw reason;
    }
  }
}
