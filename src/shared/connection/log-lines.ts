/** The log records of the connection core. */

import type { Endpoint } from '../address.ts';
import type { Acquire } from '../kernel-news.ts';
import { LogClass } from '../log/classes.ts';
import { debug, failure, notice } from '../log/records.ts';
import { idText, quickModeFields, whoWords } from '../log/who.ts';
import { identityText } from '../policy/identity.ts';
import type { PeerPolicy } from '../policy/peer-policy.ts';
import type { Cookies, Failure, LogFields, LogRecord } from '../threads/contract.ts';
import type { IsakmpSa, Pair, Party } from './records.ts';

/** behaviour 2.6: scripts look for this line. `protocolId` is the one in the DELETE payload. */
export const pairDeletedByPeer = (pair: Pair, protocolId: number): LogRecord => {
  const { agreement } = pair;
  const { role, localIdentity, remoteIdentity, path } = agreement;
  return deletedByPeer(agreement.connection, protocolId, role, localIdentity, remoteIdentity, {
    connection: agreement.connection,
    peer: agreement.peer,
    address: path.remote.address,
    port: path.remote.port,
    localIdentity,
    remoteIdentity,
    cookies: agreement.isakmp,
    messageId: idText(agreement.messageId),
  });
};

export const isakmpDeletedByPeer = (sa: IsakmpSa): LogRecord => {
  const { localIdentity, role } = sa;
  return deletedByPeer(sa.party.peer.name, 1, role, localIdentity, sa.party.identity, saFields(sa));
};

const deletedByPeer = (
  name: string,
  protocolId: number,
  role: 'initiator' | 'responder',
  local: string,
  remote: string,
  fields: LogFields,
): LogRecord => {
  const [initiator, responder] = role === 'initiator' ? [local, remote] : [remote, local];
  const shown = name === '' ? '<unnamed>' : name;
  const text =
    `isakmpd: Peer ${fields.address} made us delete live SA ${shown} for proto ${protocolId}, initiator id: ${initiator}, responder id: ${responder}` as const;
  return notice('deleted-by-peer', text, fields);
};

/** A phase 1 came to nothing. `waiting` are the connections that would have used it; `retryMs` undefined: it is not tried again. */
export const phase1Failed = (
  peer: string,
  policy: PeerPolicy | undefined,
  failed: Failure,
  cookies: Cookies | undefined,
  waiting: readonly string[],
  retryMs: number | undefined,
): LogRecord => {
  const fields: LogFields = {
    peer,
    ...(waiting.length === 1 && waiting[0] !== undefined ? { connection: waiting[0] } : {}),
    ...(policy === undefined ? {} : policyFields(policy)),
    ...(cookies === undefined ? {} : { cookies }),
  };
  const needed = waiting.length === 0 ? '' : `; ${listed(waiting)} ${waiting.length === 1 ? 'waits' : 'wait'} for it`;
  const text = `phase 1 failed: ${whoWords(fields)}: ${failed.reason}${needed}${again(retryMs)}` as const;
  return failureRecord(notice('phase1-failed', text, fields), failed);
};

/** A quick mode came to nothing. */
export const quickModeFailed = (
  connection: string,
  sa: IsakmpSa | undefined,
  messageId: number,
  failed: Failure,
  retryMs: number | undefined,
): LogRecord => {
  const fields = fieldsUnder(sa, connection, messageId);
  const text = `quick mode failed: ${whoWords(fields)}: ${failed.reason}${again(retryMs)}` as const;
  return failureRecord(notice('phase2-failed', text, fields), failed);
};

/** A quick mode that the peer had begun came to nothing. */
export const quickModeAbandoned = (
  connection: string,
  sa: IsakmpSa | undefined,
  messageId: number,
  failed: Failure,
): LogRecord => {
  const fields = fieldsUnder(sa, connection, messageId);
  const text = `quick mode abandoned: ${whoWords(fields)}: ${failed.reason}` as const;
  const record = notice('phase2-abandoned', text, fields);
  // It went down with its ISAKMP SA, or the operator wished it.
  return failed.cause === 'cancelled' ? { ...record, severity: 'verbose' } : failureRecord(record, failed);
};

/** A connection that cannot be started for a reason in the configuration. */
export const cannotStart = (connection: string): LogRecord => {
  const cure = `set [${connection}]:Phase=2 and [${connection}]:ISAKMP-peer` as const;
  return notice(
    'cannot-start',
    `connection ${connection} cannot be started: its section is not there or incomplete; ${cure}`,
    {
      connection,
    },
  );
};

/** A connection that would be brought up now. */
export const dueInPassiveMode = (connection: string): LogRecord =>
  debug(
    LogClass.EXCHANGE,
    40,
    'passive',
    `exchange_establish: connection ${connection} is due, but the daemon is passive`,
    { connection },
  );

export const noLongerConfigured = (connection: string): LogRecord =>
  notice(
    'no-longer-configured',
    `connection ${connection} is gone from the configuration: its SAs will not be renewed`,
    {
      connection,
    },
  );

/** `Unique=keep`. */
export const refusedSecondSa = (sa: IsakmpSa, first: IsakmpSa): LogRecord =>
  notice(
    'second-sa-refused',
    `${sa.party.identity} is connected from ${endpoint(first)} already (Unique=keep in section ${sa.party.peer.name}): its new ISAKMP SA from ${endpoint(sa)} is deleted`,
    saFields(sa),
  );

export const initialContact = (sa: IsakmpSa, isakmpSas: number, pairs: number): LogRecord =>
  debug(
    LogClass.SA,
    30,
    'initial-contact',
    `INITIAL-CONTACT from ${whoWords(saFields(sa))}: removed ${isakmpSas} ISAKMP and ${pairs} IPsec SAs`,
    saFields(sa),
  );

/** Its certificate is refused by now. */
export const distrusted = (
  party: Party,
  sas: readonly IsakmpSa[],
  pairs: readonly Pair[],
  reason: string,
): LogRecord => {
  const [sa] = sas;
  const [pair] = pairs;
  const address = (sa?.path ?? pair?.agreement.path)?.remote.address;
  const fields: LogFields = {
    peer: party.peer.name,
    remoteIdentity: party.identity,
    ...(address === undefined ? {} : { address }),
  };
  const text =
    `${whoWords(fields)} is no longer trusted: ${reason}; ${sas.length} ISAKMP and ${pairs.length} IPsec SAs are deleted` as const;
  return failure('peer-distrusted', text, fields);
};

/** A packet waits for the SA of this connection. */
export const acquired = (connection: string, { destination }: Acquire): LogRecord =>
  debug(LogClass.EXCHANGE, 40, 'acquire', `acquire: a packet by way of ${destination} wants connection ${connection}`, {
    connection,
    address: destination,
  });

export const acquireIgnored = ({ destination }: Acquire, reason: string): LogRecord =>
  debug(LogClass.EXCHANGE, 40, 'acquire', `acquire: a packet by way of ${destination} gets no SA: ${reason}`, {
    address: destination,
  });

/** behaviour 5.14: the peer's address or port has changed, as those behind NAT do. */
export const pairMoved = ({ agreement }: Pair, to: Endpoint): LogRecord => {
  const { connection, peer, path } = agreement;
  const [before, after] = [path.remote, to].map(({ address, port }) => `${address} port ${port}`);
  return notice('moved', `connection ${connection}: the peer has moved from ${before} to ${after}`, {
    connection,
    peer,
    ...to,
  });
};

export const tooManyPolicies = (connection: string, count: number, most: number): LogRecord =>
  failure(
    'too-many-policies',
    `connection ${connection}: its selectors make ${count} policies, more than ${most}: the kernel gets none`,
    { connection },
  );

/** What failed for a reason of ours is an error. */
const failureRecord = (record: LogRecord, { cause }: Failure): LogRecord =>
  cause === 'error' ? { ...record, severity: 'error' } : record;

const again = (retryMs: number | undefined): string =>
  retryMs === undefined ? '' : `; next attempt in ${Math.max(1, Math.round(retryMs / 1000))} s`;

const listed = (names: readonly string[]): string =>
  names.length <= MOST_NAMES
    ? names.join(', ')
    : `${names.slice(0, MOST_NAMES).join(', ')} and ${names.length - MOST_NAMES} more`;

const policyFields = ({ address, port, localId, remoteId }: PeerPolicy): LogFields => ({
  ...(address === undefined ? {} : { address, port }),
  ...(localId === undefined ? {} : { localIdentity: identityText(localId) }),
  ...(remoteId === undefined ? {} : { remoteIdentity: identityText(remoteId) }),
});

const saFields = ({ party: owner, path, localIdentity, cookies }: IsakmpSa): LogFields => ({
  peer: owner.peer.name,
  address: path.remote.address,
  port: path.remote.port,
  localIdentity,
  remoteIdentity: owner.identity,
  cookies,
});

const fieldsUnder = (sa: IsakmpSa | undefined, connection: string, messageId: number): LogFields => ({
  ...(sa === undefined ? {} : saFields(sa)),
  ...quickModeFields({ connection, messageId }),
});

const endpoint = ({ path }: IsakmpSa): string => `${path.remote.address} port ${path.remote.port}`;

const MOST_NAMES = 5;
