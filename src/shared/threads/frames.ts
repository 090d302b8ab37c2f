/**
 * How the messages of contract.ts are packed: a batch is one ArrayBuffer of frames, each u32 length of what follows, u8 kind, body.
 * One row per kind, in any order: both ends run the same table. A kind or property without its row does not compile.
 */
import type { Endpoint } from '../address.ts';
import { InvariantError } from '../errors.ts';
import type { Route } from '../flow.ts';
import { EVENTS } from '../log/events.ts';
import type { Identity } from '../policy/peer-policy.ts';
import type {
  AgreedProtocol,
  Agreement,
  Failure,
  IpsecSa,
  LaneEffect,
  LaneEvent,
  LogFields,
  LogRecord,
  NatTraversal,
  Path,
  PeerChose,
  RawKey,
  Role,
} from './contract.ts';
import {
  bytes,
  type Field,
  type FieldsOf,
  f64,
  flag,
  keyOf,
  list,
  message,
  optional,
  Packer,
  passingBytes,
  record,
  sparseRecord,
  structured,
  text,
  Unpacker,
  u8,
  u32,
  word,
} from './fields.ts';

interface Kinded {
  readonly kind: string;
}

/** All that one direction of the data port carries. */
interface Frames<U> {
  readonly byKind: ReadonlyMap<string, { readonly number: number; readonly body: Field<U> }>;
  readonly byNumber: readonly Field<U>[];
}

type Rows<U extends Kinded> = {
  readonly [K in U['kind']]: FieldsOf<Omit<Extract<U, { readonly kind: K }>, 'kind'>>;
};

/** Collects messages and packs them at once, so a message may be changed or erased after `add`. */
export class BatchWriter<U extends Kinded> {
  readonly #frames: Frames<U>;
  readonly #out = new Packer();

  constructor(frames: Frames<U>) {
    this.#frames = frames;
  }

  /** Bytes collected so far. */
  get size(): number {
    return this.#out.length;
  }

  /** Throws InvariantError for a message that does not fit its row; the batch is then as it was before. */
  add(message: U): void {
    const row = this.#frames.byKind.get(message.kind);
    if (row === undefined) throw new InvariantError(`no row for ${message.kind}`);
    const out = this.#out;
    const start = out.reserve(5);
    try {
      row.body.write(out, message);
      out.view.setUint32(start, out.length - start - 4);
      out.view.setUint8(start + 4, row.number);
    } catch (fault) {
      out.length = start;
      throw fault;
    }
  }

  /** The batch, to be transferred; undefined when it is empty. */
  take(): ArrayBuffer | undefined {
    return this.#out.take();
  }
}

/** The messages of a batch, in order. Some of their bytes are views of it (see the rows). Throws InvariantError for anything BatchWriter did not make. */
export const readBatch = <U extends Kinded>(frames: Frames<U>, batch: ArrayBuffer): U[] => {
  const from = new Unpacker(batch);
  const messages: U[] = [];
  while (from.offset < batch.byteLength) {
    from.end = batch.byteLength;
    const length = u32.read(from);
    if (length > batch.byteLength - from.offset) throw new InvariantError('a frame runs over the end of its batch');
    from.end = from.offset + length;
    const body = frames.byNumber[u8.read(from)];
    if (body === undefined) throw new InvariantError('a frame of no known kind');
    messages.push(body.read(from));
    if (from.offset !== from.end) throw new InvariantError(`${from.end - from.offset} bytes left over in a frame`);
  }
  return messages;
};

const framesOf = <U extends Kinded>(rows: Rows<U>): Frames<U> => {
  const byKind = new Map<string, { readonly number: number; readonly body: Field<U> }>();
  const byNumber: Field<U>[] = [];
  const entries: readonly [string, object][] = Object.entries(rows);
  for (const [kind, fields] of entries) {
    const body: Field<U> = message(kind, fields);
    byKind.set(kind, { number: byNumber.length, body });
    byNumber.push(body);
  }
  return { byKind, byNumber };
};

const endpoint: Field<Endpoint> = record<Endpoint>({ address: text, port: u32 });
const path: Field<Path> = record<Path>({ local: endpoint, remote: endpoint, encapsulated: flag });
const role: Field<Role> = word<Role>({ initiator: 0, responder: 1 });
const nat: Field<NatTraversal | undefined> = optional(
  record<NatTraversal>({ isLocalBehind: flag, isRemoteBehind: flag, dialect: word({ rfc: 0, draft: 1 }) }),
);
const identity: Field<Identity> = record<Identity>({ type: u8, protocol: u8, port: u32, data: bytes });

/** Main to lane. */
export const LANE_EVENTS: Frames<LaneEvent> = framesOf<LaneEvent>({
  datagram: { path, peer: text, firstContact: flag, bytes: passingBytes },
  general: { policy: structured() },
  credentials: { files: structured() },
  peer: { policy: structured() },
  peerGone: { name: text },
  startPhase1: { request: f64, peer: text, path, initiatorCookie: bytes, firstContact: flag },
  startQuickMode: { request: f64, isakmp: text, connection: text },
  sendDelete: { isakmp: text, protocolId: u8, spis: list(u32) },
  deleteIsakmp: { isakmp: text, notify: flag },
  replaced: { isakmp: text, isReplaced: flag },
  probe: { isakmp: text, quietSince: f64 },
  cancel: { request: f64 },
  installed: { exchange: f64 },
  refused: { exchange: f64, reason: text },
  denied: { exchange: f64, reason: text },
  capture: { isOn: flag, withKeys: flag },
  takeOver: { silentUntil: f64 },
});

const ipsecSa: Field<IpsecSa> = record<IpsecSa>({
  direction: word<IpsecSa['direction']>({ in: 0, out: 1 }),
  protocolId: u8,
  spi: u32,
  transformId: u8,
  authentication: f64,
  encapsulation: f64,
  keyLength: f64,
  // Views, as of every key: the receiver erases the only copy.
  encryptionKey: passingBytes,
  authenticationKey: passingBytes,
  source: text,
  destination: text,
  replayWindow: f64,
});

const agreement: Field<Agreement> = record<Agreement>({
  isakmp: text,
  peer: text,
  connection: text,
  role,
  messageId: u32,
  path,
  localIdentity: text,
  remoteIdentity: text,
  localSelector: identity,
  remoteSelector: identity,
  peerChose: word<PeerChose>({ nothing: 0, remote: 1, both: 2 }),
  lifeSeconds: f64,
  lifeKilobytes: f64,
  group: f64,
  route: record<Route>({ mark: u32, markMask: u32, interfaceId: u32 }),
  startedAt: f64,
  lowestNonce: bytes,
  nat,
  protocols: list(
    record<AgreedProtocol>({
      protocolId: u8,
      transformId: u8,
      authentication: f64,
      encapsulation: f64,
      keyLength: f64,
      encryptionKeyBytes: f64,
      authenticationKeyBytes: f64,
      spiIn: u32,
      spiOut: u32,
    }),
  ),
});

const failure: Field<Failure> = record<Failure>({
  reason: text,
  cause: word<Failure['cause']>({ timeout: 0, refused: 1, cancelled: 2, error: 3 }),
});

const logRecord: Field<LogRecord> = record<LogRecord>({
  severity: word<LogRecord['severity']>({ error: 0, notice: 1, verbose: 2, debug: 3, report: 4, fatal: 5 }),
  logClass: u8,
  level: u8,
  text,
  event: keyOf(EVENTS),
  fields: sparseRecord<LogFields>({
    connection: text,
    peer: text,
    address: text,
    port: u32,
    localIdentity: text,
    remoteIdentity: text,
    cookies: text,
    messageId: text,
  }),
});

/** Lane to main. */
export const LANE_EFFECTS: Frames<LaneEffect> = framesOf<LaneEffect>({
  send: { path, bytes: passingBytes },
  log: { record: logRecord },
  captured: { path, isSent: flag, bytes },
  captureKey: { initiatorCookie: bytes, key: passingBytes },
  phase1Established: {
    isakmp: text,
    request: f64,
    peer: text,
    role,
    path,
    localIdentity: text,
    remoteIdentity: text,
    startedAt: f64,
    softAt: f64,
    hardAt: f64,
    initialContact: flag,
    nat,
    answersProbes: flag,
    chain: list(bytes),
    rawKey: optional(record<RawKey>({ identity, key: bytes })),
  },
  phase1Failed: { request: f64, peer: text, isakmp: text, failure },
  phase1Moved: { isakmp: text, path },
  peerAlive: { isakmp: text, heardAt: f64 },
  peerDead: { isakmp: text },
  phase1Expiring: { isakmp: text },
  phase1Gone: { isakmp: text, why: word({ expired: 0, deletedByPeer: 1, deletedByUs: 2 }) },
  phase2Started: { exchange: f64, isakmp: text, connection: text },
  install: { exchange: f64, agreement, sas: list(ipsecSa) },
  phase2Established: { exchange: f64, request: f64, agreement },
  phase2Failed: { exchange: f64, request: f64, isakmp: text, messageId: u32, connection: text, failure },
  retire: { isakmp: text, peer: text, remoteIdentity: text, protocolId: u8, spis: list(u32) },
  initialContact: { isakmp: text },
  phase1Resumed: { isakmp: text },
});
