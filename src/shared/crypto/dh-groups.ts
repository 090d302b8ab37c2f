/** The Diffie-Hellman groups we have: RFC 2409 §6.1, §6.2, RFC 3526, RFC 5903, and the numbers of RFC 5114 and 6932. */
import { getCurves } from 'node:crypto';
import { GroupDescription } from '../constants/oakley.ts';
import { type EcpCurve, EXTRA_RANDOM_BYTES } from './dh-ecp.ts';

/** What an exchange has to know of a group. */
export interface GroupSpec {
  /** A number of GroupDescription. */
  readonly group: number;
  /** Its name there. */
  readonly name: string;
  readonly kind: 'modp' | 'ecp';
  /** Bytes of the KE payload: the length of the prime, or both coordinates. */
  readonly publicSize: number;
  /** Bytes of g^xy. */
  readonly secretSize: number;
  /** Random bytes that make a private value. */
  readonly privateSize: number;
}

/** A group as we run it. */
export type Group =
  | { readonly kind: 'modp'; readonly spec: GroupSpec; readonly nodeName: string }
  | { readonly kind: 'ecp'; readonly spec: GroupSpec; readonly curve: EcpCurve };

/** The group of that number; undefined where we or this OpenSSL do not have it. */
export const findGroup = (group: number): Group | undefined => {
  const row = GROUPS.get(group);
  return row === undefined || (row.kind === 'ecp' && !hasCurve(row.curve.curve)) ? undefined : row;
};

let curves: ReadonlySet<string> | undefined;
const hasCurve = (name: string): boolean => {
  curves ??= new Set(getCurves());
  return curves.has(name);
};

/**
 * An exponent needs twice the bits of the group's strength, since short exponents fall to methods that take the square root
 * (RFC 3526 §8). That section puts groups 14 to 18 at 110, 130, 150, 170 and 190 bits by its lower estimate, SP 800-57 puts
 * 15 at 128, so 220, 260, 300, 340 and 380 bits would do; the sizes here leave room above, and cost time in proportion.
 */
const modp = (
  name: keyof typeof GroupDescription,
  nodeName: string,
  primeBits: number,
  exponentBits: number,
): Group => {
  const size = primeBits / 8;
  const spec = {
    group: GroupDescription[name],
    name,
    kind: 'modp',
    publicSize: size,
    secretSize: size,
    privateSize: exponentBits / 8,
  } as const;
  return { kind: 'modp', spec, nodeName };
};

const ecp = (name: keyof typeof GroupDescription, curve: string, bits: number, order: bigint): Group => {
  const size = Math.ceil(bits / 8);
  const spec = {
    group: GroupDescription[name],
    name,
    kind: 'ecp',
    publicSize: 2 * size,
    secretSize: size,
    privateSize: size + EXTRA_RANDOM_BYTES,
  } as const;
  return { kind: 'ecp', spec, curve: { curve, size, order } };
};

const ROWS: readonly Group[] = [
  modp('MODP_768', 'modp1', 768, 256),
  modp('MODP_1024', 'modp2', 1024, 256),
  modp('MODP_1536', 'modp5', 1536, 256),
  modp('MODP_2048', 'modp14', 2048, 256),
  modp('MODP_3072', 'modp15', 3072, 320),
  modp('MODP_4096', 'modp16', 4096, 384),
  modp('MODP_6144', 'modp17', 6144, 448),
  modp('MODP_8192', 'modp18', 8192, 512),
  // The orders of the NIST curves are in SP 800-186 §3.2.1, of the Brainpool curves in RFC 5639 §3.
  ecp('ECP_256', 'prime256v1', 256, 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n),
  ecp(
    'ECP_384',
    'secp384r1',
    384,
    0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  ),
  ecp(
    'ECP_521',
    'secp521r1',
    521,
    0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  ),
  ecp('ECP_192', 'prime192v1', 192, 0xffffffffffffffffffffffff99def836146bc9b1b4d22831n),
  ecp('ECP_224', 'secp224r1', 224, 0xffffffffffffffffffffffffffff16a2e0b8f03e13dd29455c5c2a3dn),
  ecp('BP_224', 'brainpoolP224r1', 224, 0xd7c134aa264366862a18302575d0fb98d116bc4b6ddebca3a5a7939fn),
  ecp('BP_256', 'brainpoolP256r1', 256, 0xa9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7n),
  ecp(
    'BP_384',
    'brainpoolP384r1',
    384,
    0x8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b31f166e6cac0425a7cf3ab6af6b7fc3103b883202e9046565n,
  ),
  ecp(
    'BP_512',
    'brainpoolP512r1',
    512,
    0xaadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca70330870553e5c414ca92619418661197fac10471db1d381085ddaddb58796829ca90069n,
  ),
];
const GROUPS: ReadonlyMap<number, Group> = new Map(ROWS.map((row) => [row.spec.group, row]));
