/** A row of the SA table as the status socket tells it: the machine-readable twin of `S`. */
import { addressFromBytes } from '../address.ts';
import { EncapsulationMode, ProtocolId } from '../constants/ipsec-doi.ts';
import { EncryptionAlgorithm, GroupDescription, HashAlgorithm, nameOf } from '../constants/oakley.ts';
import type { SaCounters } from '../sa-table/kernel-counters.ts';
import { SaFlag, type SaProtocol, SaRole, type SaRow } from '../sa-table/rows.ts';
import { bytesHex, wordHex } from './hex.ts';
import { authenticationName, encryptionName, hasTransport } from './sa-list.ts';
import type { SaStatus } from './status-schema.ts';

/** A moment of the daemon's monotonic clock (ms) as ISO 8601. */
export type WallTime = (at: number) => string;

/** `traffic`: what the kernel says of it, if it says anything. */
export const saStatusOf = (row: SaRow, wallTime: WallTime, traffic?: SaCounters): SaStatus => {
  const isPhase1 = row.phase === 1;
  return {
    phase: row.phase,
    name: textOrNull(row.name),
    peer: row.peerName,
    role: row.role === SaRole.INITIATOR ? 'initiator' : 'responder',
    state: (row.flags & SaFlag.READY) === 0 ? 'half-open' : 'established',
    flags: Object.entries(SaFlag).flatMap(([name, bit]) => ((row.flags & bit) === 0 ? [] : [name])),
    cookies: bytesHex(row.initiatorCookie) + bytesHex(row.responderCookie),
    messageId: isPhase1 ? null : wordHex(row.messageId),
    ...transportOf(row),
    localIdentity: textOrNull(row.localIdentity),
    remoteIdentity: textOrNull(row.remoteIdentity),
    localSelector: textOrNull(row.localSelector),
    remoteSelector: textOrNull(row.remoteSelector),
    establishedAt: timeOrNull(row.establishedAt, wallTime),
    softExpiryAt: timeOrNull(row.softAt, wallTime),
    hardExpiryAt: timeOrNull(row.hardAt, wallTime),
    lifetimeSeconds: numberOrNull(row.lifeSeconds),
    lifetimeKilobytes: numberOrNull(row.lifeKilobytes),
    encryption: row.encryption === 0 ? null : nameOf(EncryptionAlgorithm, row.encryption),
    keyLength: numberOrNull(row.keyLength),
    hash: row.hash === 0 ? null : nameOf(HashAlgorithm, row.hash),
    group: row.group === 0 ? null : nameOf(GroupDescription, row.group),
    protocols: row.protocols.map(protocolOf),
    traffic: traffic === undefined ? null : { ...traffic, lastUseAt: timeOrNull(traffic.lastUseAt, wallTime) },
  };
};

/** The SPIs of one protocol, as every answer has them. */
export const spisOf = ({ protocolId, spiOut, spiIn }: Pick<SaProtocol, 'protocolId' | 'spiOut' | 'spiIn'>) => ({
  protocol: protocolId === ProtocolId.IPSEC_AH ? ('AH' as const) : ('ESP' as const),
  spiOut: spiOut === 0 ? null : wordHex(spiOut),
  spiIn: spiIn === 0 ? null : wordHex(spiIn),
});

const protocolOf = (protocol: SaProtocol): SaStatus['protocols'][number] => ({
  ...spisOf(protocol),
  mode: nameOf(EncapsulationMode, protocol.encapsulation),
  encryption: encryptionName(protocol) ?? null,
  encryptionKeyBytes: protocol.encryptionKeyBytes,
  authentication: authenticationName(protocol) ?? null,
  authenticationKeyBytes: protocol.authenticationKeyBytes,
});

const transportOf = (row: SaRow): Pick<SaStatus, 'local' | 'remote'> => {
  if (!hasTransport(row)) return { local: null, remote: null };
  const text = (bytes: Uint8Array): string => addressFromBytes(bytes, row.zone).text;
  return {
    local: { address: text(row.localAddress), port: row.localPort },
    remote: { address: text(row.remoteAddress), port: row.remotePort },
  };
};

const textOrNull = (text: string): string | null => (text === '' ? null : text);
const numberOrNull = (value: number): number | null => (value === 0 ? null : value);
const timeOrNull = (at: number, wallTime: WallTime): string | null => (at === 0 ? null : wallTime(at));
