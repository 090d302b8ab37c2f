/**
 * What is said over the status socket: every request and every answer as a schema. Requests are checked against it, answers are typed by it,
 * tests check them against it, and docs/status-socket.md is written from it.
 */
import { z } from 'zod';
import { EVENT_KINDS } from './event-kinds.ts';

const time = z.iso.datetime().describe('ISO 8601 in UTC');
const sometime = time.nullable();
const seconds = z.number().nonnegative();
const port = z.int().min(0).max(65_535);
const endpoint = z.strictObject({ address: z.string(), port });
const role = z.enum(['initiator', 'responder']);
const cookies = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .describe('both cookies in hex, the initiator’s first');
const spi = z
  .string()
  .regex(/^[0-9a-f]{8}$/)
  .nullable()
  .describe('hex, as `S` shows it');

const NAME_FILTER = 'only what has this name, in upper or lower case';

export const statusRequest = z.discriminatedUnion('request', [
  z.strictObject({ request: z.literal('status') }).describe('The daemon as a whole.'),
  z
    .strictObject({ request: z.literal('sas'), name: z.string().optional().describe(NAME_FILTER) })
    .describe('Every SA of both phases: what `S` lists, and more.'),
  z
    .strictObject({ request: z.literal('connections'), name: z.string().optional().describe(NAME_FILTER) })
    .describe('Every configured connection, whether it is up or not, and why not.'),
  z
    .strictObject({ request: z.literal('peers'), name: z.string().optional().describe(NAME_FILTER) })
    .describe('Every peer section that a connection or [Phase 1] names.'),
  z.strictObject({ request: z.literal('lanes') }).describe('The threads that run exchanges, and what they have to do.'),
  z
    .strictObject({ request: z.literal('certificates') })
    .describe('Certificates and revocation lists in use, and until when they are of use.'),
  z
    .strictObject({ request: z.literal('configuration'), name: z.string().optional().describe(NAME_FILTER) })
    .describe('What file and FIFO wrote, section by section, secrets as `***`.'),
  z
    .strictObject({
      request: z.literal('subscribe'),
      events: z.array(z.enum(EVENT_KINDS)).min(1).optional().describe('only these; all where it is absent'),
    })
    .describe('From now on a line for each event, until the connection is closed.'),
]);
export type StatusRequest = z.infer<typeof statusRequest>;

export const saStatus = z.strictObject({
  phase: z.union([z.literal(1), z.literal(2)]),
  name: z.string().nullable().describe('the peer or connection section; null while it is not known'),
  peer: z.string().describe('the peer section'),
  role,
  state: z.enum(['half-open', 'established']),
  flags: z.array(z.string()).describe('the names of the bits that `S` shows'),
  cookies,
  messageId: z
    .string()
    .regex(/^[0-9a-f]{8}$/)
    .nullable()
    .describe('phase 2, hex'),
  local: endpoint.nullable(),
  remote: endpoint.nullable(),
  localIdentity: z.string().nullable(),
  remoteIdentity: z.string().nullable(),
  localSelector: z.string().nullable().describe('phase 2'),
  remoteSelector: z.string().nullable().describe('phase 2'),
  establishedAt: sometime,
  softExpiryAt: sometime.describe('when it is renewed'),
  hardExpiryAt: sometime.describe('when it ends'),
  lifetimeSeconds: z.number().nullable().describe('as negotiated'),
  lifetimeKilobytes: z.number().nullable().describe('as negotiated'),
  encryption: z.string().nullable().describe('phase 1'),
  keyLength: z.int().nullable().describe('phase 1, bits'),
  hash: z.string().nullable().describe('phase 1'),
  group: z.string().nullable().describe('of phase 1, or for perfect forward secrecy in phase 2'),
  protocols: z
    .array(
      z.strictObject({
        protocol: z.enum(['ESP', 'AH']),
        mode: z.string(),
        spiOut: spi,
        spiIn: spi,
        encryption: z.string().nullable(),
        encryptionKeyBytes: z.int(),
        authentication: z.string().nullable(),
        authenticationKeyBytes: z.int(),
      }),
    )
    .describe('phase 2'),
  traffic: z
    .strictObject({
      bytesIn: z.number(),
      bytesOut: z.number(),
      packetsIn: z.number(),
      packetsOut: z.number(),
      lastUseAt: sometime,
    })
    .nullable()
    .describe('phase 2: what the kernel has counted so far; null where it does not count (-n)'),
});
export type SaStatus = z.infer<typeof saStatus>;

const lastFailure = z
  .strictObject({
    reason: z.string().describe('one sentence, as in the log'),
    cause: z.enum(['timeout', 'refused', 'cancelled', 'error']),
    at: time,
  })
  .nullable();

export const connectionItem = z.strictObject({
  name: z.string(),
  peer: z.string().nullable(),
  mode: z.enum(['active', 'passive']).describe('active: we keep it up'),
  state: z.enum(['up', 'connecting', 'down', 'passive']).describe('passive: not up, and the peer’s to begin'),
  since: time.describe('when it last came up or ceased to be, at first the start of the daemon'),
  lastFailure,
  nextAttemptAt: sometime.describe('when what failed is tried again'),
  sas: z.array(z.strictObject({ current: z.boolean(), protocol: z.enum(['ESP', 'AH']), spiOut: spi, spiIn: spi })),
});
export type ConnectionItem = z.infer<typeof connectionItem>;

export const peerItem = z.strictObject({
  name: z.string(),
  usable: z.boolean().describe('false: the log, or --check, says what is wrong with its section'),
  address: z.string().nullable(),
  connections: z.array(z.string()),
});
export type PeerItem = z.infer<typeof peerItem>;

export const laneItem = z.strictObject({
  lane: z.int(),
  fault: z.string().nullable().describe('why it did not answer'),
  isakmpSas: z.int().nullable(),
  halfOpen: z.int().nullable(),
  phase2Exchanges: z.int().nullable(),
  queuedFast: z.int().nullable(),
  queuedSlow: z.int().nullable(),
  shed: z.int().nullable().describe('messages dropped because too many waited'),
  diffieHellman: z.int().nullable().describe('operations so far'),
});
export type LaneItem = z.infer<typeof laneItem>;

export const certificateItem = z.strictObject({
  kind: z.enum(['authority', 'certificate', 'crl']).describe('which directory it is in'),
  file: z.string(),
  name: z.string().describe('the subject; of a revocation list its issuer'),
  validFrom: time,
  validUntil: sometime.describe('null for a revocation list that names no day'),
  state: z.enum(['valid', 'expires-soon', 'expired', 'not-yet-valid']).describe('soon: within 30 days'),
});
export type CertificateItem = z.infer<typeof certificateItem>;

export const sectionItem = z.strictObject({
  section: z.string(),
  tags: z.array(z.strictObject({ tag: z.string(), value: z.string() })),
});
export type SectionItem = z.infer<typeof sectionItem>;

const phase1Facts = {
  peer: z.string(),
  cookies,
  role,
  local: endpoint,
  remote: endpoint,
  localIdentity: z.string(),
  remoteIdentity: z.string(),
};
const phase2Facts = {
  connection: z.string(),
  peer: z.string(),
  cookies,
  messageId: z.string().regex(/^[0-9a-f]{8}$/),
  role,
  local: endpoint,
  remote: endpoint,
  localSelector: z.string(),
  remoteSelector: z.string(),
  sas: z.array(z.strictObject({ protocol: z.enum(['ESP', 'AH']), spiOut: spi, spiIn: spi })),
};
const failureFacts = {
  reason: z.string(),
  cause: z.enum(['timeout', 'refused', 'cancelled', 'error']),
  retryInSeconds: seconds.nullable().describe('null: nobody tries again'),
};
const head = { answer: z.literal('event'), at: time };

export const statusEvent = z.discriminatedUnion('event', [
  z.strictObject({ ...head, event: z.literal('phase1-up'), ...phase1Facts }).describe('An ISAKMP SA is established.'),
  z
    .strictObject({
      ...head,
      event: z.literal('phase1-down'),
      why: z.enum(['expired', 'deletedByPeer', 'deletedByUs']),
      ...phase1Facts,
    })
    .describe('An ISAKMP SA is gone.'),
  z
    .strictObject({
      ...head,
      event: z.literal('phase1-failed'),
      peer: z.string(),
      connections: z.array(z.string()).describe('those that wait for it'),
      ...failureFacts,
    })
    .describe('A phase 1 of ours has failed.'),
  z.strictObject({ ...head, event: z.literal('phase2-up'), ...phase2Facts }).describe('A pair of IPsec SAs is up.'),
  z
    .strictObject({
      ...head,
      event: z.literal('phase2-down'),
      why: z
        .enum(['expired', 'deletedByPeer', 'forgottenByPeer', 'lost', 'surplus', 'operator', 'peerDead', 'distrusted'])
        .describe('surplus: another one took its place; distrusted: the certificate of its peer is refused by now'),
      ...phase2Facts,
    })
    .describe('A pair of IPsec SAs is gone.'),
  z
    .strictObject({
      ...head,
      event: z.literal('phase2-failed'),
      connection: z.string(),
      peer: z.string().nullable(),
      ...failureFacts,
    })
    .describe('A quick mode has failed.'),
  z
    .strictObject({ ...head, event: z.literal('reconfigured') })
    .describe('The configuration was loaded again, or its list of connections has changed.'),
]);
export type StatusEvent = z.infer<typeof statusEvent>;

const count = z.int().nonnegative();

export const statusAnswer = z.discriminatedUnion('answer', [
  z
    .strictObject({
      answer: z.literal('status'),
      pid: z.int(),
      startedAt: time,
      mode: z.enum(['active', 'passive']),
      lanes: count,
      isakmpSas: count.describe('established'),
      ipsecSas: count.describe('established pairs'),
      running: count.describe('negotiations of ours, and quick modes of peers'),
      droppedWhilePassive: z
        .strictObject({ received: count, sent: count })
        .describe('datagrams that came from peers, and that would have gone to them, since the start'),
      connections: z.strictObject({ configured: count, up: count, connecting: count, down: count, passive: count }),
    })
    .describe('To `status`.'),
  z.strictObject({ answer: z.literal('sas'), sas: z.array(saStatus) }).describe('To `sas`.'),
  z
    .strictObject({ answer: z.literal('connections'), connections: z.array(connectionItem) })
    .describe('To `connections`.'),
  z.strictObject({ answer: z.literal('peers'), peers: z.array(peerItem) }).describe('To `peers`.'),
  z.strictObject({ answer: z.literal('lanes'), lanes: z.array(laneItem) }).describe('To `lanes`.'),
  z
    .strictObject({ answer: z.literal('certificates'), certificates: z.array(certificateItem) })
    .describe('To `certificates`.'),
  z
    .strictObject({ answer: z.literal('configuration'), configuration: z.array(sectionItem) })
    .describe('To `configuration`.'),
  z.strictObject({ answer: z.literal('subscribed'), events: z.array(z.enum(EVENT_KINDS)) }).describe('To `subscribe`.'),
  z
    .strictObject({
      answer: z.literal('error'),
      code: z.enum(['bad-json', 'unknown-request', 'bad-request', 'line-too-long', 'too-many-clients', 'too-slow']),
      text: z.string().describe('one sentence'),
    })
    .describe(
      'To what cannot be answered. After line-too-long, too-many-clients and too-slow the connection is closed.',
    ),
]);
export type StatusAnswer = z.infer<typeof statusAnswer>;
export type ErrorAnswer = Extract<StatusAnswer, { readonly answer: 'error' }>;
