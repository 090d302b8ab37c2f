import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { CredentialFiles } from '../../../src/shared/credentials/credential-files.ts';
import { InvariantError } from '../../../src/shared/errors.ts';
import type { GeneralPolicy, PeerPolicy } from '../../../src/shared/policy/peer-policy.ts';
import type { LaneEffect, LaneEvent, LogFields } from '../../../src/shared/threads/contract.ts';
import { BatchWriter, LANE_EFFECTS, LANE_EVENTS, readBatch } from '../../../src/shared/threads/frames.ts';

/** An arbitrary for every kind of a union: a new kind does not compile without its own. */
type Kinds<U extends { readonly kind: string }> = {
  readonly [K in U['kind']]: fc.Arbitrary<Extract<U, { readonly kind: K }>>;
};

const u8 = fc.integer({ min: 0, max: 0xff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const number = fc.double({ noNaN: true });
const text = fc.string({ unit: 'grapheme' });
const bytes = fc.uint8Array({ maxLength: 400 });
const endpoint = fc.record({
  address: fc.oneof(fc.ipV4(), fc.ipV6(), text),
  port: fc.integer({ min: 0, max: 0xffff }),
});
const path = fc.record({ local: endpoint, remote: endpoint, encapsulated: fc.boolean() });
const identity = fc.record({ type: u8, protocol: u8, port: fc.integer({ min: 0, max: 0xffff }), data: bytes });
const role = fc.constantFrom('initiator', 'responder');
const failure = fc.record({ reason: text, cause: fc.constantFrom('timeout', 'refused', 'cancelled', 'error') });
const spis = fc.array(u32);
const nat = fc.option(
  fc.record({
    isLocalBehind: fc.boolean(),
    isRemoteBehind: fc.boolean(),
    dialect: fc.constantFrom('rfc', 'draft'),
  }),
  { nil: undefined },
);

const general: fc.Arbitrary<GeneralPolicy> = fc.record({
  retransmits: number,
  fragmentSize: number,
  exchangeMaxTimeSeconds: number,
  connectionlessSuites: fc.constant([]),
  identitySecrets: fc.array(fc.tuple(text, bytes)).map((pairs) => new Map(pairs)),
  encapsulationPort: fc.option(number, { nil: undefined }),
});

const peer: fc.Arbitrary<PeerPolicy> = fc.record({
  name: text,
  address: fc.option(fc.ipV4(), { nil: undefined }),
  localAddress: fc.option(fc.ipV6(), { nil: undefined }),
  port: number,
  configuration: text,
  exchangeType: u8,
  transforms: fc.array(
    fc.record({
      name: text,
      encryption: fc.oneof(u8, fc.constant('ANY' as const)),
      keyLength: fc.option(fc.record({ offered: u8, least: u8, most: u8 }), { nil: undefined }),
      hash: u8,
      authentication: u32,
      group: u8,
      lifetimes: fc.array(fc.record({ type: u8, duration: fc.constant('ANY' as const) }), { maxLength: 2 }),
    }),
    { maxLength: 2 },
  ),
  preSharedKey: fc.option(bytes, { nil: undefined }),
  localId: fc.option(identity, { nil: undefined }),
  remoteId: fc.option(identity, { nil: undefined }),
  checkSuites: fc.boolean(),
  legacyCrypto: fc.boolean(),
  unique: fc.constantFrom('replace', 'keep', 'never'),
  deleteChildren: fc.boolean(),
  sha2Truncation96: fc.boolean(),
  fragmentation: fc.boolean(),
  forceEncapsulation: fc.boolean(),
  connections: fc.constant([]),
});

const credentialFiles: fc.Arbitrary<CredentialFiles> = fc.record({
  privateKeys: fc.array(fc.record({ identity: text, file: text, bytes }), { maxLength: 2 }),
  publicKeys: fc.array(
    fc.record({
      kind: fc.constantFrom('ipv4', 'ipv6', 'fqdn', 'ufqdn', 'asn1_dn', 'keyid'),
      name: text,
      file: text,
      bytes,
    }),
    { maxLength: 2 },
  ),
  authorities: fc.array(fc.record({ file: text, bytes }), { maxLength: 2 }),
  certificates: fc.array(fc.record({ file: text, bytes }), { maxLength: 2 }),
  revocationLists: fc.array(fc.record({ file: text, bytes }), { maxLength: 2 }),
  keynoteCredentials: fc.array(fc.record({ identity: text, directory: text, credentials: bytes, privateKey: bytes }), {
    maxLength: 2,
  }),
  policy: fc.option(text, { nil: undefined }),
  settings: fc.record({
    minimumRsaBits: number,
    acceptSha1: fc.boolean(),
    acceptSelfSigned: fc.boolean(),
    requireRevocationList: fc.boolean(),
    acceptStaleLists: fc.boolean(),
    matchWildcards: fc.boolean(),
  }),
});

const EVENTS: Kinds<LaneEvent> = {
  datagram: fc.record({ kind: fc.constant('datagram'), path, peer: text, firstContact: fc.boolean(), bytes }),
  general: fc.record({ kind: fc.constant('general'), policy: general }),
  credentials: fc.record({ kind: fc.constant('credentials'), files: credentialFiles }),
  peer: fc.record({ kind: fc.constant('peer'), policy: peer }),
  peerGone: fc.record({ kind: fc.constant('peerGone'), name: text }),
  startPhase1: fc.record({
    kind: fc.constant('startPhase1'),
    request: number,
    peer: text,
    path,
    initiatorCookie: bytes,
    firstContact: fc.boolean(),
  }),
  startQuickMode: fc.record({ kind: fc.constant('startQuickMode'), request: number, isakmp: text, connection: text }),
  sendDelete: fc.record({ kind: fc.constant('sendDelete'), isakmp: text, protocolId: u8, spis }),
  deleteIsakmp: fc.record({ kind: fc.constant('deleteIsakmp'), isakmp: text, notify: fc.boolean() }),
  replaced: fc.record({ kind: fc.constant('replaced'), isakmp: text, isReplaced: fc.boolean() }),
  probe: fc.record({ kind: fc.constant('probe'), isakmp: text, quietSince: number }),
  cancel: fc.record({ kind: fc.constant('cancel'), request: number }),
  installed: fc.record({ kind: fc.constant('installed'), exchange: number }),
  refused: fc.record({ kind: fc.constant('refused'), exchange: number, reason: text }),
  denied: fc.record({ kind: fc.constant('denied'), exchange: number, reason: text }),
  capture: fc.record({ kind: fc.constant('capture'), isOn: fc.boolean(), withKeys: fc.boolean() }),
  takeOver: fc.record({ kind: fc.constant('takeOver'), silentUntil: number }),
};

const ipsecSa = fc.record({
  direction: fc.constantFrom('in', 'out'),
  protocolId: u8,
  spi: u32,
  transformId: u8,
  authentication: number,
  encapsulation: number,
  keyLength: number,
  encryptionKey: bytes,
  authenticationKey: bytes,
  source: text,
  destination: text,
  replayWindow: number,
});

const agreement = fc.record({
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
  peerChose: fc.constantFrom('nothing', 'remote', 'both'),
  lifeSeconds: number,
  lifeKilobytes: number,
  group: number,
  route: fc.record({ mark: u32, markMask: u32, interfaceId: u32 }),
  startedAt: number,
  lowestNonce: bytes,
  nat,
  protocols: fc.array(
    fc.record({
      protocolId: u8,
      transformId: u8,
      authentication: number,
      encapsulation: number,
      keyLength: number,
      encryptionKeyBytes: number,
      authenticationKeyBytes: number,
      spiIn: u32,
      spiOut: u32,
    }),
    { maxLength: 3 },
  ),
});

const logFields: fc.Arbitrary<LogFields> = fc.record(
  {
    connection: text,
    peer: text,
    address: text,
    localIdentity: text,
    remoteIdentity: text,
    cookies: text,
    messageId: text,
  },
  { requiredKeys: [] },
);

const EFFECTS: Kinds<LaneEffect> = {
  send: fc.record({ kind: fc.constant('send'), path, bytes }),
  captured: fc.record({ kind: fc.constant('captured'), path, isSent: fc.boolean(), bytes }),
  captureKey: fc.record({ kind: fc.constant('captureKey'), initiatorCookie: bytes, key: bytes }),
  log: fc.record({
    kind: fc.constant('log'),
    record: fc.record({
      severity: fc.constantFrom('fatal', 'error', 'notice', 'verbose', 'report', 'debug'),
      logClass: u8,
      level: u8,
      text,
      event: fc.constantFrom('start', 'refusal', 'no-answer', 'report'),
      fields: logFields,
    }),
  }),
  phase1Established: fc.record({
    kind: fc.constant('phase1Established'),
    isakmp: text,
    request: number,
    peer: text,
    role,
    path,
    localIdentity: text,
    remoteIdentity: text,
    startedAt: number,
    softAt: number,
    hardAt: number,
    initialContact: fc.boolean(),
    nat,
    answersProbes: fc.boolean(),
    chain: fc.array(bytes, { maxLength: 3 }),
    rawKey: fc.option(fc.record({ identity, key: bytes }), { nil: undefined }),
  }),
  phase1Failed: fc.record({ kind: fc.constant('phase1Failed'), request: number, peer: text, isakmp: text, failure }),
  phase1Moved: fc.record({ kind: fc.constant('phase1Moved'), isakmp: text, path }),
  peerAlive: fc.record({ kind: fc.constant('peerAlive'), isakmp: text, heardAt: number }),
  peerDead: fc.record({ kind: fc.constant('peerDead'), isakmp: text }),
  phase1Expiring: fc.record({ kind: fc.constant('phase1Expiring'), isakmp: text }),
  phase1Gone: fc.record({
    kind: fc.constant('phase1Gone'),
    isakmp: text,
    why: fc.constantFrom('expired', 'deletedByPeer', 'deletedByUs'),
  }),
  phase2Started: fc.record({ kind: fc.constant('phase2Started'), exchange: number, isakmp: text, connection: text }),
  install: fc.record({
    kind: fc.constant('install'),
    exchange: number,
    agreement,
    sas: fc.array(ipsecSa, { maxLength: 4 }),
  }),
  phase2Established: fc.record({
    kind: fc.constant('phase2Established'),
    exchange: number,
    request: number,
    agreement,
  }),
  phase2Failed: fc.record({
    kind: fc.constant('phase2Failed'),
    exchange: number,
    request: number,
    isakmp: text,
    messageId: fc.nat(),
    connection: text,
    failure,
  }),
  retire: fc.record({
    kind: fc.constant('retire'),
    isakmp: text,
    peer: text,
    remoteIdentity: text,
    protocolId: u8,
    spis,
  }),
  initialContact: fc.record({ kind: fc.constant('initialContact'), isakmp: text }),
  phase1Resumed: fc.record({ kind: fc.constant('phase1Resumed'), isakmp: text }),
};

/** Objects without prototype, which fast-check makes too, do not cross threads as such. */
const event: fc.Arbitrary<LaneEvent> = fc.oneof(...Object.values(EVENTS)).map((one) => structuredClone(one));
const effect: fc.Arbitrary<LaneEffect> = fc.oneof(...Object.values(EFFECTS)).map((one) => structuredClone(one));

const packed = (...events: readonly LaneEvent[]): ArrayBuffer => {
  const writer = new BatchWriter<LaneEvent>(LANE_EVENTS);
  for (const one of events) writer.add(one);
  return writer.take() ?? new ArrayBuffer(0);
};

const DATAGRAM: LaneEvent = {
  kind: 'datagram',
  path: {
    local: { address: '192.0.2.1', port: 500 },
    remote: { address: '198.51.100.7', port: 500 },
    encapsulated: false,
  },
  peer: 'peer-198.51.100.7',
  firstContact: true,
  bytes: Uint8Array.from({ length: 300 }, (_, i) => i & 0xff),
};

it('reads back every batch of events, in order', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 8 }), (events) => {
      assert.deepEqual(readBatch(LANE_EVENTS, packed(...events)), events);
    }),
  );
});

it('reads back every batch of effects, in order', () => {
  const writer = new BatchWriter<LaneEffect>(LANE_EFFECTS);
  fc.assert(
    fc.property(fc.array(effect, { maxLength: 8 }), (effects) => {
      for (const one of effects) writer.add(one);
      assert.deepEqual(readBatch(LANE_EFFECTS, writer.take() ?? new ArrayBuffer(0)), effects);
    }),
  );
});

it('has nothing to take when nothing was added', () => {
  const writer = new BatchWriter<LaneEvent>(LANE_EVENTS);
  assert.equal(writer.take(), undefined);
  writer.add(DATAGRAM);
  writer.take();
  assert.equal(writer.take(), undefined);
});

it('packs at once, so that what was added may be erased', () => {
  const writer = new BatchWriter<LaneEvent>(LANE_EVENTS);
  const secret = Uint8Array.of(1, 2, 3);
  writer.add({ ...DATAGRAM, bytes: secret });
  secret.fill(0);
  const [read] = readBatch(LANE_EVENTS, writer.take() ?? new ArrayBuffer(0));
  assert.deepEqual(read?.kind === 'datagram' && read.bytes, Uint8Array.of(1, 2, 3));
});

it('hands datagrams out as views of the batch, policies and cookies as copies', () => {
  const policy = {
    retransmits: 3,
    fragmentSize: 1280,
    exchangeMaxTimeSeconds: 120,
    connectionlessSuites: [],
    identitySecrets: new Map([['a', Uint8Array.of(9, 9)]]),
    encapsulationPort: 4500,
  };
  const { path: way } = DATAGRAM.kind === 'datagram' ? DATAGRAM : assert.fail();
  const batch = packed(
    DATAGRAM,
    { kind: 'general', policy },
    { kind: 'startPhase1', request: 1, peer: 'p', path: way, initiatorCookie: Uint8Array.of(8), firstContact: false },
  );
  const [datagram, settings, start] = readBatch(LANE_EVENTS, batch);
  assert.equal(datagram?.kind === 'datagram' && datagram.bytes.buffer, batch);
  assert.notEqual(settings?.kind === 'general' && settings.policy.identitySecrets.get('a')?.buffer, batch);
  assert.notEqual(start?.kind === 'startPhase1' && start.initiatorCookie.buffer, batch);
});

it('carries batches larger than its first buffer', () => {
  const events = Array.from({ length: 5000 }, () => DATAGRAM);
  assert.deepEqual(readBatch(LANE_EVENTS, packed(...events)), events);
});

it('leaves the batch as it was when an event does not fit its row', () => {
  const writer = new BatchWriter<LaneEvent>(LANE_EVENTS);
  writer.add({ kind: 'cancel', request: 1 });
  assert.throws(() => writer.add({ kind: 'sendDelete', isakmp: 'x', protocolId: 256, spis: [] }), InvariantError);
  writer.add({ kind: 'cancel', request: 2 });
  const read = readBatch(LANE_EVENTS, writer.take() ?? new ArrayBuffer(0));
  assert.deepEqual(read, [
    { kind: 'cancel', request: 1 },
    { kind: 'cancel', request: 2 },
  ]);
});

it('refuses what it did not make with an InvariantError and never reads past a frame', () => {
  const whole = new Uint8Array(packed(DATAGRAM, { kind: 'cancel', request: 5 }));
  for (let length = 1; length < whole.length; length++) {
    const cut = whole.slice(0, length);
    if (length === whole.length - 13) continue; // the end of the first frame
    assert.throws(() => readBatch(LANE_EVENTS, cut.buffer), InvariantError, `cut at ${length}`);
  }
  assert.throws(() => readBatch(LANE_EVENTS, Uint8Array.of(0, 0, 0, 1, 200).buffer), InvariantError);
});
