/** Builds the messages about policies, and reads what the kernel says of them. */
import type { Route } from '../../shared/flow.ts';
import { Draft } from './draft.ts';
import { Attribute, type Direction, MessageFlag, MessageType, PolicyField, Size } from './layout.ts';
import { type Attributes, type Fields, readAttributes } from './reader.ts';
import { NO_LIMITS, writeLife } from './sa-messages.ts';
import {
  addressBytes,
  familyOf,
  readAddress,
  readRoute,
  readSelector,
  type Selectors,
  writeInterfaceId,
  writeMark,
  writeSelector,
} from './structs.ts';

/** One SA that packets of a policy have to have. */
export interface Template {
  /** IpProtocol. */
  readonly protocol: number;
  /** Mode. */
  readonly mode: number;
  /** 0: any. */
  readonly reqid: number;
  readonly source: string;
  readonly destination: string;
  /** Packets may come without it. */
  readonly isOptional: boolean;
}

/** A policy is named by direction, selectors and route: the kernel has one of each. */
export interface PolicyName {
  readonly direction: Direction;
  readonly selectors: Selectors;
  readonly route: Route;
}

export interface PolicySpec extends PolicyName {
  readonly priority: number;
  /** None: packets pass as they are. */
  readonly templates: readonly Template[];
}

export const putPolicy = (
  type: typeof MessageType.NEWPOLICY | typeof MessageType.UPDPOLICY,
  spec: PolicySpec,
): Uint8Array => {
  const draft = new Draft(type, MessageFlag.REQUEST | MessageFlag.ACK, Size.POLICY);
  writeSelector(draft, PolicyField.SELECTOR, spec.selectors);
  writeLife(draft, PolicyField.LIFETIME, NO_LIMITS);
  draft.u32(PolicyField.PRIORITY, spec.priority);
  draft.u8(PolicyField.DIRECTION, spec.direction);
  if (spec.templates.length > 0) draft.attribute(Attribute.TMPL, Size.TEMPLATE * spec.templates.length);
  spec.templates.forEach((template, i) => {
    writeTemplate(draft, i * Size.TEMPLATE, template);
  });
  writeMark(draft, spec.route);
  writeInterfaceId(draft, spec.route.interfaceId);
  return draft.finish();
};

export const deletePolicy = (name: PolicyName): Uint8Array =>
  named(MessageType.DELPOLICY, MessageFlag.REQUEST | MessageFlag.ACK, name);

/** Answered by NEWPOLICY. */
export const getPolicy = (name: PolicyName): Uint8Array => named(MessageType.GETPOLICY, MessageFlag.REQUEST, name);

/** Answered by a NEWPOLICY for each policy of everybody. */
export const dumpPolicies = (): Uint8Array =>
  new Draft(MessageType.GETPOLICY, MessageFlag.REQUEST | MessageFlag.DUMP, Size.POLICY_ID).finish();

const named = (type: number, flags: number, { direction, selectors, route }: PolicyName): Uint8Array => {
  const draft = new Draft(type, flags, Size.POLICY_ID);
  writeSelector(draft, 0, selectors);
  draft.u8(Size.SELECTOR + 4, direction);
  writeMark(draft, route);
  writeInterfaceId(draft, route.interfaceId);
  return draft.finish();
};

/** xfrm_user_tmpl, whatever its algorithms are. */
const writeTemplate = (draft: Draft, at: number, template: Template): void => {
  draft.raw(at, addressBytes(template.destination));
  draft.u8(at + 20, template.protocol);
  draft.u16(at + 24, familyOf(template.destination));
  draft.raw(at + 28, addressBytes(template.source));
  draft.u32(at + 44, template.reqid);
  draft.u8(at + 48, template.mode);
  draft.u8(at + 50, template.isOptional ? 1 : 0);
  for (const algorithms of [52, 56, 60]) draft.u32(at + algorithms, 0xffff_ffff);
};

/** A policy as the kernel has it. Undefined where it is cut, is for sockets, or has a selector without family. */
export const readPolicy = (payload: Fields): PolicySpec | undefined => {
  if (payload.size < Size.POLICY) return undefined;
  return readPolicyInfo(payload, readAttributes(payload, Size.POLICY));
};

/** xfrm_userpolicy_info with the attributes of its message. */
export const readPolicyInfo = (info: Fields, attributes: Attributes | undefined): PolicySpec | undefined => {
  const direction = info.u8(PolicyField.DIRECTION);
  const selectors = readSelector(info, PolicyField.SELECTOR);
  if (attributes === undefined || selectors === undefined || !isDirection(direction)) return undefined;
  return {
    direction,
    selectors,
    route: readRoute(attributes),
    priority: info.u32(PolicyField.PRIORITY),
    templates: readTemplates(attributes.get(Attribute.TMPL)),
  };
};

/** Templates of a family that is no IP are left out. */
export const readTemplates = (templates: Fields | undefined): readonly Template[] => {
  const read: Template[] = [];
  for (let at = 0; templates !== undefined && templates.size - at >= Size.TEMPLATE; at += Size.TEMPLATE) {
    const family = templates.u16(at + 24);
    const destination = readAddress(templates, at, family);
    const source = readAddress(templates, at + 28, family);
    if (destination === undefined || source === undefined) continue;
    const protocol = templates.u8(at + 20);
    const [mode, reqid, isOptional] = [templates.u8(at + 48), templates.u32(at + 44), templates.u8(at + 50) !== 0];
    read.push({ protocol, mode, reqid, source, destination, isOptional });
  }
  return read;
};

const isDirection = (value: number): value is Direction => value <= 2;
