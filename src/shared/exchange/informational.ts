/** Informational exchanges: one protected message of notifies and deletes. RFC 2409 §5.7, RFC 2407 §4.6.3, RFC 3706. */
import { compareBytes } from '../address.ts';
import { ProtocolId } from '../constants/ipsec-doi.ts';
import { Doi, LAST_ERROR_NOTIFY, NotifyType } from '../constants/isakmp.ts';
import { ProtocolError } from '../errors.ts';
import { spiBytes, spiNumber } from '../policy/spi.ts';
import type { OutPayload } from '../wire/message.ts';
import type { Inbound, MessageRule } from './inbound.ts';

/** Protected: HASH comes first and covers the rest. */
export const INFORMATIONAL: MessageRule = {
  encryption: 'always',
  hashFirst: true,
  required: ['HASH'],
  allowed: ['NOTIFY', 'DELETE', 'VID', 'NONCE', 'ID', 'SA'],
};

/** In the clear: anybody may have sent it. */
export const CLEARTEXT_NOTIFY: MessageRule = {
  encryption: 'never',
  hashFirst: false,
  required: ['NOTIFY'],
  allowed: ['VID', 'DELETE', 'SA', 'NONCE', 'ID', 'HASH'],
};

/** One thing that an informational message says. */
export type News =
  | { readonly kind: 'ipsecDeleted'; readonly protocolId: number; readonly spis: readonly number[] }
  | { readonly kind: 'isakmpDeleted' }
  | { readonly kind: 'initialContact' }
  | { readonly kind: 'areYouThere'; readonly sequence: number }
  | { readonly kind: 'iAmHere'; readonly sequence: number }
  /** An error of the peer's; spi is what it speaks of, undefined where it does not say. */
  | { readonly kind: 'error'; readonly notify: number; readonly spi: number | undefined }
  | { readonly kind: 'status'; readonly notify: number };

/**
 * What the message says, in its order. `cookies` are the 16 bytes of the ISAKMP SA. A DELETE of that SA is the last thing that
 * counts (CVE-2023-38712). Throws INVALID_SPI for a notify about other cookies.
 */
export const readNews = (message: Inbound, cookies: Uint8Array): readonly News[] => {
  const news = message.notifies.map(({ value }) => notifyNews(value, cookies));
  let isGone = false;
  for (const { value } of message.deletes) {
    if (value.protocolId === ProtocolId.ISAKMP) isGone ||= value.spis.some((spi) => compareBytes(spi, cookies) === 0);
    else
      news.push({
        kind: 'ipsecDeleted',
        protocolId: value.protocolId,
        spis: value.spis.slice(0, MAX_SPIS).flatMap(numberOf),
      });
  }
  return isGone ? [...news.filter(({ kind }) => kind === 'ipsecDeleted'), { kind: 'isakmpDeleted' }] : news;
};

/** A 64 KiB DELETE could name 16,000 SPIs (CVE-2004-0221): more than any peer of ours has. */
const MAX_SPIS = 1024;

const numberOf = (spi: Uint8Array): readonly number[] => {
  const number = spiNumber(spi);
  return number === undefined ? [] : [number];
};

const notifyNews = (value: Inbound['notifies'][number]['value'], cookies: Uint8Array): News => {
  const { notifyType, spi } = value;
  const isAboutIsakmp = value.protocolId === ProtocolId.ISAKMP && spi.length === 16;
  if (isAboutIsakmp && compareBytes(spi, cookies) !== 0) {
    throw new ProtocolError(NotifyType.INVALID_SPI, 'a notify with the cookies of another ISAKMP SA');
  }
  switch (notifyType) {
    case NotifyType.INITIAL_CONTACT:
      return { kind: 'initialContact' };
    case NotifyType.R_U_THERE:
      return { kind: 'areYouThere', sequence: sequenceOf(value, isAboutIsakmp) };
    case NotifyType.R_U_THERE_ACK:
      return { kind: 'iAmHere', sequence: sequenceOf(value, isAboutIsakmp) };
    default:
      return notifyType > 0 && notifyType <= LAST_ERROR_NOTIFY
        ? { kind: 'error', notify: notifyType, spi: spiNumber(spi) }
        : { kind: 'status', notify: notifyType };
  }
};

/** RFC 3706 §5.4: the cookies as SPI, a sequence number of 4 bytes. CVE-2009-0790: nothing else is looked at. */
const sequenceOf = ({ notificationData }: Inbound['notifies'][number]['value'], hasCookies: boolean): number => {
  if (!hasCookies || notificationData.length !== 4) {
    throw new ProtocolError(NotifyType.PAYLOAD_MALFORMED, 'a DPD notify without cookies or sequence number');
  }
  return new DataView(notificationData.buffer, notificationData.byteOffset, 4).getUint32(0);
};

/** RFC 2408 §3.15; `spis` are those that this side receives on. */
export const deletePayload = (protocolId: number, spis: readonly number[]): OutPayload => ({
  kind: 'DELETE',
  value: { doi: Doi.IPSEC, protocolId, spis: spis.map(spiBytes) },
});

export const isakmpDeletePayload = (cookies: Uint8Array): OutPayload => ({
  kind: 'DELETE',
  value: { doi: Doi.IPSEC, protocolId: ProtocolId.ISAKMP, spis: [cookies] },
});

/** An error notify; `spi` is empty where there is nothing to name. */
export const errorPayload = (notifyType: NotifyType, protocolId: number, spi: Uint8Array): OutPayload => ({
  kind: 'NOTIFY',
  value: { doi: Doi.IPSEC, protocolId, notifyType, spi, notificationData: new Uint8Array(0) },
});

/** RFC 3706 §5.3: a question. */
export const areYouTherePayload = (cookies: Uint8Array, sequence: number): OutPayload =>
  sequencePayload(NotifyType.R_U_THERE, cookies, sequence);

/** RFC 3706 §5.4: the answer to one. */
export const hereIAmPayload = (cookies: Uint8Array, sequence: number): OutPayload =>
  sequencePayload(NotifyType.R_U_THERE_ACK, cookies, sequence);

const sequencePayload = (notifyType: NotifyType, cookies: Uint8Array, sequence: number): OutPayload => ({
  kind: 'NOTIFY',
  value: {
    doi: Doi.IPSEC,
    protocolId: ProtocolId.ISAKMP,
    notifyType,
    spi: cookies,
    notificationData: spiBytes(sequence),
  },
});
