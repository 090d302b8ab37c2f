/** The log lines about a reload: one for each thing that changed, and how many more there are. */
import type { ChangedPeer, ReloadChanges } from '../config/reload-changes.ts';
import type { LogRecord } from '../threads/contract.ts';
import { notice } from './records.ts';

/** The lines, the sum of it all last. */
export const reloadLines = (changes: ReloadChanges): readonly LogRecord[] => {
  const { newPeers, gonePeers, changedPeers, changedSecrets, newConnections, goneConnections } = changes;
  const peers = `${changedPeers.length} changed, ${newPeers.length} new, ${gonePeers.length} gone`;
  const connections = `${newConnections.length} new, ${goneConnections.length} gone`;
  return [
    ...lines(changedPeers, changedPeer, 'peers changed'),
    ...lines(changedSecrets, changedSecret, 'secrets of identities changed'),
    ...lines(newPeers, (peer) => notice('reload', `reload: peer ${peer} is new`, { peer }), 'peers are new'),
    ...lines(gonePeers, gonePeer, 'peers are gone'),
    ...lines(newConnections, newConnection, 'connections are new'),
    ...lines(goneConnections, goneConnection, 'connections are gone'),
    notice('reload', `reload: peers: ${peers}; connections: ${connections}`),
  ];
};

const changedPeer = ({ name, what, isRenewed }: ChangedPeer): LogRecord => {
  const when = isRenewed ? 'its SAs are negotiated anew now' : 'it counts from its next negotiation';
  return notice('reload', `reload: peer ${name} changed (${what.join(', ')}): ${when}`, { peer: name });
};

const changedSecret = (identity: string): LogRecord =>
  notice('reload', `reload: the secret of ${identity} changed: the SAs of peers that use it are negotiated anew now`);

const gonePeer = (peer: string): LogRecord =>
  notice('reload', `reload: peer ${peer} is gone: its SAs are not renewed and end when they expire`, { peer });

const newConnection = (connection: string): LogRecord =>
  notice('reload', `reload: connection ${connection} is new`, { connection });

const goneConnection = (connection: string): LogRecord =>
  notice('reload', `reload: connection ${connection} is gone: its SAs are not renewed and end when they expire`, {
    connection,
  });

const lines = <T>(items: readonly T[], line: (item: T) => LogRecord, what: string): readonly LogRecord[] => {
  const shown = items.slice(0, MOST_LINES).map(line);
  const more = items.length - shown.length;
  return more === 0 ? shown : [...shown, notice('reload', `reload: ${more} more ${what}`)];
};

/** Of one kind. */
const MOST_LINES = 20;
