/** Name constraints (RFC 5280 section 4.2.1.10): which names a CA may certify. Host and mail names are the same in upper and lower case (CVE-2026-35331). */

import { bounded } from '../log/bounded.ts';
import { nameValues } from '../policy/distinguished-name.ts';
import type { Certificate } from './certificate.ts';
import type { NameConstraints } from './extensions.ts';
import type { DistinguishedName, GeneralName } from './general-name.ts';

/** Why a CA with these constraints must not certify the names of `certificate`; undefined where it may. */
export const constraintBroken = (constraints: NameConstraints, certificate: Certificate): string | undefined => {
  for (const name of constrainedNames(certificate)) {
    if (constraints.excluded.some((base) => isExcluded(name, base))) return `the name ${nameText(name)} is excluded`;
    const permitted = constraints.permitted.filter((base) => concerns(base, name));
    if (permitted.length > 0 && !permitted.some((base) => isPermitted(name, base))) {
      return `the name ${nameText(name)} is not among those permitted`;
    }
  }
  return undefined;
};

/** Every name of a certificate: the subject, mail addresses in it (section 4.2.1.10), and all of subjectAltName. */
const constrainedNames = ({ subject, extensions }: Certificate): readonly GeneralName[] => [
  ...(subject.parts.length > 0 ? [{ kind: 'directory', name: subject } as const] : []),
  ...nameValues(subject.der, EMAIL_ADDRESS).map((text) => ({ kind: 'mail', text }) as const),
  ...extensions.alternativeNames,
];

/** Whether a constraint is about names of this kind. An internationalised mail address (RFC 9598) is a mail address. */
const concerns = (base: GeneralName, name: GeneralName): boolean =>
  base.kind === name.kind || (base.kind === 'mail' && name.kind === 'other' && name.oid === SMTP_UTF8_MAILBOX);

/** Kinds that are not understood here are outside of every permitted subtree, and inside of every excluded one. */
const isPermitted = (name: GeneralName, base: GeneralName): boolean => {
  if (name.kind === 'dns' && base.kind === 'dns') return isHostWithin(name.text, base.text);
  if (name.kind === 'mail' && base.kind === 'mail') return isMailWithin(name.text, base.text);
  if (name.kind === 'directory' && base.kind === 'directory') return isNameWithin(name.name, base.name);
  return name.kind === 'address' && base.kind === 'address' && isAddressWithin(name.bytes, base.bytes);
};

const isExcluded = (name: GeneralName, base: GeneralName): boolean => {
  if (!concerns(base, name)) return false;
  if (name.kind === 'other' || name.kind === 'uri' || isPermitted(name, base)) return true;
  if (name.kind === 'dns' && base.kind === 'dns') return coversHost(name.text, base.text);
  return name.kind === 'mail' && base.kind === 'mail' && isSuspectMail(name.text, base.text);
};

/** `example.net` holds itself and everything below, `.example.net` only what is below, an empty constraint everything. */
const isHostWithin = (name: string, base: string): boolean => {
  const [host, domain] = [plainHost(name), plainHost(base)];
  if (domain === '') return true;
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
};

/** A wildcard name stands for names below it, some of which may be excluded. */
const coversHost = (name: string, base: string): boolean =>
  name.startsWith('*.') && plainHost(base).endsWith(plainHost(name.slice(1)));

/** A mailbox (its local part exactly), a host, or with a dot in front every host below a domain. */
const isMailWithin = (name: string, base: string): boolean => {
  const at = name.lastIndexOf('@');
  if (at < 0) return false;
  const [local, host] = [name.slice(0, at), plainHost(name.slice(at + 1))];
  const mailbox = base.lastIndexOf('@');
  if (mailbox >= 0) return local === base.slice(0, mailbox) && host === plainHost(base.slice(mailbox + 1));
  const domain = plainHost(base);
  return domain === '' || (domain.startsWith('.') ? host.endsWith(domain) : host === domain);
};

/** To exclude, a local part is the same in upper and lower case, and what is no mail address is inside. */
const isSuspectMail = (name: string, base: string): boolean =>
  !name.includes('@') || isMailWithin(name.toLowerCase(), base.toLowerCase());

const isNameWithin = (name: DistinguishedName, base: DistinguishedName): boolean =>
  base.parts.every((part, index) => part === name.parts[index]);

/** Of one family: a constraint of IPv4 holds no IPv6 address. */
const isAddressWithin = (address: Uint8Array, base: Uint8Array): boolean => {
  if (base.length !== 2 * address.length) return false;
  return address.every((byte, index) => {
    const mask = base[address.length + index] ?? 0;
    return (byte & mask) === ((base[index] ?? 0) & mask);
  });
};

const plainHost = (text: string): string => text.toLowerCase().replace(/\.$/, '');

const nameText = (name: GeneralName): string => {
  if (name.kind === 'directory') return name.name.said;
  if (name.kind === 'address') return addressText(name.bytes);
  return name.kind === 'other' ? `of kind ${name.oid ?? 'unknown'}` : bounded(name.text.replace(/[^\x20-\x7e]/g, '?'));
};

const addressText = (bytes: Uint8Array): string =>
  bytes.length === 4
    ? bytes.join('.')
    : Buffer.from(bytes)
        .toString('hex')
        .replace(/(.{4})(?!$)/g, '$1:');

const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';
const SMTP_UTF8_MAILBOX = '1.3.6.1.5.5.7.8.9';
