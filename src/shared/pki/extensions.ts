/** Extensions of the certificates, requests and CRLs that are made here (RFC 5280 section 4.2, RFC 4945 section 5). */
import { IdType } from '../constants/ipsec-doi.ts';
import type { Identity } from '../policy/peer-policy.ts';
import {
  constructed,
  integer,
  namedBits,
  objectIdentifier,
  octetString,
  primitive,
  sequence,
  truth,
} from '../x509/der-build.ts';
import { constructedTag, type DerElement, derOf, primitiveTag } from '../x509/der-element.ts';
import { KeyUsageBit } from '../x509/extensions.ts';

/** A certificate that may sign others and CRLs. */
export const authorityExtensions = (keyIdentifier: Uint8Array): readonly DerElement[] => [
  extension(Oid.basicConstraints, sequence(truth()), IS_CRITICAL),
  extension(Oid.keyUsage, namedBits(KeyUsageBit.keyCertSign | KeyUsageBit.cRLSign), IS_CRITICAL),
  extension(Oid.subjectKeyIdentifier, octetString(keyIdentifier)),
  authorityKeyIdentifier(keyIdentifier),
];

/** A certificate for IKE. RFC 4945 section 5.1.3.12 wants no extendedKeyUsage in it. */
export const peerExtensions = (
  keyIdentifier: Uint8Array,
  issuerKeyIdentifier: Uint8Array,
  names: readonly Identity[],
  isSubjectEmpty: boolean,
): readonly DerElement[] => [
  extension(Oid.basicConstraints, sequence(), IS_CRITICAL),
  extension(Oid.keyUsage, namedBits(KeyUsageBit.digitalSignature), IS_CRITICAL),
  extension(Oid.subjectKeyIdentifier, octetString(keyIdentifier)),
  authorityKeyIdentifier(issuerKeyIdentifier),
  ...alternativeNames(names, isSubjectEmpty),
];

/** None where there are no names. Critical where they are all there is to tell whose it is (section 4.2.1.6). */
export const alternativeNames = (names: readonly Identity[], isCritical: boolean): readonly DerElement[] =>
  names.length === 0 ? [] : [extension(Oid.subjectAltName, sequence(...names.map(generalName)), isCritical)];

export const authorityKeyIdentifier = (keyIdentifier: Uint8Array): DerElement =>
  extension(Oid.authorityKeyIdentifier, sequence(primitive(primitiveTag(0), keyIdentifier)));

export const crlNumber = (number: Uint8Array): DerElement => extension(Oid.cRLNumber, integer(number));

/** `code` as RFC 5280 section 5.3.1 numbers the reasons. */
export const reasonCode = (code: number): DerElement =>
  extension(Oid.reasonCode, primitive(ENUMERATED, Uint8Array.of(code)));

/** Extensions as [n] of a certificate or CRL. */
export const taggedExtensions = (number: number, list: readonly DerElement[]): DerElement =>
  constructed(constructedTag(number), [sequence(...list)]);

const extension = (oid: string, value: DerElement, isCritical = false): DerElement =>
  sequence(objectIdentifier(oid), ...(isCritical ? [truth()] : []), octetString(derOf(value)));

/** Names that a certificate can have beside its subject; certificateNames has chosen them. */
const generalName = ({ type, data }: Identity): DerElement =>
  primitive(primitiveTag(NAME_TAGS.get(type) ?? ADDRESS), data);

const Oid = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  cRLNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  authorityKeyIdentifier: '2.5.29.35',
};
/** RFC 5280 section 4.2.1.6. */
const ADDRESS = 7;
const NAME_TAGS: ReadonlyMap<number, number> = new Map([
  [IdType.USER_FQDN, 1],
  [IdType.FQDN, 2],
]);
const ENUMERATED = 0x0a;
const IS_CRITICAL = true;
