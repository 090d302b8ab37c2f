/**
 * An SA whose peer is behind another address or port. PF_KEY has no word for that; Linux moves it all the same, and keeps its keys and sequence
 * numbers: the ports by an UPDATE of the SA, of which only lifetimes and ports count, the addresses by an X_MIGRATE of a policy that asks for the SA.
 */
import { randomFillSync } from 'node:crypto';
import { addressFromBytes, type Endpoint } from '../../shared/address.ts';
import { KernelError, type Selector } from '../backend.ts';
import { LAST_PRIORITY } from '../priority.ts';
import { ExtensionType, MessageType, PolicyDirection, PolicyLevel, SaMode, SaState } from './constants.ts';
import type { Conversation } from './conversation.ts';
import type { Extension, IpsecRequest } from './extension.ts';
import { extensionOf, type Message } from './message.ts';
import { ipProtocolOf, type KernelPolicy, migrateRequest, policyRequest, tunnelBetween } from './policy-requests.ts';
import { AnswerLost } from './refusal.ts';
import { saIn } from './resync.ts';
import { bytesOf, namedRequest, type Request, type SaName } from './sa-requests.ts';

/** `sa`: the answer to a GET of it. Resolves with the SA as it is now; rejects with KernelError. Not two at a time. */
export const moveSa = async (
  conversation: Conversation,
  sa: Message,
  source: Endpoint,
  destination: Endpoint,
): Promise<Message> => {
  const isMoved = !isAt(sa, ExtensionType.ADDRESS_SRC, source) || !isAt(sa, ExtensionType.ADDRESS_DST, destination);
  const moved = isMoved ? await migrate(conversation, sa, source.address, destination.address) : sa;
  if (extensionOf(moved, ExtensionType.X_NAT_T_TYPE) === undefined) return moved;
  return updated(conversation, portsRequest(moved, source.port, destination.port));
};

/** Twice is the same as once: the SA is there and keeps its keys. */
const updated = async (conversation: Conversation, request: Request): Promise<Message> => {
  try {
    return await conversation.ask(request);
  } catch (fault) {
    if (!(fault instanceof AnswerLost)) throw fault;
    return conversation.ask(request);
  }
};

const isAt = (sa: Message, type: 5 | 6, { address }: Endpoint): boolean => {
  const extension = extensionOf(sa, type);
  return (
    extension !== undefined && addressFromBytes(extension.address).text === addressFromBytes(bytesOf(address)).text
  );
};

/** The policy is made for this and matches no packet. Its reqid, protocol and addresses lead Linux to the SA. */
const migrate = async (
  conversation: Conversation,
  sa: Message,
  source: string,
  destination: string,
): Promise<Message> => {
  const known = saIn(sa);
  const sa2 = extensionOf(sa, ExtensionType.X_SA2);
  if (known === undefined || sa2 === undefined)
    throw new KernelError('failed', 'PF_KEY: an SA without addresses or mode');
  const request: IpsecRequest = {
    protocol: ipProtocolOf(known.id.protocolId),
    mode: sa2.mode,
    level: PolicyLevel.UNIQUE,
    reqid: sa2.reqid,
    tunnel: tunnelBetween(known.source, known.id.destination),
  };
  const policy: KernelPolicy = {
    direction: PolicyDirection.OUT,
    source: nothing(known.source),
    destination: nothing(known.id.destination),
    priority: LAST_PRIORITY,
    requests: [sa2.mode === SaMode.TUNNEL ? request : { ...request, tunnel: undefined }],
  };
  await conversation.ask(policyRequest(MessageType.X_SPDUPDATE, policy));
  try {
    const name: SaName = { saType: sa.saType, spi: known.id.spi, source, destination };
    return await conversation.askThen(
      migrateRequest(sa.saType, policy, [request, { ...request, tunnel: tunnelBetween(source, destination) }]),
      namedRequest(MessageType.GET, name),
    );
  } finally {
    // What stays behind has a reqid of ours and goes with the next purge.
    await Promise.allSettled([conversation.askUntilGone(policyRequest(MessageType.X_SPDDELETE, policy))]);
  }
};

/** One host and a protocol for experiments (RFC 3692). */
const nothing = (address: string): Selector => ({
  address,
  prefixLength: bytesOf(address).length * 8,
  protocol: 254,
  port: 0,
});

/** UPDATE of what a GET has said. Linux checks that keys of this size can be used, and throws them away: the SA keeps its own. */
const portsRequest = (sa: Message, source: number, destination: number): Request => ({
  type: MessageType.UPDATE,
  saType: sa.saType,
  extensions: sa.extensions
    .filter(({ type }) => type !== ExtensionType.LIFETIME_CURRENT && type !== ExtensionType.ADDRESS_PROXY)
    .map((extension) => asUpdated(extension, source, destination)),
});

const asUpdated = (extension: Extension, source: number, destination: number): Extension => {
  switch (extension.type) {
    case ExtensionType.SA:
      return { ...extension, state: SaState.MATURE };
    case ExtensionType.KEY_AUTH:
    case ExtensionType.KEY_ENCRYPT:
      return { ...extension, key: randomFillSync(new Uint8Array(extension.key.length)) };
    case ExtensionType.X_NAT_T_SPORT:
      return { ...extension, port: source };
    case ExtensionType.X_NAT_T_DPORT:
      return { ...extension, port: destination };
    default:
      return extension;
  }
};
