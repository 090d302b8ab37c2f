/** Attribute types of X.501 names by the short names that operators and OpenSSL use (RFC 4519 section 2, RFC 4514 section 3, PKCS #9). */

/** The first name of a type is the one that is printed. */
const TYPES: readonly (readonly [string, ...string[]])[] = [
  ['2.5.4.3', 'CN', 'commonName'],
  ['2.5.4.4', 'SN', 'surname'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C', 'countryName'],
  ['2.5.4.7', 'L', 'localityName'],
  ['2.5.4.8', 'ST', 'S', 'stateOrProvinceName'],
  ['2.5.4.9', 'street', 'streetAddress'],
  ['2.5.4.10', 'O', 'organizationName'],
  ['2.5.4.11', 'OU', 'organizationalUnitName'],
  ['2.5.4.12', 'title', 'T'],
  ['2.5.4.13', 'description', 'D'],
  ['2.5.4.17', 'postalCode'],
  ['2.5.4.41', 'name', 'N'],
  ['2.5.4.42', 'GN', 'G', 'givenName'],
  ['2.5.4.43', 'initials', 'I'],
  ['2.5.4.45', 'x500UniqueIdentifier', 'ID'],
  ['2.5.4.46', 'dnQualifier', 'DNQ'],
  ['0.9.2342.19200300.100.1.1', 'UID', 'userId'],
  ['0.9.2342.19200300.100.1.25', 'DC', 'domainComponent'],
  ['1.2.840.113549.1.9.1', 'emailAddress', 'E', 'email'],
  ['1.2.840.113549.1.9.2', 'unstructuredName', 'UN'],
];

/** The object identifier in dotted form: of a short name in upper and lower case alike, or of the dotted form itself. */
export const typeFromText = (text: string): string | undefined =>
  OID.test(text) ? text : OIDS.get(text.toLowerCase());

/** The name that a type is printed with. */
export const typeText = (oid: string): string => NAMES.get(oid) ?? oid;

/** Types whose values are IA5Strings where they can be (RFC 4519 section 2.4, PKCS #9). */
export const IA5_TYPES: ReadonlySet<string> = new Set([
  '0.9.2342.19200300.100.1.25',
  '1.2.840.113549.1.9.1',
  '1.2.840.113549.1.9.2',
]);

/** Arcs below 2^31, and a second one that fits beside its first. */
const OID = /^(?:[01]\.[1-3]?\d|2\.\d{1,9})(?:\.(?:0|[1-9]\d{0,8}))*$/;
const OIDS = new Map(TYPES.flatMap(([oid, ...names]) => names.map((name) => [name.toLowerCase(), oid] as const)));
const NAMES = new Map(TYPES.map(([oid, name = oid]) => [oid, name]));
