/**
 * Diffie-Hellman for phase 1 and PFS. A group is set up once per thread; the private value is `privateSize` fresh random bytes
 * that the exchange drew and keeps, so no two exchanges share any and a recorded exchange can be replayed.
 */
import { versions } from 'node:process';
import { InvariantError } from '../errors.ts';
import { calibrate, type DhCalibration, type DhPath } from './dh-calibration.ts';
import { type EcpCurve, ecpKeyObjectEngine, ecpObjectEngine } from './dh-ecp.ts';
import type { DhEngine } from './dh-engine.ts';
import { findGroup, type Group, type GroupSpec } from './dh-groups.ts';
import { type ModpGroup, modpGroup, modpKeyObjectEngine, modpObjectEngine } from './dh-modp.ts';

/** The group of that number; undefined where we or this OpenSSL do not have it. */
export const groupSpec = (group: number): GroupSpec | undefined => findGroup(group)?.spec;

/** g^x for our KE payload, of the group's public size. */
export const publicValue = (group: number, privateValue: Uint8Array): Uint8Array =>
  engineFor(group, privateValue).publicValue(privateValue);

/**
 * g^xy, of the group's secret size. Cheapest with the very array that publicValue was given. Throws a ProtocolError
 * (INVALID_KEY_INFORMATION) for a peer's value of the wrong length, out of range or off the curve.
 */
export const sharedSecret = (group: number, privateValue: Uint8Array, peerPublic: Uint8Array): Uint8Array =>
  engineFor(group, privateValue).sharedSecret(privateValue, peerPublic);

/**
 * Measures both ways to do Diffie-Hellman in the handed groups and keeps the faster one of each; also pays for their set-up, so
 * that the first exchange does not. Groups we do not have are left out, and MODP_6144 and MODP_8192, which take too long: these
 * keep the path that suits this version of Node. `clock` gives milliseconds.
 */
export const calibrateDiffieHellman = (groups: readonly number[], clock: () => number): readonly DhCalibration[] => {
  const found: DhCalibration[] = [];
  for (const number of groups) {
    const group = findGroup(number);
    if (group === undefined || group.spec.publicSize > LARGEST_CALIBRATED) continue;
    const engine = engineMaker(group);
    const preferred = defaultPath(group);
    const otherIsCheap = group.kind === 'ecp' || preferred === 'object';
    const calibration = calibrate({ spec: group.spec, preferred, engine, otherIsCheap }, clock);
    engines.set(number, engine(calibration.path));
    found.push(calibration);
  }
  return found;
};

const engineFor = (group: number, privateValue: Uint8Array): DhEngine => {
  const row = findGroup(group);
  if (row === undefined) throw new InvariantError(`group ${group} was negotiated but is not supported`);
  if (privateValue.length < row.spec.privateSize) {
    throw new InvariantError(`${row.spec.name} got a private value of ${privateValue.length} bytes`);
  }
  const known = engines.get(group);
  if (known !== undefined) return known;
  const engine = engineMaker(row)(defaultPath(row));
  engines.set(group, engine);
  return engine;
};

/**
 * What is faster as a rule. MODP: Node 20 checks y^q in KeyObjects, Node 22 in computeSecret, and Node 24 needs up to seconds
 * to make the object, except for groups 1 and 2, of which OpenSSL does not know q. Curves: KeyObjects spare the repeated check
 * of our own key, which on P-256 costs less than making them.
 */
const defaultPath = ({ kind, spec }: Group): DhPath => {
  if (kind === 'ecp') return spec.name === 'ECP_256' ? 'object' : 'keyObject';
  return spec.publicSize <= LARGEST_OAKLEY || NODE_MAJOR < FIRST_MAJOR_WITH_FAST_KEY_OBJECTS ? 'object' : 'keyObject';
};

/** Makes the engine of a path when it is first asked for; both share what is costly to get. */
const engineMaker = (group: Group): ((path: DhPath) => DhEngine) => {
  const make = group.kind === 'ecp' ? ecpEngine(group.curve) : modpEngine(modpGroup(group.nodeName));
  const made = new Map<DhPath, DhEngine>();
  return (path) => {
    const engine = made.get(path) ?? make(path);
    made.set(path, engine);
    return engine;
  };
};

const ecpEngine =
  (curve: EcpCurve) =>
  (path: DhPath): DhEngine =>
    path === 'object' ? ecpObjectEngine(curve) : ecpKeyObjectEngine(curve);

const modpEngine =
  (group: ModpGroup) =>
  (path: DhPath): DhEngine =>
    path === 'object' ? modpObjectEngine(group) : modpKeyObjectEngine(group);

/** The path in use, per group; filled on first use or by calibration. */
const engines = new Map<number, DhEngine>();

const NODE_MAJOR = Number.parseInt(versions.node, 10);
const FIRST_MAJOR_WITH_FAST_KEY_OBJECTS = 22;
/** Bytes of group 2, the larger of the two whose primes OpenSSL does not know by name. */
const LARGEST_OAKLEY = 128;
/** Bytes of group 16. */
const LARGEST_CALIBRATED = 512;
