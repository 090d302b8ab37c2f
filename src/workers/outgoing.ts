/** Messages that a lane sends on its own account under an established ISAKMP SA: informational exchanges, and the envelope of any phase 2 exchange. */
import { ExchangeType } from '../shared/constants/isakmp.ts';
import { type Envelope, sealAuthenticated } from '../shared/exchange/envelope.ts';
import { isakmpDeletePayload } from '../shared/exchange/informational.ts';
import { phase2Iv } from '../shared/exchange/keymat.ts';
import type { OutPayload } from '../shared/wire/message.ts';
import { cookieBytes, type EstablishedBasis, type IsakmpSa } from './isakmp-sa.ts';
import type { LaneContext } from './lane-context.ts';
import { freshMessageId, rememberMessageId } from './message-ids.ts';

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
  lane.effects.push({ kind: 'send', path: sa.path, bytes: sealAuthenticated(envelope, [], payloads) });
};

/** Tells the peer that the ISAKMP SA is no more. */
export const sayDeleted = (lane: LaneContext, sa: IsakmpSa): void =>
  sendInformational(lane, sa, [isakmpDeletePayload(cookieBytes(sa))]);
