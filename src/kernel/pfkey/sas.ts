/** Our SAs in the kernel: added, asked about, moved, removed. An answer that is lost is made up for by a look at what the kernel has. */
import { type Endpoint, parseAddress } from '../../shared/address.ts';
import type { SaId } from '../../shared/connection/events.ts';
import { ProtocolId } from '../../shared/constants/ipsec-doi.ts';
import { isTransport } from '../../shared/policy/encapsulation.ts';
import type { IpsecSa } from '../../shared/threads/contract.ts';
import { KernelError, type SaContext, type SaUsage } from '../backend.ts';
import { algorithmsFor, type Supported } from './algorithms.ts';
import { ExtensionType, MessageType, SaMode, SaState } from './constants.ts';
import type { Conversation } from './conversation.ts';
import { extensionOf, type Message } from './message.ts';
import { moveSa } from './moves.ts';
import type { OwnSas } from './own-sas.ts';
import { NO_ROUTES } from './policy-requests.ts';
import { AnswerLost } from './refusal.ts';
import { anyOf, getSpiRequest, type NewSa, namedRequest, type Request, saRequest, saTypeOf } from './sa-requests.ts';
import { usageIn } from './upcalls.ts';

export class Sas {
  readonly #conversation: Conversation;
  readonly #supported: Supported;
  readonly #own: OwnSas;
  #moves: Promise<unknown> = Promise.resolve();

  constructor(conversation: Conversation, supported: Supported, own: OwnSas) {
    this.#conversation = conversation;
    this.#supported = supported;
    this.#own = own;
  }

  /** As in KernelBackend. An inbound SA is reserved first, as RFC 2367 §3.1.1 has it: whose SPI is taken by another does not replace that one. */
  async add(sa: IpsecSa, context: SaContext): Promise<void> {
    const { reqid } = context;
    // In a bundle ESP comes first and makes the tunnel, AH protects what it made, whatever was negotiated.
    const isOverEsp = sa.protocolId === ProtocolId.IPSEC_AH && this.#own.hasEsp(reqid, sa.destination);
    const negotiated = newSa(sa, context, this.#supported);
    const wanted = isOverEsp ? { ...negotiated, mode: SaMode.TRANSPORT, innerAny: undefined } : negotiated;
    const added = (): void => {
      const port = context.udp?.source ?? 0;
      this.#own.add({ id: idOf(sa), source: sa.source, reqid, place: { address: sa.source, port } });
    };
    if (sa.direction === 'out') {
      const sequence = context.acquire === undefined ? {} : { sequence: context.acquire };
      await this.#submit({ ...saRequest(MessageType.ADD, wanted), ...sequence }, sa, context.reqid, added);
      return;
    }
    await this.#reserve(wanted, sa);
    try {
      await this.#submit(saRequest(MessageType.UPDATE, wanted), sa, context.reqid, added);
    } catch (fault) {
      // What is reserved all the same goes by itself after 30 seconds.
      await Promise.allSettled([this.#conversation.askUntilGone(namedRequest(MessageType.DELETE, wanted))]);
      throw fault;
    }
  }

  /** Rejects with KernelError 'missing' where the kernel has none. */
  async delete(id: SaId): Promise<void> {
    const isThere = await this.#conversation.askUntilGone(namedRequest(MessageType.DELETE, this.#nameOf(id)));
    this.#own.remove(id);
    if (!isThere) throw new KernelError('missing', `PF_KEY: there is no SA with SPI 0x${id.spi.toString(16)}`);
  }

  /** Rejects with KernelError 'missing'. */
  async query(id: SaId): Promise<SaUsage> {
    return usageIn(await this.#get(id));
  }

  /** As in KernelBackend; 'unsupported' where the kernel cannot move SAs (no CONFIG_NET_KEY_MIGRATE). One after the other. */
  move(id: SaId, source: Endpoint, destination: Endpoint): Promise<SaId> {
    const mine = this.#moves.then(async () => {
      const answer = await this.#get(id);
      const reqid = extensionOf(answer, ExtensionType.X_SA2)?.reqid ?? 0;
      await moveSa(this.#conversation, answer, source, destination);
      const moved = { ...id, destination: destination.address };
      this.#own.remove(id);
      this.#own.add({ id: moved, source: source.address, reqid, place: source });
      return moved;
    });
    this.#moves = mine.catch(() => {});
    return mine;
  }

  /** One that carries packets. */
  async #get(id: SaId): Promise<Message> {
    const answer = await this.#conversation.ask(namedRequest(MessageType.GET, this.#nameOf(id)));
    const state = extensionOf(answer, ExtensionType.SA)?.state;
    if (state !== SaState.MATURE && state !== SaState.DYING) {
      throw new KernelError('missing', `PF_KEY: SPI 0x${id.spi.toString(16)} is only reserved`);
    }
    return answer;
  }

  async #submit(request: Request, sa: IpsecSa, reqid: number, added: () => void): Promise<void> {
    try {
      await this.#conversation.ask(request, added);
    } catch (fault) {
      if (!(fault instanceof AnswerLost)) throw fault;
      const found = await this.#get(idOf(sa));
      if (extensionOf(found, ExtensionType.X_SA2)?.reqid !== reqid) throw fault;
      added();
    }
  }

  async #reserve(wanted: NewSa, sa: IpsecSa): Promise<void> {
    try {
      await this.#conversation.ask(getSpiRequest(wanted));
    } catch (fault) {
      if (!(fault instanceof AnswerLost)) throw fault;
      const found = await this.#conversation.ask(namedRequest(MessageType.GET, wanted));
      if (extensionOf(found, ExtensionType.SA)?.state === SaState.LARVAL) return;
      throw new KernelError('exists', `PF_KEY: another SA has SPI 0x${sa.spi.toString(16)}`);
    }
  }

  #nameOf(id: SaId): { saType: number; spi: number; source: string; destination: string } {
    const source = this.#own.get(id)?.source ?? anyOf(id.destination);
    return { saType: saTypeOf(id.protocolId), spi: id.spi, source, destination: id.destination };
  }
}

const idOf = ({ protocolId, spi, destination }: IpsecSa): SaId => ({ protocolId, spi, destination });

const newSa = (sa: IpsecSa, context: SaContext, supported: Supported): NewSa => {
  const { mark, interfaceId } = context.route;
  if (mark !== 0 || interfaceId !== 0) throw new KernelError('unsupported', NO_ROUTES);
  return {
    ...algorithmsFor(sa, supported, context.sha2Truncation96),
    saType: saTypeOf(sa.protocolId),
    spi: sa.spi,
    source: sa.source,
    destination: sa.destination,
    mode: isTransport(sa.encapsulation) ? SaMode.TRANSPORT : SaMode.TUNNEL,
    reqid: context.reqid,
    authKey: sa.authenticationKey,
    encryptKey: sa.encryptionKey,
    replay: sa.replayWindow,
    life: context.life,
    softPackets: SOFT_PACKETS,
    udp: context.udp,
    innerAny: innerAnyOf(sa, context),
  };
};

const innerAnyOf = (sa: IpsecSa, { selectors }: SaContext): string | undefined => {
  if (selectors === undefined || isTransport(sa.encapsulation)) return undefined;
  const inner = parseAddress(selectors.source.address);
  return inner === undefined || inner.family === parseAddress(sa.source)?.family ? undefined : anyOf(inner.text);
};

/** Of 2^32 sequence numbers (RFC 4303 §3.3.3): at a million packets a second, nine minutes are left. */
const SOFT_PACKETS = 0xe0000000;
