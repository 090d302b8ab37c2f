/** A kernel for the PF_KEY backend that keeps SAs and policies as Linux does, and loses answers when told to. */
import { MessageType, SaState } from '../../src/kernel/pfkey/constants.ts';
import type { Extension } from '../../src/kernel/pfkey/extension.ts';
import { extensionOf, type Message } from '../../src/kernel/pfkey/message.ts';
import { type KernelPolicy, policyIn, selectorsKey } from '../../src/kernel/pfkey/policy-requests.ts';
import { PfKeySocket } from './pfkey-socket.ts';

interface KeptSa {
  readonly saType: number;
  readonly extensions: readonly Extension[];
}

interface KeptPolicy {
  readonly policy: KernelPolicy;
  readonly index: number;
  readonly extensions: readonly Extension[];
}

export class PfKeyKernel {
  readonly socket = new PfKeySocket();
  readonly sas = new Map<string, KeptSa>();
  readonly policies = new Map<string, KeptPolicy>();
  /** Names of message types in the order they came, as `ADD`. */
  readonly log: string[] = [];
  /** Types that have an errno for an answer. */
  readonly refusals = new Map<number, number>();
  /** How many answers to requests of a type are lost from now on. */
  readonly losses = new Map<number, number>();
  #index = 8;

  constructor() {
    this.socket.onSent = (request) => {
      this.log.push(NAMES.get(request.type) ?? `${request.type}`);
      const answers = this.#answers(request);
      const losses = this.losses.get(request.type) ?? 0;
      if (losses > 0) this.losses.set(request.type, losses - 1);
      else setImmediate(() => answers());
    };
  }

  /** The log since the last look at it. */
  logged(): readonly string[] {
    return this.log.splice(0);
  }

  #answers(request: Message): () => void {
    const refusal = this.refusals.get(request.type);
    if (refusal !== undefined) return () => this.socket.answer(request, refusal);
    switch (request.type) {
      case MessageType.DUMP:
        return this.#dumped(request, [...this.sas.values()]);
      case MessageType.X_SPDDUMP:
        return this.#dumped(
          request,
          [...this.policies.values()].map(({ extensions }) => ({ saType: 0, extensions })),
        );
      case MessageType.X_MIGRATE:
        return this.#migrated(request);
      default: {
        const answer = this.#answer(request);
        return () => this.socket.answer(request, answer);
      }
    }
  }

  #answer(request: Message): number | readonly Extension[] {
    const key = saKey(request);
    switch (request.type) {
      case MessageType.REGISTER:
        return SUPPORTED;
      case MessageType.GETSPI: {
        const spi = extensionOf(request, 16)?.min ?? 0;
        const reserved = `${request.saType} ${spi} ${addressOf(request, 6)}`;
        if (this.sas.has(reserved)) return ENOENT;
        const sa: Extension = { type: 1, spi, replay: 0, state: SaState.LARVAL, auth: 0, encrypt: 0, flags: 0 };
        return this.#kept(reserved, request, [sa, ...request.extensions.filter(({ type }) => type !== 16)]);
      }
      case MessageType.ADD:
        return this.sas.has(key) ? EEXIST : this.#kept(key, request, withCurrent(request.extensions));
      case MessageType.UPDATE: {
        const kept = this.sas.get(key);
        if (kept === undefined) return ESRCH;
        const isLarval = kept.extensions.some((one) => one.type === 1 && one.state === SaState.LARVAL);
        const ports = request.extensions.filter(({ type }) => type === 21 || type === 22);
        const rest = kept.extensions.filter(({ type }) => type !== 21 && type !== 22);
        return this.#kept(key, request, isLarval ? withCurrent(request.extensions) : [...rest, ...ports]);
      }
      case MessageType.GET:
        return this.sas.get(key)?.extensions ?? ESRCH;
      case MessageType.DELETE:
        return this.sas.delete(key) ? [] : ESRCH;
      default:
        return this.#policyAnswer(request);
    }
  }

  #policyAnswer(request: Message): number | readonly Extension[] {
    const found = policyIn(request);
    if (found === undefined) return EINVAL;
    const key = selectorsKey(found.policy);
    const kept = this.policies.get(key);
    if (request.type === MessageType.X_SPDDELETE) {
      this.policies.delete(key);
      return kept?.extensions ?? ENOENT;
    }
    if (request.type === MessageType.X_SPDADD && kept !== undefined) return EEXIST;
    this.#index += 8;
    const index = kept?.index ?? this.#index + found.policy.direction - 1;
    const extensions = request.extensions.map((one) => (one.type === 18 ? { ...one, id: index } : one));
    this.policies.set(key, { policy: found.policy, index, extensions });
    return extensions;
  }

  #kept(key: string, { saType }: Message, extensions: readonly Extension[]): readonly Extension[] {
    this.sas.set(key, { saType, extensions });
    return extensions;
  }

  #dumped(request: Message, items: readonly KeptSa[]): () => void {
    if (items.length === 0) return () => this.socket.answer(request, ENOENT);
    return () => {
      for (const [i, { saType, extensions }] of items.entries()) {
        const sequence = i === items.length - 1 ? 0 : i + 1;
        this.socket.answer({ ...request, saType, sequence }, extensions);
      }
    };
  }

  #migrated(request: Message): () => void {
    const [before, after] = extensionOf(request, 18)?.requests ?? [];
    for (const [key, { saType, extensions }] of this.sas) {
      const to = `${extensionOf({ extensions }, 6)?.address}`;
      if (saType !== request.saType || to !== `${before?.tunnel?.destination.address}`) continue;
      const moved = extensions.map((one): Extension => {
        if (one.type === 5 && after?.tunnel) return { ...one, address: after.tunnel.source.address };
        if (one.type === 6 && after?.tunnel) return { ...one, address: after.tunnel.destination.address };
        return one;
      });
      this.sas.delete(key);
      this.sas.set(saKey({ saType, extensions: moved }), { saType, extensions: moved });
    }
    return () => this.socket.say({ type: MessageType.X_MIGRATE });
  }
}

/** Protocol, SPI and destination. */
const saKey = (message: Pick<Message, 'saType' | 'extensions'>): string =>
  `${message.saType} ${extensionOf(message, 1)?.spi} ${addressOf(message, 6)}`;

const addressOf = (message: Pick<Message, 'extensions'>, type: 5 | 6): string =>
  `${extensionOf(message, type)?.address}`;

/** The kernel keeps keys of its own. */
const withCurrent = (extensions: readonly Extension[]): readonly Extension[] => [
  ...extensions.map((one): Extension => (one.type === 8 || one.type === 9 ? { ...one, key: one.key.slice() } : one)),
  { type: 2, allocations: 3, bytes: 252n, addTime: 1_700_000_000n, useTime: 1_700_000_009n },
];

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(MessageType).map(([name, type]) => [type, name]));

const [ENOENT, ESRCH, EEXIST, EINVAL] = [2, 3, 17, 22];

const SUPPORTED: readonly Extension[] = [
  {
    type: 14,
    algorithms: [
      { id: 3, ivLength: 0, minBits: 160, maxBits: 160 },
      { id: 5, ivLength: 0, minBits: 256, maxBits: 256 },
      { id: 77, ivLength: 0, minBits: 1, maxBits: 1 },
    ],
  },
  {
    type: 15,
    algorithms: [
      { id: 11, ivLength: 0, minBits: 0, maxBits: 0 },
      { id: 12, ivLength: 16, minBits: 128, maxBits: 256 },
    ],
  },
];
