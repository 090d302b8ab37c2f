/** The `sa_report` lines: one SA in the words of the original isakmpd. */
import { addressFromBytes } from '../address.ts';
import { ProtocolId } from '../constants/ipsec-doi.ts';
import { Doi } from '../constants/isakmp.ts';
import { printable } from '../log/printable.ts';
import { type SaProtocol, SaRole, type SaRow } from '../sa-table/rows.ts';
import type { SaEntry } from '../sa-table/sa-table.ts';
import { bytesHex, wordHex } from './hex.ts';
import { NO_POINTER, pointer } from './pointers.ts';
import { hasTransport } from './sa-list.ts';

/**
 * The lines of one SA. `refcnt` is one for the table and one for each of its timers. Half-open SAs have neither name nor identities, as in the
 * original.
 */
export const saReport = ({ handle, row }: SaEntry): readonly string[] => {
  const name = row.name === '' ? '<unnamed>' : printable(row.name);
  const timers = [row.softAt, row.hardAt].filter((at) => at > 0).length;
  return [
    `sa_report: ${pointer('sa', handle.slot)} ${name} phase ${row.phase} doi ${Doi.IPSEC} flags 0x${row.flags.toString(16)}`,
    `sa_report: icookie ${bytesHex(row.initiatorCookie)} rcookie ${bytesHex(row.responderCookie)}`,
    `sa_report: msgid ${wordHex(row.messageId)} refcnt ${1 + timers}`,
    `sa_report: life secs ${row.lifeSeconds} kb ${row.lifeKilobytes}`,
    ...(row.phase === 1
      ? isakmpLines(row)
      : row.protocols.flatMap((protocol, i) => protocolLines(handle.slot, row, protocol, i))),
  ];
};

const isakmpLines = (row: SaRow): readonly string[] => [
  `sa_report: suite 1 proto ${ProtocolId.ISAKMP}`,
  `sa_report: spi_sz[0] 0 spi[0] ${NO_POINTER} spi_sz[1] 0 spi[1] ${NO_POINTER}`,
  partiesLine(row),
];

const protocolLines = (slot: number, row: SaRow, protocol: SaProtocol, index: number): readonly string[] => {
  const spis = [protocol.spiOut, protocol.spiIn];
  const fields = spis.map((spi, i) => {
    const at = spi === 0 ? NO_POINTER : pointer('spi', slot * 4 + index * 2 + i);
    return `spi_sz[${i}] ${spi === 0 ? 0 : SPI_SIZE} spi[${i}] ${at}`;
  });
  return [
    `sa_report: suite 1 proto ${protocol.protocolId}`,
    `sa_report: ${fields.join(' ')}`,
    partiesLine(row),
    // The blank at the end is the original's.
    ...spis.flatMap((spi, i) => (spi === 0 ? [] : [`sa_report: spi[${i}]:`, `${wordHex(spi)} `])),
  ];
};

const partiesLine = (row: SaRow): string => {
  const ours = identity(row.localIdentity);
  const theirs = identity(row.remoteIdentity);
  const [initiator, responder] = row.role === SaRole.INITIATOR ? [ours, theirs] : [theirs, ours];
  const [source, destination] = [row.localAddress, row.remoteAddress].map((bytes) =>
    hasTransport(row) ? addressFromBytes(bytes, printable(row.zone)).text : '<no address>',
  );
  return `sa_report: initiator id: ${initiator}, responder id: ${responder}, src: ${source} dst: ${destination}`;
};

const identity = (text: string): string => (text === '' ? '<no ipsec id>' : printable(text));

/** Bytes, RFC 2406 §2.1. */
const SPI_SIZE = 4;
