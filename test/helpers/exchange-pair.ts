/** Two exchanges wired back to back without lanes, so that tests can look at every state. */
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import { AuthenticationMethod } from '../../src/shared/constants/oakley.ts';
import { type CredentialFiles, NO_CREDENTIALS } from '../../src/shared/credentials/credential-files.ts';
import { type Credentials, createCredentials } from '../../src/shared/credentials/credentials.ts';
import { publicValue, sharedSecret } from '../../src/shared/crypto/dh.ts';
import { forgetKey } from '../../src/shared/crypto/key-cache.ts';
import { aggressiveModeInitiator } from '../../src/shared/exchange/aggressive-mode-initiator.ts';
import { aggressiveModeResponder } from '../../src/shared/exchange/aggressive-mode-responder.ts';
import type { Env, IsakmpKeys, Phase1Result, Phase1Setup, Phase2Setup } from '../../src/shared/exchange/effects.ts';
import type { Envelope } from '../../src/shared/exchange/envelope.ts';
import { phase2Iv } from '../../src/shared/exchange/keymat.ts';
import { type Exchange, exchangeOf } from '../../src/shared/exchange/machine.ts';
import { mainModeInitiator } from '../../src/shared/exchange/main-mode-initiator.ts';
import { mainModeResponder } from '../../src/shared/exchange/main-mode-responder.ts';
import { quickModeInitiator } from '../../src/shared/exchange/quick-mode-initiator.ts';
import { quickModeResponder } from '../../src/shared/exchange/quick-mode-responder.ts';
import {
  type Action,
  type Conversation,
  newConversation,
  type Received,
  receive,
  signal,
} from '../../src/shared/exchange/run.ts';
import type { PeerPolicy } from '../../src/shared/policy/peer-policy.ts';
import { readHeader } from '../../src/shared/wire/message.ts';
import { aes128Sha256, connectionPolicy, mirrored, PATH, peerPolicy, seededRandom } from './lane-pair.ts';

/** One side: its conversation, its environment, and every state that it was in. */
export class Side {
  readonly conversation: Conversation;
  readonly env: Env;
  readonly states: unknown[] = [];
  readonly actions: Action[] = [];
  /** All random bytes that it was given. */
  readonly drawn: Uint8Array[] = [];

  constructor(envelope: Envelope, exchange: Exchange, seed: string, credentials = createCredentials(NO_CREDENTIALS)) {
    this.conversation = newConversation(envelope, exchange);
    const random = seededRandom(seed);
    const drawing = (size: number): Uint8Array => {
      const bytes = random(size);
      this.drawn.push(bytes);
      return bytes;
    };
    this.env = { credentials, now: 1_000, wallClock: Date.now(), random: drawing, publicValue, sharedSecret };
    this.states.push(exchange.snapshot());
  }

  get result(): Phase1Result | undefined {
    for (const action of this.actions) if (action.kind === 'phase1Established') return action.result;
    return undefined;
  }

  /** Answers what is to be sent. */
  signal(kind: 'start' | 'installed'): readonly Uint8Array[] {
    return this.#take(signal(this.conversation, { kind }, this.env));
  }

  hear(bytes: Uint8Array): { readonly received: Received; readonly sent: readonly Uint8Array[] } {
    const header = readHeader(bytes);
    if (this.conversation.responderCookie.every((byte) => byte === 0)) {
      this.conversation.responderCookie = header.responderCookie.slice();
    }
    const received = receive(this.conversation, bytes, header, this.env);
    return { received, sent: received.kind === 'accepted' ? this.#take(received.actions) : [] };
  }

  /** The kernel says yes to everything. */
  #take(actions: readonly Action[]): readonly Uint8Array[] {
    this.states.push(this.conversation.exchange.snapshot());
    this.actions.push(...actions);
    return actions.flatMap((action) => {
      if (action.kind === 'datagram') return [action.bytes];
      return action.kind === 'install' ? this.signal('installed') : [];
    });
  }
}

export interface Pair {
  readonly initiator: Side;
  readonly responder: Side;
}

const COOKIES = { initiator: new Uint8Array(8).fill(0x11), responder: new Uint8Array(8).fill(0x22) };
const BACK = { local: PATH.remote, remote: PATH.local, encapsulated: false };

const setupFor = (policy: PeerPolicy, isInitiator: boolean): Phase1Setup => ({
  policy,
  methods: new Set([AuthenticationMethod.PRE_SHARED, AuthenticationMethod.RSA_SIG]),
  path: isInitiator ? PATH : BACK,
  identitySecrets: new Map(),
  firstContact: true,
  encapsulationPort: 4500,
});

const envelopeOf = (exchangeType: number, isInitiator: boolean): Envelope => ({
  initiatorCookie: COOKIES.initiator,
  responderCookie: isInitiator ? new Uint8Array(8) : COOKIES.responder,
  exchangeType,
  messageId: 0,
  authentication: undefined,
  protection: undefined,
});

/** Keys of the two sides, as files; with them the transforms want RSA signatures. */
interface SignedPair {
  readonly initiator: CredentialFiles;
  readonly responder: CredentialFiles;
}

const policiesOf = (
  changes: Partial<PeerPolicy>,
  keys: SignedPair | undefined,
): readonly [Phase1Setup, Phase1Setup] => {
  const transforms = [{ ...aes128Sha256(), authentication: AuthenticationMethod.RSA_SIG }];
  const policy = (): PeerPolicy => peerPolicy(keys === undefined ? changes : { transforms, ...changes });
  return [setupFor(policy(), true), setupFor(policy(), false)];
};

const credentialsOf = (files = NO_CREDENTIALS): Credentials => createCredentials(structuredClone(files));

export const mainModePair = (changes: Partial<PeerPolicy> = {}, keys?: SignedPair): Pair => {
  const [ours, theirs] = policiesOf(changes, keys);
  return {
    initiator: new Side(
      envelopeOf(ExchangeType.ID_PROT, true),
      exchangeOf(mainModeInitiator, { tag: 'idle', setup: ours }, forgetKey),
      'initiator',
      credentialsOf(keys?.initiator),
    ),
    responder: new Side(
      envelopeOf(ExchangeType.ID_PROT, false),
      exchangeOf(mainModeResponder, { tag: 'awaitSa', setup: theirs }, forgetKey),
      'responder',
      credentialsOf(keys?.responder),
    ),
  };
};

export const aggressiveModePair = (changes: Partial<PeerPolicy> = {}, keys?: SignedPair): Pair => {
  const [ours, theirs] = policiesOf(changes, keys);
  const offered = { tag: 'awaitOffer', setup: theirs, responderCookie: COOKIES.responder } as const;
  return {
    initiator: new Side(
      envelopeOf(ExchangeType.AGGRESSIVE, true),
      exchangeOf(aggressiveModeInitiator, { tag: 'idle', setup: ours }, forgetKey),
      'initiator',
      credentialsOf(keys?.initiator),
    ),
    responder: new Side(
      envelopeOf(ExchangeType.AGGRESSIVE, false),
      exchangeOf(aggressiveModeResponder, offered, forgetKey),
      'responder',
      credentialsOf(keys?.responder),
    ),
  };
};

/** A quick mode under made-up keys. */
export const quickModePair = (keys: IsakmpKeys, connection = connectionPolicy()): Pair => {
  const messageId = 0x0bad_cafe;
  const lastIv = new Uint8Array(keys.cipher.blockSize).fill(0x33);
  const side = (isInitiator: boolean): Side => {
    const policy = peerPolicy({ connections: [isInitiator ? connection : mirrored(connection)] });
    const setup: Phase2Setup = {
      isakmp: '11'.repeat(8) + '22'.repeat(8),
      keys,
      policy,
      connectionlessSuites: [],
      path: isInitiator ? PATH : BACK,
      messageId,
      localIdentity: isInitiator ? '10.0.0.1' : '10.0.0.2',
      remoteIdentity: isInitiator ? '10.0.0.2' : '10.0.0.1',
      proven: undefined,
      nat: undefined,
    };
    const envelope: Envelope = {
      ...envelopeOf(ExchangeType.QUICK_MODE, false),
      messageId,
      authentication: { hash: keys.hash, skeyidA: keys.skeyidA },
      protection: {
        cipher: keys.cipher,
        key: keys.encryptionKey,
        iv: phase2Iv(keys.hash, lastIv, messageId, keys.cipher.blockSize),
      },
    };
    const exchange = isInitiator
      ? exchangeOf(quickModeInitiator, { tag: 'idle', setup, connection }, forgetKey)
      : exchangeOf(quickModeResponder, { tag: 'awaitOffer', setup }, forgetKey);
    return new Side(envelope, exchange, isInitiator ? 'initiator' : 'responder');
  };
  return { initiator: side(true), responder: side(false) };
};

/** Carries messages until there are none. */
export const runPair = ({ initiator, responder }: Pair): void => {
  let [from, to] = [initiator, responder];
  let waiting = initiator.signal('start');
  while (waiting.length > 0) {
    const receiver = to;
    waiting = waiting.flatMap((bytes) => receiver.hear(bytes).sent);
    [from, to] = [to, from];
  }
};
