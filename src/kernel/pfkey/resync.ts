/** What the kernel has of ours, read anew: for who lists or removes it, and when messages were lost. */
import { addressFromBytes } from '../../shared/address.ts';
import type { SaId } from '../../shared/connection/events.ts';
import { isOwn, type OwnReqids } from '../own-reqids.ts';
import { ExtensionType, MessageType, PolicyDirection, SaState } from './constants.ts';
import type { Conversation } from './conversation.ts';
import { extensionOf, type Message } from './message.ts';
import { areAlike, type KernelPolicy, neighbourPolicies, policyIn, selectorsKey } from './policy-requests.ts';
import { saIdOf } from './sa-requests.ts';

/** An SA that the kernel has. */
export interface DumpedSa {
  readonly id: SaId;
  readonly source: string;
  readonly reqid: number;
  readonly sourcePort: number | undefined;
  /** By GETSPI or for an ACQUIRE. In a dump that is a state; when it ends, only algorithms tell. */
  readonly isReserved: boolean;
}

/** Our SAs, reserved ones too, but none without an SPI: those stand for an ACQUIRE. */
export const dumpSas = (conversation: Conversation, reqids: OwnReqids): Promise<readonly DumpedSa[]> =>
  conversation.dump(MessageType.DUMP, (message) => {
    const sa = saIn(message);
    return sa !== undefined && sa.id.spi !== 0 && isOwn(reqids, sa.reqid) ? sa : undefined;
  });

/** The SA that a message is about; undefined where it names none. */
export const saIn = (message: Message): DumpedSa | undefined => {
  const source = extensionOf(message, ExtensionType.ADDRESS_SRC);
  const sa = extensionOf(message, ExtensionType.SA);
  const id = saIdOf(message, sa, extensionOf(message, ExtensionType.ADDRESS_DST));
  if (id === undefined || source === undefined) return undefined;
  return {
    id,
    source: addressFromBytes(source.address).text,
    reqid: extensionOf(message, ExtensionType.X_SA2)?.reqid ?? 0,
    sourcePort: extensionOf(message, ExtensionType.X_NAT_T_SPORT)?.port,
    // AEAD, which others may have made, is none of PF_KEY's algorithms.
    isReserved: sa?.state !== SaState.MATURE && sa?.state !== SaState.DYING && sa?.auth === 0 && sa.encrypt === 0,
  };
};

/** A policy that the kernel has, and its number there. */
export interface DumpedPolicy {
  readonly policy: KernelPolicy;
  readonly index: number;
}

export const dumpPolicies = (conversation: Conversation): Promise<readonly DumpedPolicy[]> =>
  conversation.dump(MessageType.X_SPDDUMP, policyIn);

/**
 * Ours among them: an outbound policy says so by its reqid; an inbound or forward one, which has none, by being the mirror of one that does, and one for
 * neighbour discovery by being what such a one needs. Those are added after the outbound one and removed before it.
 */
export const ownPolicies = (policies: readonly DumpedPolicy[], reqids: OwnReqids): readonly DumpedPolicy[] => {
  const outbound = policies.filter(
    ({ policy }) =>
      policy.direction === PolicyDirection.OUT && policy.requests.some(({ reqid }) => isOwn(reqids, reqid)),
  );
  const mirrors = new Map(
    outbound.flatMap(({ policy }) =>
      [PolicyDirection.IN, PolicyDirection.FORWARD].map((direction): [string, KernelPolicy] => [
        selectorsKey({ direction, source: policy.destination, destination: policy.source }),
        policy,
      ]),
    ),
  );
  const inbound = policies.filter(({ policy }) => {
    const out = policy.direction === PolicyDirection.OUT ? undefined : mirrors.get(selectorsKey(policy));
    return out !== undefined && out.priority === policy.priority && isMirror(out, policy);
  });
  const wanted = new Map(
    outbound.flatMap(({ policy }) => neighbourPolicies(policy)).map((one) => [selectorsKey(one), one]),
  );
  const neighbours = policies.filter(({ policy }) => {
    const twin = wanted.get(selectorsKey(policy));
    return twin !== undefined && areAlike(twin, policy);
  });
  return [...neighbours, ...inbound, ...outbound];
};

/** The same protocols and modes between the same outer addresses. */
const isMirror = (out: KernelPolicy, into: KernelPolicy): boolean =>
  out.requests.length === into.requests.length &&
  out.requests.every(({ protocol, mode, tunnel }, i) => {
    const other = into.requests[i];
    return (
      other?.protocol === protocol &&
      other.mode === mode &&
      `${other.tunnel?.source.address}` === `${tunnel?.destination.address}` &&
      `${other.tunnel?.destination.address}` === `${tunnel?.source.address}`
    );
  });
