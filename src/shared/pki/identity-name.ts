/** Identities that certificates and raw keys are made for, and the files that are named after them. */
import { IdType } from '../constants/ipsec-doi.ts';
import { nameFromText } from '../policy/distinguished-name.ts';
import { identityFromText, identityText } from '../policy/identity.ts';
import type { Identity } from '../policy/peer-policy.ts';
import { PkiFault } from './pki-fault.ts';

/** The identity that an operator wrote. Throws PkiFault for subnets, for names that no peer can have, and for such as would not do as a file's name. */
export const identityOfOperator = (text: string): Identity => {
  const identity = identityFromText(text);
  if (!isUsable(text, identity)) {
    throw new PkiFault(
      `"${text}" is no identity: an address (10.1.0.1, 2001:db8::1), a domain name (gate.example.net), user@domain, or a name like /C=SE/CN=gate is`,
    );
  }
  return identity;
};

/** An X.501 name in either way of writing it, in DER; `what` names it in the PkiFault that is thrown where it is none. */
export const subjectFromText = (text: string, what: string): Uint8Array => {
  const name = nameFromText(text);
  if (name === undefined) throw new PkiFault(`${what}: "${text}" is no name: /C=SE/O=Company/CN=gate is one`);
  return name;
};

/** How files of an identity are called, without their ending: addresses in their shortest form, `C=SE,CN=gate` for a name. */
export const fileNameOf = (identity: Identity): string => {
  const text = identityText(identity);
  return identity.type === IdType.DER_ASN1_DN ? text.slice(1).replaceAll('/', ',') : text;
};

/** The subject where the operator wants no other one: a name as it is, of anything else a common name. */
export const subjectOf = (identity: Identity): Uint8Array =>
  identity.type === IdType.DER_ASN1_DN
    ? identity.data
    : subjectFromText(`/CN=${identityText(identity)}`, 'the identity');

/** Those of the identities that go into subjectAltName: the others are subjects. */
export const alternativeNamesOf = (identities: readonly Identity[]): readonly Identity[] =>
  identities.filter(({ type }) => type !== IdType.DER_ASN1_DN);

const isUsable = (text: string, { type, data }: Identity): boolean => {
  switch (type) {
    case IdType.IPV4_ADDR:
    case IdType.IPV6_ADDR:
      return true;
    case IdType.FQDN:
      return DOMAIN.test(text) && data.length <= LONGEST;
    case IdType.USER_FQDN: {
      const at = text.lastIndexOf('@');
      return USER.test(text.slice(0, at)) && DOMAIN.test(text.slice(at + 1)) && data.length <= LONGEST;
    }
    case IdType.DER_ASN1_DN:
      // Its parts become directories, and a slash in a value would make one of its own.
      return !/\/(?![A-Za-z][A-Za-z0-9-]*=|\d+(?:\.\d+)+=)/.test(text);
    default:
      return false;
  }
};

/** Labels of letters, digits, hyphens and underscores, the last of them no number: 10.1.0 is an address that was cut short. */
const DOMAIN =
  /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*(?<!(^|\.)\d+)$/;
const USER = /^[A-Za-z0-9!#$%&'*+=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+=?^_`{|}~-]+)*$/;
const LONGEST = 253;
