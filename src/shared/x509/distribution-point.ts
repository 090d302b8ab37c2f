/** Where a certificate's revocation is told (RFC 5280 section 4.2.1.13), and what part of it a CRL tells (section 5.2.5). Names only: nothing is ever fetched (CVE-2022-40617). */
import { DerTag, derElement } from '../crypto/der.ts';
import { CertificateError } from './certificate-error.ts';
import {
  constructedTag,
  type DerElement,
  derOf,
  fieldsOf,
  onlyPart,
  partsOf,
  primitiveTag,
  readBoolean,
  readDer,
  readNamedBits,
  tagOf,
} from './der-element.ts';
import { type GeneralName, readDistinguishedName, readGeneralNames } from './general-name.ts';

/** A name of a distribution point: whole, or the parts that follow the CRL issuer's name. */
export type PointName =
  | { readonly kind: 'full'; readonly names: readonly GeneralName[] }
  /** DER of the RelativeDistinguishedName. */
  | { readonly kind: 'relative'; readonly part: Uint8Array };

export interface DistributionPoint {
  readonly name: PointName | undefined;
  /** Bits of ReasonFlags; undefined means all. */
  readonly reasons: number | undefined;
  /** Who signs the CRL, where it is not the certificate's issuer. */
  readonly crlIssuer: readonly GeneralName[];
}

/** IssuingDistributionPoint. */
export interface CrlScope {
  readonly name: PointName | undefined;
  readonly onlyUsers: boolean;
  readonly onlyAuthorities: boolean;
  readonly onlyAttributes: boolean;
  readonly reasons: number | undefined;
  readonly isIndirect: boolean;
  /** The extension's value: complete and delta CRLs of one scope have the same. */
  readonly der: Uint8Array;
}

/** ReasonFlags 1 to 8: unused is not a reason (RFC 5280 section 4.2.1.13). */
export const ALL_REASONS = 0x1fe;

/** Throws CertificateError. */
export const readDistributionPoints = (element: DerElement, where: string): readonly DistributionPoint[] =>
  partsOf(element, DerTag.SEQUENCE, where).map((part) => {
    const fields = fieldsOf(part, DerTag.SEQUENCE, where);
    const name = fields.takeIf(constructedTag(0));
    const reasons = fields.takeIf(primitiveTag(1));
    const issuer = fields.takeIf(constructedTag(2));
    fields.end();
    return {
      name: name && readPointName(name, where),
      reasons: reasons && readNamedBits(reasons, primitiveTag(1), where),
      crlIssuer: issuer === undefined ? [] : readGeneralNames(issuer, constructedTag(2), where),
    };
  });

/** Throws CertificateError. */
export const readCrlScope = (value: Uint8Array): CrlScope => {
  const where = 'extension issuingDistributionPoint';
  const fields = fieldsOf(readDer(value, where), DerTag.SEQUENCE, where);
  const flag = (number: number): boolean => {
    const element = fields.takeIf(primitiveTag(number));
    return element !== undefined && readBoolean(element, primitiveTag(number), where);
  };
  const name = fields.takeIf(constructedTag(0));
  const [onlyUsers, onlyAuthorities] = [flag(1), flag(2)];
  const reasons = fields.takeIf(primitiveTag(3));
  const [isIndirect, onlyAttributes] = [flag(4), flag(5)];
  fields.end();
  return {
    name: name && readPointName(name, where),
    onlyUsers,
    onlyAuthorities,
    onlyAttributes,
    reasons: reasons && readNamedBits(reasons, primitiveTag(3), where),
    isIndirect,
    der: value,
  };
};

/** The names that a point goes by. A relative one follows the name of each of `issuers`, the DER of X.501 names. */
export const namesOfPoint = (point: PointName, issuers: readonly Uint8Array[]): readonly GeneralName[] => {
  if (point.kind === 'full') return point.names;
  return issuers.map((issuer) => {
    const where = 'nameRelativeToCRLIssuer';
    const parts = partsOf(readDer(issuer, where), DerTag.SEQUENCE, where).map(derOf);
    const whole = derElement(DerTag.SEQUENCE, ...parts, point.part);
    return { kind: 'directory', name: readDistinguishedName(readDer(whole, where), where) };
  });
};

const readPointName = (element: DerElement, where: string): PointName => {
  const choice = onlyPart(element, where);
  if (tagOf(choice) === constructedTag(0)) {
    return { kind: 'full', names: readGeneralNames(choice, constructedTag(0), where) };
  }
  if (tagOf(choice) !== constructedTag(1)) throw new CertificateError(`${where}: no name of a distribution point`);
  const attributes = partsOf(choice, constructedTag(1), where).map(derOf);
  return { kind: 'relative', part: derElement(DerTag.SET, ...attributes) };
};
