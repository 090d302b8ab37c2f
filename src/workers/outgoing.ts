/** Messages that a lane sends on its own account under an established ISAKMP SA: informational exchanges, and the envelope of any phase 2 exchange. */
import { ExchangeType } from '../shared/constants/isakmp.ts';
import type { Protection } from '../shared/exchange/effects.ts';
import { type Envelope, type Sealed, sealAuthenticated } from '../shared/exchange/envelope.ts';
import { isakmpDeletePayload } from '../shared/exchange/informational.ts';
import { phase2Iv } from '../shared/exchange/keymat.ts';
import { LogClass } from '../shared/log/classes.ts';
import type { Path } from '../shared/threads/contract.ts';
import { HEADER_SIZE, type OutPayload } from '../shared/wire/message.ts';
import { capture } from './capture.ts';
import { cipherWords, payloadWords, sentWords } from './debug-words.ts';
import { cookieBytes, type EstablishedBasis, type IsakmpSa } from './isakmp-sa.ts';
import type { LaneContext } from './lane-context.ts';
import { trace } from './lane-log.ts';
import { freshMessageId, rememberMessageId } from './message-ids.ts';

/** Sends a new message; `clear`: as it was before encryption; `protection` is what it is encrypted with, if it is. */
export const send = (
  lane: LaneContext,
  path: Path,
  { bytes, clear }: Sealed,
  protection: Protection | undefined,
  payloads: readonly OutPayload[],
): void => {
  lane.effects.push({ kind: 'send', path, bytes });
  capture(lane, path, true, clear);
  trace(lane, LogClass.MESSAGE, 70, sentWords, path, bytes, false);
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

/** Sends the same bytes once more. */
export const sendAgain = (lane: LaneContext, path: Path, bytes: Uint8Array): void => {
  lane.effects.push({ kind: 'send', path, bytes });
  trace(lane, LogClass.MESSAGE, 70, sentWords, path, bytes, true);
};

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
  send(lane, sa.path, sealAuthenticated(envelope, [], payloads), envelope.protection, payloads);
};

/** Tells the peer that the ISAKMP SA is no more. */
export const sayDeleted = (lane: LaneContext, sa: IsakmpSa): void =>
  sendInformational(lane, sa, [isakmpDeletePayload(cookieBytes(sa))]);
