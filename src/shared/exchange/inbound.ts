/** A received message as the steps see it: payloads by kind, already read and decrypted, and the rules about which must be there. */
import { HeaderFlag, NotifyType } from '../constants/isakmp.ts';
import { ProtocolError } from '../errors.ts';
import type { DecodedPayload, Header } from '../wire/message.ts';

type Kind = DecodedPayload['kind'];
type Of<K extends Kind> = Extract<DecodedPayload, { readonly kind: K }>;

/** Views into one datagram: whoever keeps something past the message copies it. */
export interface Inbound {
  readonly header: Header;
  /** The whole message, decrypted: header, payloads, padding. */
  readonly clear: Uint8Array;
  readonly sa: Of<'SA'> | undefined;
  readonly ke: Of<'KE'> | undefined;
  readonly nonce: Of<'NONCE'> | undefined;
  readonly hash: Of<'HASH'> | undefined;
  readonly signature: Of<'SIG'> | undefined;
  /** The first of them in phase 1; IDci and IDcr in quick mode. */
  readonly id: Of<'ID'> | undefined;
  readonly secondId: Of<'ID'> | undefined;
  readonly vendorIds: readonly Of<'VID'>[];
  readonly notifies: readonly Of<'NOTIFY'>[];
  readonly certificates: readonly Of<'CERT'>[];
  readonly certificateRequests: readonly Of<'CERTREQ'>[];
  readonly deletes: readonly Of<'DELETE'>[];
  /** The hash of our end first, then those of the peer's. */
  readonly natDetections: readonly Of<'NAT_D'>[];
  /** The initiator's first. */
  readonly natOriginals: readonly Of<'NAT_OA'>[];
  /** What HASH(1) and HASH(2) cover besides their prefix: everything after the HASH payload to the end of the chain. */
  readonly afterHash: Uint8Array;
  readonly encrypted: boolean;
  /** Kinds in the order they came. */
  readonly kinds: readonly Kind[];
}

/** What a state insists on. Kinds that are neither required nor allowed are refused; private payload types are always skipped. */
export interface MessageRule {
  readonly encryption: 'never' | 'always' | 'either';
  /** RFC 2409 §5.5: HASH must be the first payload of phase 2. */
  readonly hashFirst: boolean;
  readonly required: readonly Kind[];
  readonly allowed: readonly Kind[];
}

/** Sorts payloads by kind. A second SA, KE, NONCE, HASH or SIG, or a third ID, is refused: nobody could say which one counts. */
export const inbound = (
  header: Header,
  bytes: Uint8Array,
  payloads: readonly DecodedPayload[],
  end: number,
): Inbound => {
  const only = <K extends Kind>(kind: K, list: readonly Of<K>[], most = 1): readonly Of<K>[] => {
    if (list.length > most) {
      throw new ProtocolError(
        NotifyType.PAYLOAD_MALFORMED,
        `${list.length} ${kind} payloads, at most ${most} make sense`,
      );
    }
    return list;
  };
  const [sa] = only(
    'SA',
    payloads.filter((p) => p.kind === 'SA'),
  );
  const [ke] = only(
    'KE',
    payloads.filter((p) => p.kind === 'KE'),
  );
  const [nonce] = only(
    'NONCE',
    payloads.filter((p) => p.kind === 'NONCE'),
  );
  const [hash] = only(
    'HASH',
    payloads.filter((p) => p.kind === 'HASH'),
  );
  const [signature] = only(
    'SIG',
    payloads.filter((p) => p.kind === 'SIG'),
  );
  const [id, secondId] = only(
    'ID',
    payloads.filter((p) => p.kind === 'ID'),
    2,
  );
  return {
    header,
    clear: bytes,
    sa,
    ke,
    nonce,
    hash,
    signature,
    id,
    secondId,
    vendorIds: payloads.filter((p) => p.kind === 'VID'),
    notifies: payloads.filter((p) => p.kind === 'NOTIFY'),
    certificates: payloads.filter((p) => p.kind === 'CERT'),
    certificateRequests: payloads.filter((p) => p.kind === 'CERTREQ'),
    deletes: payloads.filter((p) => p.kind === 'DELETE'),
    natDetections: payloads.filter((p) => p.kind === 'NAT_D'),
    natOriginals: payloads.filter((p) => p.kind === 'NAT_OA'),
    afterHash: hash === undefined ? NOTHING : bytes.subarray(hash.end, end),
    encrypted: (header.flags & HeaderFlag.ENCRYPTION) !== 0,
    kinds: payloads.map((payload) => payload.kind),
  };
};

const NOTHING = new Uint8Array(0);

/** Holds the message against the rule of the exchange's state; throws what the peer is owed for the first breach. */
export const checkRule = (message: Inbound, rule: MessageRule): void => {
  if (rule.hashFirst && message.kinds[0] !== 'HASH') {
    throw new ProtocolError(NotifyType.PAYLOAD_MALFORMED, 'the first payload is not HASH');
  }
  for (const kind of rule.required) {
    if (!message.kinds.includes(kind)) throw missing(kind);
  }
  for (const kind of message.kinds) {
    if (kind !== 'private' && !rule.required.includes(kind) && !rule.allowed.includes(kind)) {
      throw new ProtocolError(NotifyType.INVALID_PAYLOAD_TYPE, `unexpected ${kind} payload`);
    }
  }
};

const missing = (kind: Kind): ProtocolError =>
  new ProtocolError(NotifyType.PAYLOAD_MALFORMED, `no ${kind} payload in this message`);

/** The payload that the state's rule requires; a rule that forgot it refuses the message like any missing payload. */
export const insist = <T>(payload: T | undefined, kind: Kind): T => {
  if (payload === undefined) throw missing(kind);
  return payload;
};
