/** Times of certificates and CRLs (RFC 5280 section 4.1.2.5), without the runtime's clock and time zones. */
import { CertificateError } from './certificate-error.ts';
import { charactersOf, type DerElement, tagOf } from './der-element.ts';

/** Milliseconds since 1970. UTCTime `YYMMDDHHMMSSZ` or GeneralizedTime `YYYYMMDDHHMMSSZ`, nothing else. Throws CertificateError. */
export const readTime = (element: DerElement, where: string): number => {
  const text = charactersOf(element, where);
  const tag = tagOf(element);
  const digits = tag === UTC_TIME ? century(text) + text : text;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits);
  if (parts === null || (tag !== UTC_TIME && tag !== GENERALIZED_TIME)) {
    throw new CertificateError(`${where}: UTCTime YYMMDDHHMMSSZ or GeneralizedTime YYYYMMDDHHMMSSZ is wanted`);
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  if (month < 1 || month > 12 || day < 1 || day > daysOfMonth(year, month) || hour > 23 || minute > 59 || second > 59) {
    throw new CertificateError(`${where}: there is no such date`);
  }
  return (daysBefore(year, month) + day - 1) * DAY + ((hour * 60 + minute) * 60 + second) * 1000;
};

/** `2026-11-26 12:54:17 UTC`. */
export const timeText = (milliseconds: number): string => {
  const days = Math.floor(milliseconds / DAY);
  let year = 1970 + Math.floor(days / 365.2425);
  while (daysBefore(year, 1) > days) year -= 1;
  while (daysBefore(year + 1, 1) <= days) year += 1;
  let month = 1;
  while (month < 12 && daysBefore(year, month + 1) <= days) month += 1;
  const day = days - daysBefore(year, month) + 1;
  const seconds = Math.floor((milliseconds - days * DAY) / 1000);
  const clock = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((value) => padded(Math.floor(value), 2));
  return `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)} ${clock.join(':')} UTC`;
};

/** Two digits of a year stand for 1950 to 2049. */
const century = (text: string): string => (text.charAt(0) >= '5' ? '19' : '20');

/** Days from 1970 to the first of this month. */
const daysBefore = (year: number, month: number): number => {
  const past = year - 1;
  const leaps = Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400) - LEAPS_BEFORE_1970;
  return (year - 1970) * 365 + leaps + (BEFORE_MONTH[month - 1] ?? 0) + (month > 2 && isLeap(year) ? 1 : 0);
};

const daysOfMonth = (year: number, month: number): number =>
  month === 2 && isLeap(year) ? 29 : (MONTHS[month - 1] ?? 0);
const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const padded = (value: number, width: number): string => String(value).padStart(width, '0');

const MONTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** Days of the year before each month, without leap day. */
const BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const LEAPS_BEFORE_1970 = 477;
const DAY = 86_400_000;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
