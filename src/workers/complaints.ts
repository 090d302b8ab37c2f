/**
 * What happens to a message that is refused: isakmpd's log lines, an explanation, and the notify that the peer is owed. Strangers
 * are rationed, and an informational message is never answered by another: two daemons would go on for ever.
 */
import { ProtocolId } from '../shared/constants/ipsec-doi.ts';
import { ExchangeType, NotifyType, notifyName } from '../shared/constants/isakmp.ts';
import type { ProtocolError } from '../shared/errors.ts';
import type { PeerSpi } from '../shared/exchange/effects.ts';
import { type Stage, sealMessage } from '../shared/exchange/envelope.ts';
import { errorPayload } from '../shared/exchange/informational.ts';
import { REFUSAL } from '../shared/exchange/refusals.ts';
import type { Action } from '../shared/exchange/run.ts';
import type { EventOf, Texts } from '../shared/log/events.ts';
import { notice } from '../shared/log/records.ts';
import { whoWords } from '../shared/log/who.ts';
import type { LogFields, LogRecord, Path } from '../shared/threads/contract.ts';
import type { Header } from '../shared/wire/message.ts';
import { capture } from './capture.ts';
import { cookieBytes, hex, type IsakmpSa } from './isakmp-sa.ts';
import { type LaneContext, nonZeroRandom } from './lane-context.ts';
import { fieldsOf } from './lane-log.ts';
import { sendInformational } from './outgoing.ts';

export interface Complaint {
  /** The way the message came. */
  readonly path: Path;
  readonly header: Header;
  /** What the sender is told, if he may be told anything. */
  readonly notify: NotifyType;
  /** The SA that the message named, if there is one. */
  readonly sa: IsakmpSa | undefined;
  /** The established peer itself has sent it: its hash was right. */
  readonly isAuthentic?: boolean;
  /** What is said besides `dropped message from ...`: isakmpd's own lines before it, explanations (REFUSAL) after it. */
  readonly lines: readonly LogRecord[];
  /** The explanation where `lines` have none: what is wrong, and what can be done. */
  readonly why?: string | undefined;
  /** What is known of the sender besides its address: the peer section of a first message. */
  readonly fields?: LogFields;
  /** What the notify shall name. */
  readonly about?: PeerSpi | undefined;
}

/** Logs the refusal and sends its notify, both within what this sender may cause. */
export const complain = (lane: LaneContext, complaint: Complaint): void => {
  const { path, header, notify, sa, lines, why, about } = complaint;
  if (!budgetOf(lane, complaint).take(lane.now())) return;
  const fields = { ...strangerFields(path, header), ...complaint.fields, ...(sa === undefined ? {} : fieldsOf(sa)) };
  const log = (record: LogRecord): void => {
    lane.effects.push({ kind: 'log', record: { ...record, fields: { ...fields, ...record.fields } } });
  };
  for (const record of lines) if (record.event !== REFUSAL) log(record);
  if (!SILENT.has(notify)) {
    const { address, port } = path.remote;
    const text = `dropped message from ${address} port ${port} due to notification type ${notifyName(notify)}` as const;
    log(line(text));
  }
  const explanations = lines.filter(({ event }) => event === REFUSAL);
  for (const record of explanations) log(record);
  if (explanations.length === 0 && why !== undefined) {
    log(notice(REFUSAL, `message refused: ${whoWords(fields)}: ${why}`));
  }
  if (header.exchangeType === ExchangeType.INFO || SILENT.has(notify)) return;
  const payload = errorPayload(notify, about?.protocolId ?? ProtocolId.ISAKMP, about?.spi ?? new Uint8Array(0));
  if (sa?.established === undefined) sendInTheClear(lane, path, header, notify);
  else sendInformational(lane, sa, [payload]);
};

const budgetOf = (lane: LaneContext, { sa, isAuthentic }: Complaint) => {
  if (sa?.established === undefined) return lane.strangers;
  return isAuthentic === true ? sa.established.authentic : sa.established.forged;
};

/** A wrong secret gets no answer before its owner is known. */
const SILENT: ReadonlySet<number> = new Set([NotifyType.AUTHENTICATION_FAILED]);

/** The cookies are those of the refused message, so that the peer can tell what is meant (CVE-2023-30570: no half state). */
const sendInTheClear = (lane: LaneContext, path: Path, header: Header, notify: NotifyType): void => {
  const id = nonZeroRandom(lane, 4);
  const spi = notify === NotifyType.INVALID_COOKIE ? cookieBytes(header) : new Uint8Array(0);
  const { bytes, clear } = sealMessage(
    {
      initiatorCookie: header.initiatorCookie,
      responderCookie: header.responderCookie,
      exchangeType: ExchangeType.INFO,
      messageId: new DataView(id.buffer, id.byteOffset, 4).getUint32(0),
      authentication: undefined,
      protection: undefined,
    },
    [errorPayload(notify, ProtocolId.ISAKMP, spi)],
  );
  lane.effects.push({ kind: 'send', path, bytes });
  capture(lane, path, true, clear);
};

const strangerFields = (path: Path, header: Header): LogFields => ({
  address: path.remote.address,
  cookies: hex(header.initiatorCookie) + hex(header.responderCookie),
});

/** The lines about a refused message of phase 1 or 2: those that its step had to say, else the fault itself in isakmpd's words. */
export const linesOf = (
  phase: 1 | 2,
  {
    stage,
    fault,
    actions,
  }: { readonly stage: Stage; readonly fault: ProtocolError; readonly actions: readonly Action[] },
): readonly LogRecord[] => {
  const said = actions.flatMap((action) => (action.kind === 'log' ? [action.record] : []));
  if (said.length > 0) return said;
  switch (stage) {
    case 'flags':
      return [line(`message_recv: cleartext phase ${phase} message`)];
    case 'syntax':
      return [line(`message_parse_payloads: ${fault.message}${placeOf(fault)}`)];
    case 'payloads':
      // A payload is missing, or stands where it must not.
      return fault.notify === NotifyType.PAYLOAD_MALFORMED
        ? [line('exchange_run: exchange_validate failed')]
        : [line(`message_parse_payloads: ${fault.message}`)];
    case 'step':
      return SILENT.has(fault.notify) ? [] : [line(`exchange_run: ${fault.message}`)];
  }
};

const line = (text: Texts['message-dropped']): LogRecord => notice('message-dropped', text);

/** The line of the reserved byte is one that scripts know: a fault of a payload's own header has no place added. */
const placeOf = ({ path }: ProtocolError): string => (path.length <= 1 ? '' : ` (in ${path.join('/')})`);

/** The explanation of a fault in a message of a known peer. */
export const reasonOf = (
  phase: 1 | 2,
  { fault, stage }: { readonly fault: ProtocolError; readonly stage: Stage },
): string => {
  if (stage === 'flags') return 'it sends in the clear what has to be encrypted: a fault of the peer, or a forgery';
  const hint = (stage === 'syntax' ? undefined : HINTS.get(fault.notify)) ?? 'a fault of the peer, or a forgery';
  return `${fault.message}${placeOf(fault)}; ${phase === 2 && fault.notify === NotifyType.INVALID_HASH_INFORMATION ? OTHER_KEYS : hint}`;
};

const OTHER_KEYS = 'a forgery, or the two sides have different keys: delete the ISAKMP SA if it goes on';
const HINTS: ReadonlyMap<number, string> = new Map([
  [
    NotifyType.PAYLOAD_MALFORMED,
    'the peer may want another exchange or authentication method (certificates, XAUTH), or has a fault',
  ],
  [
    NotifyType.INVALID_PAYLOAD_TYPE,
    'the peer wants another authentication method, or something that is not there (XAUTH), or has a fault',
  ],
  [NotifyType.INVALID_KEY_INFORMATION, 'its key exchange value is unsound: a fault of the peer, or an attack'],
  [NotifyType.INVALID_ID_INFORMATION, 'let the peer use IDs that are addresses or networks'],
]);

/** A message that is dropped without notify; the line only if this sender may still cause one. */
export const dropQuietly = <E extends EventOf<'notice'>>(
  lane: LaneContext,
  path: Path,
  event: E,
  text: Texts[E],
  fields: LogFields = {},
): void => {
  if (!lane.strangers.take(lane.now())) return;
  lane.effects.push({ kind: 'log', record: notice(event, text, { address: path.remote.address, ...fields }) });
};
