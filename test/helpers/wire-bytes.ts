/** Hex and plain forms of wire values for tests. */
import type { DecodedPayload, OutPayload } from '../../src/shared/wire/message.ts';

/** White space is for the reader. */
export const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** A decoded payload as it would be handed to the writer. */
export const asOutPayload = (payload: DecodedPayload): OutPayload => {
  if (payload.kind === 'private') return { kind: 'raw', type: payload.type, body: payload.body };
  const draft = payload.type >= 128;
  if (payload.kind === 'NAT_D') return { kind: payload.kind, value: payload.value, draft };
  if (payload.kind === 'NAT_OA') return { kind: payload.kind, value: payload.value, draft };
  return payload;
};

/** What a payload says, without where it was found: for comparing what went in with what came out. */
export const plain = (payload: OutPayload): unknown =>
  payload.kind === 'raw'
    ? { type: payload.type, body: payload.body }
    : { kind: payload.kind, value: payload.value, draft: 'draft' in payload && payload.draft === true };
