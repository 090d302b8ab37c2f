/** Vendor ids that we send, and what a peer's tell us. RFC 2408 §3.16. */
import type { OutPayload } from '../../wire/message.ts';
import type { Inbound } from '../inbound.ts';

interface VendorId {
  readonly name: string;
  readonly rfc: string;
  readonly bytes: Uint8Array;
}

/** In wire order. */
const VENDOR_IDS: readonly VendorId[] = [
  {
    name: 'DPD',
    rfc: 'RFC 3706 §5.1',
    bytes: Uint8Array.of(
      0xaf,
      0xca,
      0xd7,
      0x13,
      0x68,
      0xa1,
      0xf1,
      0xc9,
      0x6b,
      0x86,
      0x96,
      0xfc,
      0x77,
      0x57,
      0x01,
      0x00,
    ),
  },
];

/** What an initiator offers. */
export const offeredVendorIds = (): readonly OutPayload[] => VENDOR_IDS.map(vendorIdPayload);

/** What a responder answers: only ids that were offered, so that the answer stays smaller than the question. */
export const answeredVendorIds = (message: Inbound): readonly OutPayload[] =>
  VENDOR_IDS.filter(({ bytes }) => message.vendorIds.some(({ value }) => sameBytes(value.vendorId, bytes))).map(
    vendorIdPayload,
  );

const vendorIdPayload = ({ bytes }: VendorId): OutPayload => ({ kind: 'VID', value: { vendorId: bytes } });

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((x, i) => x === b[i]);
