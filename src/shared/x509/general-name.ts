/** Names of subjectAltName, nameConstraints and distribution points (RFC 5280 section 4.2.1.6), and X.501 names as certificates have them. */

import { IdType } from '../constants/ipsec-doi.ts';
import { DerTag } from '../crypto/der.ts';
import { bounded } from '../log/bounded.ts';
import { distinguishedParts, keyOfParts, namePartKeys } from '../policy/distinguished-name.ts';
import { identityText } from '../policy/identity.ts';
import { CertificateError } from './certificate-error.ts';
import {
  constructedTag,
  contentOf,
  type DerElement,
  derOf,
  expectTag,
  fieldsOf,
  onlyPart,
  partsOf,
  primitiveTag,
  readOid,
  tagOf,
} from './der-element.ts';

/** An X.501 name. */
export interface DistinguishedName {
  readonly der: Uint8Array;
  /** `/C=SE/CN=gate`, without control characters. */
  readonly text: string;
  /** The same for messages, of bounded length. */
  readonly said: string;
  /** Names with the same key mean the same (RFC 5280 section 7.1). */
  readonly key: string;
  /** The keys of its parts, first part first; none for the empty name. */
  readonly parts: readonly string[];
}

export type GeneralName =
  | { readonly kind: 'mail' | 'dns' | 'uri'; readonly text: string }
  | { readonly kind: 'directory'; readonly name: DistinguishedName }
  /** 4 or 16 bytes; in a name constraint address and mask, 8 or 32. */
  | { readonly kind: 'address'; readonly bytes: Uint8Array }
  /** `oid` is set for an otherName. */
  | { readonly kind: 'other'; readonly oid: string | undefined };

/** Throws CertificateError for what is no name, and for a name with a NUL in it (CVE-2009-2408). */
export const readDistinguishedName = (element: DerElement, where: string): DistinguishedName => {
  expectTag(element, DerTag.SEQUENCE, where);
  const der = derOf(element);
  const [parts, texts] = [namePartKeys(der), distinguishedParts(der)];
  if (parts === undefined || texts === undefined) {
    throw new CertificateError(`${where}: not an X.501 name`);
  }
  if (texts.some((text) => text.includes('\0'))) throw new CertificateError(`${where}: a NUL in a name`);
  const text =
    parts.length === 0 ? '(no name)' : identityText({ type: IdType.DER_ASN1_DN, protocol: 0, port: 0, data: der });
  return { der, text, said: bounded(text), key: keyOfParts(parts), parts };
};

/** GeneralNames, at least one. `tag` may be an implicit one. Throws CertificateError. */
export const readGeneralNames = (element: DerElement, tag: number, where: string): readonly GeneralName[] => {
  const names = partsOf(element, tag, where).map((part) => readGeneralName(part, where));
  if (names.length === 0) throw new CertificateError(`${where}: no name`);
  return names;
};

/** Throws CertificateError. Lengths of addresses are for who knows which are meant. */
export const readGeneralName = (element: DerElement, where: string): GeneralName => {
  const tag = tagOf(element);
  const textual = TEXTUAL.get(tag);
  if (textual !== undefined) return { kind: textual, text: readText(element, where) };
  if (tag === DIRECTORY) return { kind: 'directory', name: readDistinguishedName(onlyPart(element, where), where) };
  if (tag === ADDRESS) return { kind: 'address', bytes: contentOf(element, where) };
  if (tag === OTHER_NAME) {
    return { kind: 'other', oid: readOid(fieldsOf(element, OTHER_NAME, where).takeAny('type-id'), where) };
  }
  if (!OTHERS.has(tag)) throw new CertificateError(`${where}: tag 0x${tag.toString(16)} is no kind of name`);
  return { kind: 'other', oid: undefined };
};

/** An IA5String whose characters all print: names with a NUL or other control characters are refused (CVE-2009-2408). */
const readText = (element: DerElement, where: string): string => {
  const text = String.fromCharCode(...contentOf(element, where).subarray(0, LONGEST + 1));
  if (text.length > LONGEST) throw new CertificateError(`${where}: a name of more than ${LONGEST} characters`);
  if (text.includes('\0')) throw new CertificateError(`${where}: a NUL in a name`);
  if (!/^[\x20-\x7e]*$/.test(text))
    throw new CertificateError(`${where}: a character that is no printable ASCII in a name`);
  return text;
};

const TEXTUAL: ReadonlyMap<number, 'mail' | 'dns' | 'uri'> = new Map([
  [primitiveTag(1), 'mail'],
  [primitiveTag(2), 'dns'],
  [primitiveTag(6), 'uri'],
]);
const OTHER_NAME = constructedTag(0);
const DIRECTORY = constructedTag(4);
const ADDRESS = primitiveTag(7);
/** x400Address, ediPartyName, registeredID. */
const OTHERS: ReadonlySet<number> = new Set([constructedTag(3), constructedTag(5), primitiveTag(8)]);
const LONGEST = 4096;
