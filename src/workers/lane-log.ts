/**
 * What a lane says. At the end of every event its records get what is known of whom the event was about (the subject), so that no line leaves
 * the operator guessing; debug records are not even made unless their class and level are on.
 */
import { phase1Fields } from '../shared/exchange/refusals.ts';
import { isPrinted } from '../shared/log/classes.ts';
import { debugRecord, type LogClassNumber } from '../shared/log/debugging.ts';
import type { EventOf, Texts } from '../shared/log/events.ts';
import { notice } from '../shared/log/records.ts';
import { idText, quickModeFields } from '../shared/log/who.ts';
import type { LaneEffect, LogFields, Path } from '../shared/threads/contract.ts';
import type { Header } from '../shared/wire/message.ts';
import { cookiesOf, hex, type IsakmpSa, type Phase2 } from './isakmp-sa.ts';

/** Whom and what the event at hand is about, as far as the lane has found out. */
interface Subject {
  path: Path | undefined;
  header: Header | undefined;
  sa: IsakmpSa | undefined;
  phase2: Phase2 | undefined;
}

export interface LaneLog {
  /** Debug level of each class; main changes them. */
  readonly levels: Int32Array;
  readonly subject: Subject;
  effects: LaneEffect[];
}

export const noSubject = (): Subject => ({ path: undefined, header: undefined, sa: undefined, phase2: undefined });

/** The event is a datagram that came this way. */
export const turnToMessage = ({ subject }: LaneLog, path: Path, header: Header | undefined): void => {
  subject.path = path;
  subject.header = header;
};

/** The event turns out to be about this SA, and this quick mode of it. */
export const turnTo = ({ subject }: LaneLog, sa: IsakmpSa, phase2?: Phase2): void => {
  subject.sa = sa;
  subject.phase2 = phase2;
};

/** Does the work of one event. Its log records are completed even if it throws. */
export const withSubject = (lane: LaneLog, work: () => void): void => {
  const { subject } = lane;
  const first = lane.effects.length;
  try {
    work();
  } finally {
    complete(lane.effects, first, subject);
    subject.path = undefined;
    subject.header = undefined;
    subject.sa = undefined;
    subject.phase2 = undefined;
  }
};

/** A record that names another initiator cookie is about somebody else. */
const complete = (effects: LaneEffect[], first: number, subject: Subject): void => {
  let known: LogFields | undefined;
  for (let i = first; i < effects.length; i++) {
    const effect = effects[i];
    if (effect?.kind !== 'log') continue;
    known ??= subjectFields(subject);
    const { record } = effect;
    if (isOfOne(record.fields, known)) {
      effects[i] = { kind: 'log', record: { ...record, fields: { ...known, ...record.fields } } };
    }
  }
};

const isOfOne = ({ cookies: a }: LogFields, { cookies: b }: LogFields): boolean =>
  a === undefined || b === undefined || a.slice(0, COOKIE) === b.slice(0, COOKIE);
/** Hex digits. */
const COOKIE = 16;

/** An ordinary line about this SA, or one for -v. */
export const say = <E extends EventOf<'notice' | 'verbose'>>(
  lane: LaneLog,
  sa: IsakmpSa,
  event: E,
  text: Texts[E],
  more: LogFields = {},
): void => {
  lane.effects.push({ kind: 'log', record: notice(event, text, { ...fieldsOf(sa), ...more }) });
};

/** A debug record, if it would be printed: only then `words` is asked for its text. */
export const trace = <A extends readonly unknown[]>(
  lane: LaneLog,
  logClass: LogClassNumber,
  level: number,
  words: (...about: A) => string,
  ...about: A
): void => {
  if (!isPrinted(lane.levels, logClass, level)) return;
  lane.effects.push({ kind: 'log', record: debugRecord(logClass, level, words(...about)) });
};

/** What a line about this SA says in fields. */
export const fieldsOf = (sa: IsakmpSa): LogFields => ({
  peer: sa.policy.name,
  address: sa.path.remote.address,
  port: sa.path.remote.port,
  cookies: cookiesOf(sa),
  ...(sa.established === undefined
    ? phase1Fields(sa)
    : { localIdentity: sa.established.localIdentity, remoteIdentity: sa.established.remoteIdentity }),
});

const subjectFields = ({ path, header, sa, phase2 }: Subject): LogFields => ({
  ...(header === undefined ? {} : headerFields(header)),
  ...(sa === undefined ? {} : fieldsOf(sa)),
  ...(phase2 === undefined ? {} : quickModeFields(phase2)),
  // The way of this very message, which the SA's need not be.
  ...(path === undefined ? {} : { address: path.remote.address, port: path.remote.port }),
});

const headerFields = ({ initiatorCookie, responderCookie, messageId }: Header): LogFields => ({
  cookies: hex(initiatorCookie) + hex(responderCookie),
  ...(messageId === 0 ? {} : { messageId: idText(messageId) }),
});
