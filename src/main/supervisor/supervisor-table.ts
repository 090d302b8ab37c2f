/** The phase 2 rows of the SA table: one for each established pair. */
import { parseAddress } from '../../shared/address.ts';
import { hexBytes } from '../../shared/byte-text.ts';
import type { PairFacts } from '../../shared/connection/events.ts';
import { ExchangeType } from '../../shared/constants/isakmp.ts';
import { isPrinted, LogClass } from '../../shared/log/classes.ts';
import { debugRecord } from '../../shared/log/debugging.ts';
import { failure } from '../../shared/log/records.ts';
import { idText } from '../../shared/log/who.ts';
import { identityText } from '../../shared/policy/identity.ts';
import type { SaHandle } from '../../shared/sa-table/handles.ts';
import { SaRole, type SaRow } from '../../shared/sa-table/rows.ts';
import type { SaTable } from '../../shared/sa-table/sa-table.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';

export class PairRows {
  readonly #table: SaTable;
  readonly #log: (record: LogRecord) => void;
  readonly #levels: Int32Array;
  readonly #handles = new Map<number, SaHandle>();
  #isFull = false;

  /** `table`: opened as writer 0; `levels`: debug level of each class. */
  constructor(table: SaTable, log: (record: LogRecord) => void, levels: Int32Array) {
    this.#table = table;
    this.#log = log;
    this.#levels = levels;
  }

  get size(): number {
    return this.#handles.size;
  }

  /** Writes or rewrites a pair's row. Without room for it the pair works all the same, but is not listed. */
  put(facts: PairFacts): void {
    const row = rowOf(facts);
    const known = this.#handles.get(facts.pair);
    if (known !== undefined) {
      this.#table.update(known, row);
      this.#trace('changed', row);
      return;
    }
    this.#trace('new', row);
    const handle = this.#table.allocate(row);
    if (handle !== undefined) this.#handles.set(facts.pair, handle);
    else if (!this.#isFull) this.#log(failure('table-full', 'the SA table is full: new IPsec SAs are not listed'));
    this.#isFull = handle === undefined;
  }

  remove(pair: number): void {
    const handle = this.#handles.get(pair);
    if (handle !== undefined) {
      const row = this.#table.read(handle);
      if (row !== undefined) this.#trace('gone', row);
      this.#table.free(handle);
    }
    this.#handles.delete(pair);
  }

  #trace(what: string, { name, peerName, flags, protocols, messageId }: SaRow): void {
    if (!isPrinted(this.#levels, LogClass.SA, 20)) return;
    const spis = protocols.map(({ spiIn, spiOut }) => `SPI in ${idText(spiIn)} out ${idText(spiOut)}`).join(', ');
    const text = `sa: IPsec SAs of ${name} ${what}: ${spis}, flags 0x${idText(flags)}`;
    const fields = { connection: name, peer: peerName, messageId: idText(messageId) };
    this.#log(debugRecord(LogClass.SA, 20, text, fields));
  }
}

const rowOf = ({ agreement, flags, establishedAt, softAt, hardAt }: PairFacts): SaRow => {
  const { local, remote } = agreement.path;
  const ours = parseAddress(local.address);
  const theirs = parseAddress(remote.address);
  const isComplete = ours !== undefined && ours.family === theirs?.family;
  return {
    phase: 2,
    state: 0,
    flags,
    role: agreement.role === 'initiator' ? SaRole.INITIATOR : SaRole.RESPONDER,
    exchangeType: ExchangeType.QUICK_MODE,
    initiatorCookie: hexBytes(agreement.isakmp.slice(0, 16)),
    responderCookie: hexBytes(agreement.isakmp.slice(16)),
    messageId: agreement.messageId,
    family: isComplete ? ours.family : 0,
    localAddress: isComplete ? ours.bytes : NOTHING,
    remoteAddress: isComplete ? theirs.bytes : NOTHING,
    localPort: local.port,
    remotePort: remote.port,
    zone: remote.address.split('%')[1] ?? '',
    name: agreement.connection,
    peerName: agreement.peer,
    localIdentity: agreement.localIdentity,
    remoteIdentity: agreement.remoteIdentity,
    localSelector: identityText(agreement.localSelector),
    remoteSelector: identityText(agreement.remoteSelector),
    establishedAt,
    softAt,
    hardAt,
    lifeSeconds: agreement.lifeSeconds,
    lifeKilobytes: agreement.lifeKilobytes,
    encryption: 0,
    keyLength: 0,
    hash: 0,
    group: agreement.group,
    authenticationMethod: 0,
    protocols: agreement.protocols,
    slabSlot: -1,
  };
};

const NOTHING = new Uint8Array(0);
