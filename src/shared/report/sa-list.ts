/** The listing that the FIFO command `S` writes: every SA in the words of the original isakmpd, its odd ones included. */
import { addressFromBytes } from '../address.ts';
import { AhTransform, AuthenticationAlgorithm, EspTransform, ProtocolId } from '../constants/ipsec-doi.ts';
import { printable } from '../log/printable.ts';
import { SaFlag, type SaProtocol, SaRole, type SaRow } from '../sa-table/rows.ts';
import { bytesHex, wordHex } from './hex.ts';

/** One SA with the empty line that ends it. `now` in ms on the clock of the row. */
export const saListing = (row: SaRow, now: number): string =>
  [title(row), transport(row), ...lifetimes(row, now), `Flags 0x${wordHex(row.flags)}`, ...details(row), '', ''].join(
    '\n',
  );

const title = (row: SaRow): string => {
  // The original learns name and role of an ISAKMP SA when it is ready; until then both sides call themselves an unnamed responder.
  const isKnown = row.phase === 2 || (row.flags & SaFlag.READY) !== 0;
  const name = isKnown && row.name !== '' ? printable(row.name) : '<unnamed>';
  if (row.phase === 2) return `SA name: ${name} (Phase 2)`;
  return `SA name: ${name} (Phase 1/${isKnown && row.role === SaRole.INITIATOR ? 'Initiator' : 'Responder'})`;
};

const transport = (row: SaRow): string => {
  if (!hasTransport(row)) return '<no transport>';
  const text = (bytes: Uint8Array): string => addressFromBytes(bytes, printable(row.zone)).text;
  return `src: ${text(row.localAddress)} dst: ${text(row.remoteAddress)}`;
};

/** The original gives an initiator's SA its transport with the first answer. */
export const hasTransport = ({ phase, role, family, responderCookie }: SaRow): boolean =>
  family !== 0 && (phase === 2 || role === SaRole.RESPONDER || responderCookie.some((byte) => byte !== 0));

const lifetimes = (row: SaRow, now: number): readonly string[] => [
  ...(row.lifeSeconds === 0 ? [] : [`Lifetime: ${row.lifeSeconds} seconds`]),
  ...timeout(row.softAt, now, 'Soft', '<no soft timeout>'),
  // The odd bracket is the original's.
  ...timeout(row.hardAt, now, 'Hard', 'No hard timeout>'),
  ...(row.lifeKilobytes === 0 ? [] : [`Lifetime: ${row.lifeKilobytes} kilobytes`]),
];

/** The difference of whole seconds, as the original subtracts them. */
const timeout = (at: number, now: number, name: string, overdue: string): readonly string[] => {
  if (at === 0) return [];
  const seconds = Math.floor(at / 1000) - Math.floor(now / 1000);
  return [seconds < 0 ? overdue : `${name} timeout in ${seconds} seconds`];
};

const details = (row: SaRow): readonly string[] =>
  row.phase === 1
    ? [`icookie ${bytesHex(row.initiatorCookie)} rcookie ${bytesHex(row.responderCookie)}`]
    : row.protocols.flatMap(protocolLines);

const protocolLines = (protocol: SaProtocol): readonly string[] => [
  spiLine(0, protocol.spiOut),
  spiLine(1, protocol.spiIn),
  ...(protocol.protocolId === ProtocolId.IPSEC_ESP
    ? [
        'Transform: IPsec ESP',
        `Encryption key length: ${protocol.encryptionKeyBytes}`,
        `Authentication key length: ${protocol.authenticationKeyBytes}`,
        `Encryption algorithm: ${encryptionName(protocol)}`,
        `Authentication algorithm: ${authenticationName(protocol) ?? 'none'}`,
      ]
    : [
        'Transform: IPsec AH',
        'Encryption not used.',
        `Authentication key length: ${protocol.authenticationKeyBytes}`,
        `Authentication algorithm: ${authenticationName(protocol)}`,
      ]),
];

/** The cipher of ESP in the original's words; undefined for AH. */
export const encryptionName = ({ protocolId, transformId }: SaProtocol): string | undefined =>
  protocolId === ProtocolId.IPSEC_ESP ? (ENCRYPTION_NAMES.get(transformId) ?? unknown(transformId)) : undefined;

/** How packets are authenticated, in the original's words; undefined where the cipher does it, or nothing. */
export const authenticationName = ({ protocolId, transformId, authentication }: SaProtocol): string | undefined =>
  protocolId === ProtocolId.IPSEC_ESP
    ? AUTHENTICATION_NAMES.get(authentication)
    : (AH_NAMES.get(transformId) ?? unknown(transformId));

/** The blank at the end is the original's. */
const spiLine = (index: number, spi: number): string =>
  spi === 0 ? `SPI ${index} not defined.` : `SPI ${index}: ${wordHex(spi)} `;

const unknown = (value: number): string => `unknown (${value})`;

const ENCRYPTION_NAMES: ReadonlyMap<number, string> = new Map([
  [EspTransform['3DES'], '3DES'],
  [EspTransform.AES, 'AES (CBC)'],
  [EspTransform.AES_CTR, 'AES (CTR)'],
  [EspTransform.AES_GCM_16, 'AES (GCM)'],
  [EspTransform.AES_GMAC, 'AES (GMAC)'],
  [EspTransform.CAST, 'Cast-128'],
  [EspTransform.BLOWFISH, 'Blowfish'],
]);

const AUTHENTICATION_NAMES: ReadonlyMap<number, string> = new Map([
  [AuthenticationAlgorithm.HMAC_MD5, 'HMAC-MD5'],
  [AuthenticationAlgorithm.HMAC_SHA, 'HMAC-SHA1'],
  [AuthenticationAlgorithm.DES_MAC, unknown(AuthenticationAlgorithm.DES_MAC)],
  [AuthenticationAlgorithm.KPDK, unknown(AuthenticationAlgorithm.KPDK)],
  [AuthenticationAlgorithm.HMAC_SHA2_256, 'HMAC-SHA2-256'],
  [AuthenticationAlgorithm.HMAC_SHA2_384, 'HMAC-SHA2-384'],
  [AuthenticationAlgorithm.HMAC_SHA2_512, 'HMAC-SHA2-512'],
  [AuthenticationAlgorithm.HMAC_RIPEMD, 'HMAC-RIPEMD-160'],
]);

const AH_NAMES: ReadonlyMap<number, string> = new Map([
  [AhTransform.MD5, 'HMAC-MD5'],
  [AhTransform.SHA, 'HMAC-SHA1'],
  [AhTransform.SHA2_256, 'HMAC-SHA2-256'],
  [AhTransform.SHA2_384, 'HMAC-SHA2-384'],
  [AhTransform.SHA2_512, 'HMAC-SHA2-512'],
  [AhTransform.RIPEMD, 'HMAC-RIPEMD-160'],
]);
