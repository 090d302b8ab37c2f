/** SAs in the kernel, and what has to be remembered of them to find them there. */
import type { Endpoint } from '../../shared/address.ts';
import type { SaId } from '../../shared/connection/events.ts';
import { ProtocolId } from '../../shared/constants/ipsec-doi.ts';
import { NO_ROUTE, type Route } from '../../shared/flow.ts';
import type { IpsecSa } from '../../shared/threads/contract.ts';
import { KernelError, type SaContext, type SaUsage } from '../backend.ts';
import { isOwn, type OwnReqids } from '../own-reqids.ts';
import { AnswerLost, type Asked, type Conversation } from './conversation.ts';
import { Attribute, MessageType } from './layout.ts';
import { allocateSpi, deleteSa, dumpSas, getSa, putSa, type SaSpec } from './sa-messages.ts';
import { specOf } from './sa-spec.ts';
import { copySa, type MovableSa, movedSa, type Place, readSa, type SaState } from './sa-state.ts';
import { saKey, saText } from './structs.ts';

/** What finds an SA in the kernel. */
interface SaName {
  readonly id: SaId;
  readonly source: string;
  readonly reqid: number;
  /** As the kernel has it: without the right mark it does not find the SA. */
  readonly route: Route;
}

/** An SA of ours. */
export interface SaRecord extends SaName {
  /** Its soft limits have passed. */
  isSoft: boolean;
  /** Where its peer was last reported to be (`mapping`), '' = nowhere else. */
  reportedAt: string;
  /** It is made or moved just now: that the kernel has none says nothing. */
  isChanging: boolean;
}

export class XfrmSas {
  readonly #conversation: Conversation;
  readonly #reqids: OwnReqids;
  /** By saKey. */
  readonly #records = new Map<string, SaRecord>();
  /** pairKey of the ESP SAs among them. */
  readonly #esp = new Set<string>();

  constructor(conversation: Conversation, reqids: OwnReqids) {
    this.#conversation = conversation;
    this.#reqids = reqids;
  }

  find(id: SaId): SaRecord | undefined {
    return this.#records.get(saKey(id));
  }

  /** The kernel has it no longer. */
  forget(id: SaId): void {
    const record = this.#records.get(saKey(id));
    if (record === undefined) return;
    this.#records.delete(saKey(id));
    if (id.protocolId === ProtocolId.IPSEC_ESP) this.#esp.delete(pairKey(record.reqid, id.destination));
  }

  /** Of a pair of ESP and AH, ESP comes first: it makes the tunnel, and AH protects what it made. */
  async add(sa: IpsecSa, context: SaContext): Promise<void> {
    const isOverEsp = sa.protocolId === ProtocolId.IPSEC_AH && this.#esp.has(pairKey(context.reqid, sa.destination));
    const spec = specOf(sa, context, !isOverEsp);
    if (sa.direction === 'in') await this.#reserve(spec);
    await this.#put(sa.direction === 'in' ? MessageType.UPDSA : MessageType.NEWSA, spec);
  }

  /** It is known before the kernel answers: that its life is over may be heard first. */
  async #put(type: typeof MessageType.NEWSA | typeof MessageType.UPDSA, spec: SaSpec): Promise<void> {
    const before = this.find(spec.id);
    const record = this.#remember(spec);
    record.isChanging = true;
    try {
      const what = `add ${saText(spec.id)}`;
      await this.#conversation.acknowledged({ question: 'put SA', what, message: putSa(type, spec) });
    } catch (fault) {
      if (this.find(spec.id) === record) this.forget(spec.id);
      if (before !== undefined) this.#remember(before, before.isSoft).reportedAt = before.reportedAt;
      // What is reserved, or may have been added, would be in the way of the next attempt.
      if (type === MessageType.UPDSA || fault instanceof AnswerLost) await this.#removeLeftOver(spec);
      throw fault;
    } finally {
      record.isChanging = false;
    }
  }

  /** Rejects with KernelError 'missing'. */
  async delete(id: SaId): Promise<void> {
    try {
      await this.#conversation.acknowledged(this.#named('delete', deleteSa, id));
    } catch (fault) {
      if (isMissing(fault)) this.forget(id);
      throw fault;
    }
    this.forget(id);
  }

  query(id: SaId): Promise<SaUsage> {
    return this.#conversation.answered(this.#named('query', getSa, id), (payload) => readSa(payload)?.usage);
  }

  async move(id: SaId, source: Endpoint, destination: Endpoint): Promise<SaId> {
    const sa = await this.#conversation.answered(this.#named('move', getSa, id), copySa);
    const record = this.find(id) ?? this.#remember({ ...sa.name, id });
    record.isChanging = true;
    try {
      const hasUdp = sa.attributes.has(Attribute.ENCAP);
      const udp = hasUdp ? { source: source.port, destination: destination.port } : undefined;
      const place = { source: source.address, destination: destination.address, udp };
      const moved = { ...id, destination: destination.address };
      await this.#replace(record, sa, place, moved);
      this.forget(id);
      this.#remember({ ...sa.name, id: moved, source: source.address }, record.isSoft);
      return moved;
    } finally {
      record.isChanging = false;
      sa.forget();
    }
  }

  /** All SAs with a reqid of ours. From now on `find` knows them. SPI 0: those that acquires wait for. */
  async listOwn(): Promise<readonly SaState[]> {
    const own = await this.#dump();
    for (const sa of own) if (sa.id.spi !== 0 && this.find(sa.id) === undefined) this.#remember(sa);
    return own;
  }

  async purgeOwn(): Promise<void> {
    const own = await this.#dump();
    const outcomes = await Promise.allSettled(own.filter(({ id }) => id.spi !== 0).map((sa) => this.#delete(sa)));
    this.#records.clear();
    this.#esp.clear();
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected' && !isMissing(outcome.reason)) throw outcome.reason;
    }
  }

  /** Which of our SAs the kernel has no longer; they are forgotten. `waiting`: SAs that acquires wait for. */
  async resynchronize(): Promise<{ readonly gone: readonly SaId[]; readonly waiting: readonly SaState[] }> {
    const before = [...this.#records.entries()];
    const own = await this.#dump();
    const there = new Set(own.map(({ id }) => saKey(id)));
    const gone: SaId[] = [];
    for (const [key, record] of before) {
      if (there.has(key) || record.isChanging || this.#records.get(key) !== record) continue;
      this.forget(record.id);
      gone.push(record.id);
    }
    return { gone, waiting: own.filter(({ id }) => id.spi === 0) };
  }

  async #dump(): Promise<readonly SaState[]> {
    const own: SaState[] = [];
    await this.#conversation.dumped({ question: 'other', what: 'list SAs', message: dumpSas() }, (payload) => {
      const sa = readSa(payload);
      if (sa !== undefined && isOwn(this.#reqids, sa.reqid)) own.push(sa);
    });
    return own;
  }

  async #reserve(spec: SaSpec): Promise<void> {
    const what = `reserve ${saText(spec.id)}`;
    try {
      const asked = { question: 'reserve', what, message: allocateSpi(spec, spec.id.spi, spec.id.spi) } as const;
      const spi = await this.#conversation.answered(asked, (payload) => readSa(payload)?.id.spi);
      if (spi !== spec.id.spi) throw new KernelError('failed', `${what}: the kernel chose ${spi}`);
    } catch (fault) {
      if (fault instanceof AnswerLost) await this.#removeLeftOver(spec);
      throw fault;
    }
  }

  /** Only what this attempt has made: the answer that was lost may have said that the SPI is somebody else's. Every pair has a reqid of its own. */
  async #removeLeftOver(spec: SaSpec): Promise<void> {
    const { id, source, route, reqid } = spec;
    const asked = { question: 'name SA', what: `look at ${saText(id)}`, message: getSa(id, source, route) } as const;
    try {
      const found = await this.#conversation.answered(asked, readSa);
      if (found.reqid === reqid && found.source === source) await this.#delete(spec);
    } catch (fault) {
      // There is none, or the kernel will forget it: the first fault is the one to report.
      if (!(fault instanceof KernelError)) throw fault;
    }
  }

  /** UPDSA changes ports only. An SA of another name is made first, one of the same name can only be made after the old one is gone. */
  async #replace(record: SaRecord, sa: MovableSa, place: Place, moved: SaId): Promise<void> {
    const put = (type: typeof MessageType.NEWSA | typeof MessageType.UPDSA): Promise<void> =>
      this.#conversation.acknowledged({
        question: 'put SA',
        what: `move ${saText(record.id)} to ${place.source} > ${place.destination}`,
        message: movedSa(type, sa, place, !record.isSoft),
      });
    if (saKey(moved) !== saKey(record.id)) {
      await put(MessageType.NEWSA);
      await this.#delete(record);
    } else if (place.source === record.source) {
      if (place.udp !== undefined) await put(MessageType.UPDSA);
    } else {
      // Sent together, so that packets find no SA for some microseconds only.
      const [deleted, made] = await Promise.allSettled([this.#delete(record), put(MessageType.NEWSA)]);
      if (made.status === 'rejected') {
        this.forget(record.id);
        throw made.reason;
      }
      if (deleted.status === 'rejected') {
        // It ended before it could be moved.
        await this.#delete(record);
        throw deleted.reason;
      }
    }
  }

  #delete({ id, source, route }: Omit<SaName, 'reqid'>): Promise<void> {
    const message = deleteSa(id, source, route);
    return this.#conversation.acknowledged({ question: 'name SA', what: `delete ${saText(id)}`, message });
  }

  #named(verb: string, build: typeof getSa, id: SaId): Asked {
    const record = this.find(id);
    const message = build(id, record?.source, record?.route ?? NO_ROUTE);
    return { question: 'name SA', what: `${verb} ${saText(id)}`, message };
  }

  #remember({ id, source, reqid, route }: SaName, isSoft = false): SaRecord {
    const record = { id, source, reqid, route, isSoft, reportedAt: '', isChanging: false };
    this.#records.set(saKey(id), record);
    if (id.protocolId === ProtocolId.IPSEC_ESP) this.#esp.add(pairKey(reqid, id.destination));
    return record;
  }
}

const pairKey = (reqid: number, destination: string): string => `${reqid} ${destination}`;

const isMissing = (fault: unknown): boolean => fault instanceof KernelError && fault.reason === 'missing';
