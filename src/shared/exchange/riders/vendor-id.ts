/** Vendor ids that we send, and what a peer's tell us. RFC 2408 §3.16. */
import { compareBytes } from '../../address.ts';
import type { OutPayload } from '../../wire/message.ts';
import type { Phase1Setup } from '../effects.ts';
import type { Inbound } from '../inbound.ts';

/** What a peer has said that it can do. */
export interface PeerAbilities {
  /** RFC 3706. */
  readonly deadPeerDetection: boolean;
  /** The best of the ways of NAT traversal that it knows; undefined: none, or we do without. */
  readonly natDialect: NatDialect | undefined;
}

/** Payload and mode numbers of RFC 3947, or those of its drafts 02 and 03. */
export type NatDialect = 'rfc' | 'draft';

interface VendorId {
  readonly bytes: Uint8Array;
  /** Undefined: it has nothing to do with NAT traversal. */
  readonly natDialect: NatDialect | undefined;
}

const vendorId = (hex: string, natDialect?: NatDialect): VendorId => ({
  bytes: Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)),
  natDialect,
});

/** RFC 3706 §5.1. */
const DEAD_PEER_DETECTION = vendorId('afcad71368a1f1c96b8696fc77570100');

/** MD5 of "FRAGMENTATION" and what can be fragmented, as racoon and charon say it: messages of main and aggressive mode. Cisco says more, Windows nothing. */
const FRAGMENTATION = vendorId('4048b7d56ebce88525e7de7f00d6c2d380000000');

/** In wire order, and of the ways of NAT traversal the better one first. The hashes are MD5 of the documents' names. */
const VENDOR_IDS: readonly VendorId[] = [
  DEAD_PEER_DETECTION,
  vendorId('4a131c81070358455c5728f20e95452f', 'rfc'),
  vendorId('7d9419a65310ca6f2c179d9215529d56', 'draft'),
  // The draft's own name, and the name with a newline that most implementations have hashed.
  vendorId('90cb80913ebb696e086381b5ec427b1f', 'draft'),
  vendorId('cd60464335df21f87cfdb2fc68b6a448', 'draft'),
  FRAGMENTATION,
];

/** What an initiator offers. */
export const offeredVendorIds = (setup: Phase1Setup): readonly OutPayload[] => usable(setup).map(vendorIdPayload);

/** What a responder answers: only ids that were offered, so that the answer stays smaller than the question. */
export const answeredVendorIds = (setup: Phase1Setup, message: Inbound): readonly OutPayload[] =>
  usable(setup)
    .filter((known) => names(message, known))
    .map(vendorIdPayload);

/** What the vendor ids of the peer's first message say. */
export const abilitiesOf = (setup: Phase1Setup, message: Inbound): PeerAbilities => ({
  deadPeerDetection: names(message, DEAD_PEER_DETECTION),
  natDialect: usable(setup).find((known) => known.natDialect !== undefined && names(message, known))?.natDialect,
});

/** Some peers name dead peer detection only with their keys. */
export const updated = (abilities: PeerAbilities, message: Inbound): PeerAbilities =>
  abilities.deadPeerDetection || !names(message, DEAD_PEER_DETECTION)
    ? abilities
    : { ...abilities, deadPeerDetection: true };

/** Whether the sender of a message takes others in IKE fragments. */
export const takesFragments = ({ vendorIds }: Inbound): boolean =>
  vendorIds.some(({ value: { vendorId: bytes } }) => {
    if (compareBytes(bytes.subarray(0, MD5_SIZE), FRAGMENTATION.bytes.subarray(0, MD5_SIZE)) !== 0) return false;
    // Only some capabilities concern us, and without any the extension as a whole is meant.
    return bytes.length === MD5_SIZE || ((bytes[MD5_SIZE] ?? 0) & MAIN_AND_AGGRESSIVE) !== 0;
  });
const MD5_SIZE = 16;
/** In the first of the four bytes of capabilities. */
const MAIN_AND_AGGRESSIVE = 0x80;

const usable = ({ encapsulationPort, policy }: Phase1Setup): readonly VendorId[] =>
  VENDOR_IDS.filter((one) => {
    if (one === FRAGMENTATION) return policy.fragmentation;
    return one.natDialect === undefined || encapsulationPort !== undefined;
  });

const names = (message: Inbound, known: VendorId): boolean =>
  known === FRAGMENTATION
    ? takesFragments(message)
    : message.vendorIds.some(({ value }) => compareBytes(value.vendorId, known.bytes) === 0);

const vendorIdPayload = ({ bytes }: VendorId): OutPayload => ({ kind: 'VID', value: { vendorId: bytes } });
