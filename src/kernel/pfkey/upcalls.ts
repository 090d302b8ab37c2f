/** What the kernel says unasked, in the daemon's words. */
import { addressFromBytes } from '../../shared/address.ts';
import type { ReqidRange } from '../../shared/flow.ts';
import type { KernelUpcalls, SaUsage } from '../backend.ts';
import { isWithin } from '../own-reqids.ts';
import { ExtensionType, MessageType } from './constants.ts';
import type { Flows } from './flows.ts';
import { extensionOf, type Message } from './message.ts';
import type { OwnSas } from './own-sas.ts';
import { saIn } from './resync.ts';
import { protocolIdOf } from './sa-requests.ts';

/** What is known of what is ours. */
export interface Own {
  readonly reqids: ReqidRange;
  readonly sas: OwnSas;
  readonly flows: Flows;
}

/** Passes an ACQUIRE, EXPIRE or X_NAT_T_NEW_MAPPING on, if it is about us. */
export const tellUpcall = (message: Message, own: Own, upcalls: KernelUpcalls): void => {
  if (message.type === MessageType.ACQUIRE) tellAcquire(message, own, upcalls);
  else if (message.type === MessageType.EXPIRE) tellExpire(message, own, upcalls);
  else tellMapping(message, own, upcalls);
};

/** RFC 2367 §3.1.6. The policy's number is all that tells which packet it was: Linux sends no selector, and for policies by PF_KEY no proposals. */
const tellAcquire = (message: Message, { flows }: Own, upcalls: KernelUpcalls): void => {
  const source = extensionOf(message, ExtensionType.ADDRESS_SRC);
  const destination = extensionOf(message, ExtensionType.ADDRESS_DST);
  if (source === undefined || destination === undefined) return;
  const policy = extensionOf(message, ExtensionType.X_POLICY);
  upcalls.acquire({
    sequence: message.sequence,
    flow: policy === undefined ? undefined : flows.flowOf(policy.id),
    reqid: policy?.requests[0]?.reqid ?? 0,
    source: addressFromBytes(source.address).text,
    destination: addressFromBytes(destination.address).text,
    policy: undefined,
    packet: undefined,
  });
};

/** RFC 2367 §3.1.8: a hard lifetime or a soft one, never both. What was only reserved is no SA. */
const tellExpire = (message: Message, { reqids, sas }: Own, upcalls: KernelUpcalls): void => {
  const sa = saIn(message);
  const isHard = extensionOf(message, ExtensionType.LIFETIME_HARD) !== undefined;
  if (sa === undefined || sa.isReserved || !isWithin(reqids, sa.reqid)) return;
  const known = isHard ? sas.remove(sa.id) : sas.get(sa.id);
  upcalls.expire({ id: known?.id ?? sa.id, isHard, usage: usageIn(message) });
};

/** Linux sends one for each packet until the SA has the new address. It names the peer's old and new address and not ours. */
const tellMapping = (message: Message, { sas }: Own, upcalls: KernelUpcalls): void => {
  const protocolId = protocolIdOf(message.saType);
  const sa = extensionOf(message, ExtensionType.SA);
  const from = extensionOf(message, ExtensionType.ADDRESS_SRC);
  const to = extensionOf(message, ExtensionType.ADDRESS_DST);
  const port = extensionOf(message, ExtensionType.X_NAT_T_DPORT)?.port;
  if (protocolId === undefined || sa === undefined || from === undefined || to === undefined || port === undefined)
    return;
  const known = sas.withSource(protocolId, sa.spi, addressFromBytes(from.address).text);
  const address = addressFromBytes(to.address).text;
  if (known === undefined || (known.place.address === address && known.place.port === port)) return;
  known.place = { address, port };
  upcalls.mapping({ id: known.id, source: known.place });
};

/** Of an answer or an EXPIRE. `usedAt` is the first packet's: Linux has no other in PF_KEY. */
export const usageIn = (message: Message): SaUsage => {
  const current = extensionOf(message, ExtensionType.LIFETIME_CURRENT);
  return {
    bytes: Number(current?.bytes ?? 0n),
    packets: current?.allocations ?? 0,
    addedAt: Number(current?.addTime ?? 0n),
    usedAt: Number(current?.useTime ?? 0n),
  };
};
