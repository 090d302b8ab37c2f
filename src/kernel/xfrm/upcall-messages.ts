/** Reads what the kernel says unasked: ACQUIRE, EXPIRE, MAPPING. Each undefined where the message is cut or concerns nothing of IP. */
import type { Endpoint } from '../../shared/address.ts';
import type { SaId } from '../../shared/connection/events.ts';
import type { Selector } from '../../shared/flow.ts';
import type { Acquire } from '../backend.ts';
import { Attribute, Size } from './layout.ts';
import { type PolicySpec, readPolicyInfo, readTemplates } from './policy-messages.ts';
import { type Fields, readAttributes } from './reader.ts';
import { readSa, type SaState } from './sa-state.ts';
import { familyOf, protocolIdOf, readAddress, readSelector, type Selectors } from './structs.ts';

/** A packet has no SA. `policy`: the one that it came under; undefined where it has no selector. */
export interface AcquireMessage extends Omit<Acquire, 'flow' | 'policy'> {
  readonly policy: PolicySpec | undefined;
}

/** xfrm_user_acquire. */
export const readAcquire = (payload: Fields): AcquireMessage | undefined => {
  if (payload.size < Size.ACQUIRE) return undefined;
  const attributes = readAttributes(payload, Size.ACQUIRE);
  const [template] = readTemplates(attributes?.get(Attribute.TMPL));
  if (template === undefined) return undefined;
  const family = familyOf(template.destination);
  const destination = readAddress(payload, 0, family);
  const source = readAddress(payload, Size.SA_ID, family);
  if (destination === undefined || source === undefined) return undefined;
  const packet = readSelector(payload, Size.SA_ID + Size.ADDRESS);
  const policy = readPolicyInfo(payload.part(POLICY_AT, Size.POLICY), attributes);
  return {
    sequence: payload.u32(SEQUENCE_AT),
    reqid: template.reqid,
    source,
    destination,
    packet: packet === undefined ? undefined : withoutIcmp(packet),
    policy,
  };
};
const POLICY_AT = Size.SA_ID + Size.ADDRESS + Size.SELECTOR;
const SEQUENCE_AT = POLICY_AT + Size.POLICY + 12;

/** Type and code of ICMP are no ports. */
export const withoutIcmp = ({ source, destination }: Selectors): Selectors => {
  const end = (selector: Selector): Selector => (ICMP.has(selector.protocol) ? { ...selector, port: 0 } : selector);
  return { source: end(source), destination: end(destination) };
};
const ICMP: ReadonlySet<number> = new Set([1, 58]);

export interface ExpireMessage {
  readonly sa: SaState;
  readonly isHard: boolean;
}

/** xfrm_user_expire. */
export const readExpire = (payload: Fields): ExpireMessage | undefined => {
  const sa = readSa(payload, Size.EXPIRE);
  return sa === undefined ? undefined : { sa, isHard: payload.u8(Size.SA) !== 0 };
};

export interface MappingMessage {
  readonly id: SaId;
  /** Where the packet came from. */
  readonly source: Endpoint;
}

/** xfrm_user_mapping. */
export const readMapping = (payload: Fields): MappingMessage | undefined => {
  if (payload.size < Size.MAPPING) return undefined;
  const family = payload.u16(20);
  const protocolId = protocolIdOf(payload.u8(22));
  const destination = readAddress(payload, 0, family);
  const address = readAddress(payload, 44, family);
  if (protocolId === undefined || destination === undefined || address === undefined) return undefined;
  return {
    id: { protocolId, spi: payload.networkU32(16), destination },
    source: { address, port: payload.networkU16(62) },
  };
};
