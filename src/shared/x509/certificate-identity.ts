/** Which identities a certificate stands for (RFC 4945 section 3.1, RFC 2407 section 4.6.2). */
import { IdType } from '../constants/ipsec-doi.ts';
import { sameIdentity } from '../policy/identity.ts';
import type { Identity } from '../policy/peer-policy.ts';
import type { Certificate } from './certificate.ts';
import type { GeneralName } from './general-name.ts';

/** The subject, where it is not empty, and every subjectAltName that can be an identity. Protocol and port are 0. */
export const certificateIdentities = ({ subject, extensions }: Certificate): readonly Identity[] => [
  ...(subject.parts.length > 0 ? [identityOf(IdType.DER_ASN1_DN, subject.der)] : []),
  ...extensions.alternativeNames.flatMap(identitiesOf),
];

/**
 * Whether the certificate has `identity` among its names: any of them counts, not only the first. Protocol and port do not. Names with a `*`
 * stand for nothing, or with `matchWildcards` for every name that has one label more: `*.example.net` for `a.example.net`.
 */
export const bindsIdentity = (
  certificate: Certificate,
  identity: Identity,
  { matchWildcards }: { readonly matchWildcards: boolean },
): boolean => {
  if (!BINDABLE.has(identity.type)) return false;
  if (identity.type === IdType.FQDN && textOf(identity).includes('*')) return false;
  const wanted = identityOf(identity.type, identity.data);
  return certificateIdentities(certificate).some(
    (name) => sameIdentity(name, wanted) || (matchWildcards && matchesWildcard(name, wanted)),
  );
};

const identitiesOf = (name: GeneralName): readonly Identity[] => {
  if (name.kind === 'dns') return [identityOf(IdType.FQDN, new TextEncoder().encode(name.text))];
  if (name.kind === 'mail') return [identityOf(IdType.USER_FQDN, new TextEncoder().encode(name.text))];
  if (name.kind === 'directory') return [identityOf(IdType.DER_ASN1_DN, name.name.der)];
  if (name.kind !== 'address') return [];
  return [identityOf(name.bytes.length === 4 ? IdType.IPV4_ADDR : IdType.IPV6_ADDR, name.bytes)];
};

const matchesWildcard = (name: Identity, wanted: Identity): boolean => {
  if (name.type !== IdType.FQDN || wanted.type !== IdType.FQDN) return false;
  const [pattern, host] = [textOf(name), textOf(wanted)];
  if (!/^\*\.[^*.]+\.[^*]*[^*.]$/.test(pattern)) return false;
  const label = host.slice(0, host.length - pattern.length + 1);
  return host.endsWith(pattern.slice(1)) && label !== '' && !label.includes('.');
};

const textOf = ({ data }: Identity): string => Buffer.from(data).toString('latin1').toLowerCase();
const identityOf = (type: number, data: Uint8Array): Identity => ({ type, protocol: 0, port: 0, data });

const BINDABLE: ReadonlySet<number> = new Set([
  IdType.IPV4_ADDR,
  IdType.IPV6_ADDR,
  IdType.FQDN,
  IdType.USER_FQDN,
  IdType.DER_ASN1_DN,
]);
