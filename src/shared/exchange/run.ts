/**
 * What every exchange shares: recognising duplicates, refusing what is not for now, the IV chain, turning "send these payloads" into
 * bytes that can be sent again, and effects that happen whole or not at all.
 */
import { HeaderFlag } from '../constants/isakmp.ts';
import { HashAlgorithm } from '../constants/oakley.ts';
import { hexDigest } from '../crypto/prf.ts';
import { ProtocolError } from '../errors.ts';
import type { Header, OutPayload } from '../wire/message.ts';
import type { Effect, Effects, Env, ExchangeEvent, Repeat } from './effects.ts';
import { type Envelope, openMessage, type Stage, sealAuthenticated, sealMessage } from './envelope.ts';
import type { Inbound } from './inbound.ts';
import type { Exchange } from './machine.ts';

/** One exchange and its place on the wire. The only mutable part of an exchange; one owner (a lane). */
export interface Conversation extends Envelope {
  readonly exchange: Exchange;
  /** Fingerprints of the accepted messages, oldest first: at most three in any exchange. */
  readonly seen: string[];
  lastSent: Uint8Array | undefined;
  repeat: Repeat;
  /** How often lastSent has been sent. */
  transmissions: number;
  /** How many messages were refused. */
  refusals: number;
}

export const newConversation = (envelope: Envelope, exchange: Exchange): Conversation => ({
  initiatorCookie: envelope.initiatorCookie,
  responderCookie: envelope.responderCookie,
  exchangeType: envelope.exchangeType,
  messageId: envelope.messageId,
  authentication: envelope.authentication,
  protection: envelope.protection,
  exchange,
  seen: [],
  lastSent: undefined,
  repeat: 'duplicate',
  transmissions: 0,
  refusals: 0,
});

/** What is left to the lane: sending bytes, and every effect but those that run.ts has carried out. */
export type Action =
  | {
      readonly kind: 'datagram';
      readonly bytes: Uint8Array;
      /** The same before encryption. */
      readonly clear: Uint8Array;
      readonly repeat: Repeat;
      /** What was put into it, besides the HASH that authenticates a message of phase 2. */
      readonly payloads: readonly OutPayload[];
    }
  | Exclude<Effect, { readonly kind: 'send' | 'sendAuthenticated' | 'protect' }>;

export type Received =
  | { readonly kind: 'accepted'; readonly actions: readonly Action[]; readonly message: Inbound }
  | Duplicate
  /** Not for now (nothing is expected, or no key is there to decrypt it with): silence. */
  | { readonly kind: 'ignored' }
  | Refused;

/** An earlier message again; `repeat` is our answer to it, if it was the last. */
interface Duplicate {
  readonly kind: 'duplicate';
  readonly repeat: Uint8Array | undefined;
}

/** A message that is not accepted; `garbled` as in envelope.ts. */
export interface Refused {
  readonly kind: 'refused';
  readonly stage: Stage;
  readonly fault: ProtocolError;
  readonly garbled: boolean;
  /** The log records of the step. */
  readonly actions: readonly Action[];
  /** What it said, if it came as far as the step. */
  readonly message: Inbound | undefined;
}

/** Hands a datagram to its exchange. `header` is that of the datagram, its checks and the look-up of the exchange being done. */
export const receive = (conversation: Conversation, datagram: Uint8Array, header: Header, env: Env): Received => {
  const fingerprint = fingerprintOf(datagram);
  const duplicate = duplicateOf(conversation, fingerprint);
  if (duplicate !== undefined) return duplicate;
  const rule = conversation.exchange.rule();
  const isEncrypted = (header.flags & HeaderFlag.ENCRYPTION) !== 0;
  if (rule === undefined || isDeaf(conversation)) return { kind: 'ignored' };
  if (isEncrypted && conversation.protection === undefined) return { kind: 'ignored' };
  const opened = openMessage(conversation.protection, datagram, header, rule);
  if (opened.kind === 'refused') {
    conversation.refusals++;
    const { stage, fault, garbled } = opened;
    return { kind: 'refused', stage, fault, garbled, actions: [], message: undefined };
  }
  const before = conversation.protection;
  if (opened.protection !== undefined) conversation.protection = opened.protection;
  const out: Effects = [];
  try {
    conversation.exchange.deliver({ kind: 'message', message: opened.message }, env, out);
  } catch (fault) {
    conversation.protection = before;
    if (!(fault instanceof ProtocolError)) throw fault;
    conversation.refusals++;
    const { message } = opened;
    return { kind: 'refused', stage: 'step', fault, garbled: false, actions: out.filter(isLog), message };
  }
  conversation.seen.push(fingerprint);
  conversation.lastSent = undefined;
  conversation.transmissions = 0;
  return { kind: 'accepted', actions: carryOut(conversation, out), message: opened.message };
};

/** Recognises an earlier message of the exchange, where nothing else would be accepted. Undefined: it is none. */
export const recognise = (conversation: Conversation, datagram: Uint8Array): Duplicate | undefined =>
  duplicateOf(conversation, fingerprintOf(datagram));

/** Hands any other event to the exchange. A refusal by the step is the exchange's end: it is thrown. */
export const signal = (
  conversation: Conversation,
  event: Exclude<ExchangeEvent<Inbound>, { readonly kind: 'message' }>,
  env: Env,
): readonly Action[] => {
  const out: Effects = [];
  conversation.exchange.deliver(event, env, out);
  return carryOut(conversation, out);
};

const duplicateOf = ({ seen, lastSent }: Conversation, fingerprint: string): Duplicate | undefined => {
  const earlier = seen.indexOf(fingerprint);
  if (earlier < 0) return undefined;
  return { kind: 'duplicate', repeat: earlier === seen.length - 1 ? lastSent : undefined };
};

/** SHA-1 in hex digits: a string takes less memory than an array of bytes. */
const fingerprintOf = (datagram: Uint8Array): string => hexDigest(HashAlgorithm.SHA, datagram);

/** In phase 1 a refused message may cost a Diffie-Hellman: whoever tries so often is not heard any more. */
const isDeaf = ({ authentication, refusals }: Conversation): boolean =>
  authentication === undefined && refusals >= MOST_REFUSALS;
const MOST_REFUSALS = 32;

const isLog = (effect: Effect): effect is Extract<Effect, { readonly kind: 'log' }> => effect.kind === 'log';

const carryOut = (conversation: Conversation, effects: Effects): readonly Action[] => {
  const actions: Action[] = [];
  for (const effect of effects) {
    if (effect.kind === 'protect') conversation.protection = effect.protection;
    else if (effect.kind === 'send' || effect.kind === 'sendAuthenticated') {
      const { bytes, clear } =
        effect.kind === 'send'
          ? sealMessage(conversation, effect.payloads)
          : sealAuthenticated(conversation, effect.extra, effect.payloads);
      conversation.lastSent = bytes;
      conversation.repeat = effect.repeat;
      conversation.transmissions = 1;
      actions.push({ kind: 'datagram', bytes, clear, repeat: effect.repeat, payloads: effect.payloads });
    } else actions.push(effect);
  }
  return actions;
};
