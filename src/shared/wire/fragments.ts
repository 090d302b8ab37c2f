/**
 * IKE fragments: a whole message, header and all, cut into pieces that each travel in an ISAKMP message of their own. Cisco's extension, as
 * [MS-IKEE] §2.2.3.1 and §3.3.6.1 describe it; racoon, charon and pluto do the same.
 */
import { NotifyType, PayloadType } from '../constants/isakmp.ts';
import { HashAlgorithm } from '../constants/oakley.ts';
import { digest } from '../crypto/prf.ts';
import { ProtocolError } from '../errors.ts';
import { GENERIC_HEADER_SIZE } from './generic-header.ts';
import { HEADER_SIZE, type Header, readPayloads, writeMessage } from './message.ts';

/** One piece of a message. `data` is a view into the datagram. */
export interface Fragment {
  /** The same for all fragments of one message; some peers use one number for all messages. */
  readonly id: number;
  /** 1 to 255. */
  readonly number: number;
  readonly isLast: boolean;
  readonly data: Uint8Array;
}

/**
 * The fragment that a datagram is, whose header names a fragment as its first payload. Throws a ProtocolError for one that is malformed, empty, or
 * not alone in its message (CVE-2016-1287: a length shorter than the headers).
 */
export const readFragment = (datagram: Uint8Array, header: Header): Fragment => {
  const { payloads, end } = readPayloads(datagram, header.nextPayload, HEADER_SIZE, header.length);
  const [payload, ...others] = payloads;
  if (payload?.kind !== 'FRAGMENT' || others.length > 0 || end !== header.length) {
    throw new ProtocolError(NotifyType.PAYLOAD_MALFORMED, 'a fragment is alone in its message');
  }
  const { fragmentId, fragmentNumber, flags, data } = payload.value;
  if (fragmentNumber === 0) throw new ProtocolError(NotifyType.PAYLOAD_MALFORMED, 'the first fragment is number 1');
  if (data.length === 0) throw new ProtocolError(NotifyType.PAYLOAD_MALFORMED, 'a fragment of no bytes');
  return { id: fragmentId, number: fragmentNumber, isLast: (flags & LAST_FRAGMENT) !== 0, data };
};

/**
 * A message as fragments of at most `largest` bytes each, ISAKMP header included; the message itself where it is not larger, or would need more fragments than
 * can be numbered. Peers expect the exchange type of phase 1 and no message id in a fragment's header, whatever exchange the message is of. The
 * same message gives the same fragments again.
 */
export const fragmentsOf = (message: Uint8Array, largest: number, exchangeType: number): readonly Uint8Array[] => {
  const room = largest - OVERHEAD;
  const count = Math.ceil(message.length / room);
  if (message.length <= largest || room <= 0 || count > MOST_FRAGMENTS) return [message];
  const [initiatorCookie, responderCookie] = [message.subarray(0, 8), message.subarray(8, 16)];
  const header = { initiatorCookie, responderCookie, exchangeType, flags: 0, messageId: 0 };
  const fragmentId = idOf(message);
  return Array.from({ length: count }, (_, index) => {
    const data = message.subarray(index * room, (index + 1) * room);
    const flags = index === count - 1 ? LAST_FRAGMENT : 0;
    return writeMessage(header, [{ kind: 'FRAGMENT', value: { fragmentId, fragmentNumber: index + 1, flags, data } }]);
  });
};

/** Not 0, which some peers refuse. It need not be secret or unique: a message sent again has it again, another one most probably another. */
const idOf = (message: Uint8Array): number => {
  const [high = 0, low = 0] = digest(HashAlgorithm.SHA, message);
  return high * 256 + low || 1;
};

/** Whether a message is a fragment of another one. */
export const isFragment = ({ nextPayload }: Header): boolean => nextPayload === PayloadType.FRAGMENT;

const LAST_FRAGMENT = 1;
const MOST_FRAGMENTS = 255;
/** Of a fragment that is not the message's own: header, generic header, id, number, flags. */
const OVERHEAD = HEADER_SIZE + GENERIC_HEADER_SIZE + 4;
