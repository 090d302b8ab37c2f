/** Messages that a lane sends on its own account under an established ISAKMP SA: informational exchanges, and the envelope of any phase 2 exchange. */
import { addressFamily } from '../shared/address.ts';
import { ExchangeType } from '../shared/constants/isakmp.ts';
import type { Protection } from '../shared/exchange/effects.ts';
import { type Envelope, type Sealed, sealAuthenticated } from '../shared/exchange/envelope.ts';
import { isakmpDeletePayload } from '../shared/exchange/informational.ts';
import { phase2Iv } from '../shared/exchange/keymat.ts';
import { LogClass } from '../shared/log/classes.ts';
import type { Path } from '../shared/threads/contract.ts';
import { fragmentsOf } from '../shared/wire/fragments.ts';
import { HEADER_SIZE, type OutPayload } from '../shared/wire/message.ts';
import { capture } from './capture.ts';
import { cipherWords, fragmentedWords, payloadWords, sentWords } from './debug-words.ts';
import { cookieBytes, type EstablishedBasis, type IsakmpSa } from './isakmp-sa.ts';
import type { LaneContext } from './lane-context.ts';
import { trace } from './lane-log.ts';
import { freshMessageId, rememberMessageId } from './message-ids.ts';

/** Sends the peer a new message; `clear`: as it was before encryption; `protection` is what it is encrypted with, if it is. */
export const send = (
  lane: LaneContext,
  sa: IsakmpSa,
  { bytes, clear }: Sealed,
  protection: Protection | undefined,
  payloads: readonly OutPayload[],
): void => {
  transmit(lane, sa, bytes, false);
  capture(lane, sa.path, true, clear);
  trace(lane, LogClass.MESSAGE, 60, addedWords, payloads);
  if (protection !== undefined) {
    trace(lane, LogClass.CRYPTO, 70, cipherWords, 'encrypt', protection, bytes.length - HEADER_SIZE);
  }
};

const addedWords = (payloads: readonly OutPayload[]): string =>
  payloadWords(
    'add',
    payloads.map((payload) => (payload.kind === 'raw' ? String(payload.type) : payload.kind)),
  );

/** Sends the same message once more. */
export const sendAgain = (lane: LaneContext, sa: IsakmpSa, bytes: Uint8Array): void => transmit(lane, sa, bytes, true);

/** In IKE fragments where it would not fit a packet of the size that is wanted and the peer takes them. */
const transmit = (lane: LaneContext, { path, policy, takesFragments }: IsakmpSa, bytes: Uint8Array, again: boolean) => {
  trace(lane, LogClass.MESSAGE, 70, sentWords, path, bytes, again);
  const largest = lane.general.fragmentSize - headersOf(path);
  const datagrams = takesFragments ? fragmentsOf(bytes, largest, policy.exchangeType) : [bytes];
  for (const datagram of datagrams) lane.effects.push({ kind: 'send', path, bytes: datagram });
  if (datagrams.length > 1) trace(lane, LogClass.MESSAGE, 70, fragmentedWords, datagrams.length);
};

/** Bytes before IKE in a packet on this path: IP, UDP, non-ESP marker. */
const headersOf = ({ remote, encapsulated }: Path): number =>
  (addressFamily(remote.address) === 6 ? 40 : 20) + 8 + (encapsulated ? 4 : 0);

/** The keys of one phase 2 exchange and the first IV of its chain (RFC 2409 appendix B). */
export const protectedEnvelope = (
  sa: IsakmpSa,
  { keys, lastIv }: EstablishedBasis,
  exchangeType: number,
  messageId: number,
): Envelope => ({
  initiatorCookie: sa.initiatorCookie,
  responderCookie: sa.responderCookie,
  exchangeType,
  messageId,
  authentication: { hash: keys.hash, skeyidA: keys.skeyidA },
  protection: {
    cipher: keys.cipher,
    key: keys.encryptionKey,
    iv: phase2Iv(keys.hash, lastIv, messageId, keys.cipher.blockSize),
  },
});

/** Tells the peer something, protected. Nothing repeats it. */
export const sendInformational = (lane: LaneContext, sa: IsakmpSa, payloads: readonly OutPayload[]): void => {
  const { established } = sa;
  if (established === undefined) return;
  const messageId = freshMessageId(lane, established);
  rememberMessageId(lane, sa, established, messageId);
  const envelope = protectedEnvelope(sa, established, ExchangeType.INFO, messageId);
  send(lane, sa, sealAuthenticated(envelope, [], payloads), envelope.protection, payloads);
};

/** Tells the peer that the ISAKMP SA is no more. */
export const sayDeleted = (lane: LaneContext, sa: IsakmpSa): void =>
  sendInformational(lane, sa, [isakmpDeletePayload(cookieBytes(sa))]);
