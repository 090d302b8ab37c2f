/** Suite, protocol and transform sections: what we offer and accept in quick mode. */
import { EncapsulationMode, EspTransform, ProtocolId } from '../constants/ipsec-doi.ts';
import { groupSpec } from '../crypto/dh.ts';
import type { ConfigPlace } from '../errors.ts';
import { keymatSizes } from '../exchange/keymat.ts';
import type { NumberRange, Phase2Transform, Suite, SuiteProtocol } from '../policy/peer-policy.ts';
import { faultAt, placeOf, warningAt } from './finding.ts';
import { misfitOf } from './kernel-fit.ts';
import { readTag, refusedValue, refuseNotYet, requireTag } from './read-tag.ts';
import { type Resolution, usable } from './resolution.ts';
import { resolveLifetimes } from './resolve-lifetimes.ts';
import { AH_TRANSFORM_ID, ESP_TRANSFORM_ID, PHASE_2_TRANSFORM, PROTOCOL, SUITE } from './sections.ts';
import {
  admit,
  authenticatesItself,
  ESP_STRENGTHS,
  GROUP_STRENGTHS,
  INTEGRITY_STRENGTHS,
  isUnauthenticated,
  onRequest,
} from './strength.ts';

/** The suites of a list; `where` is the tag that holds it. Those that cannot be used are left out with a warning. */
export const resolveSuites = (resolution: Resolution, where: ConfigPlace, names: readonly string[]): readonly Suite[] =>
  usable(where, names, resolution.findings, (name) =>
    resolution.shared.suites.of(name, resolution, (inner) => resolveSuite(inner, name)),
  );

const resolveSuite = (resolution: Resolution, name: string): Suite => ({
  name: resolution.reader.nameOf(name),
  // All of a suite's protocols or none: half a suite protects less than was asked for.
  protocols: requireTag(resolution.reader, name, SUITE.protocols).map((protocol) =>
    resolveProtocol(resolution, protocol),
  ),
});

const resolveProtocol = (resolution: Resolution, section: string): SuiteProtocol => {
  const { reader, findings } = resolution;
  const protocolId = requireTag(reader, section, PROTOCOL.protocolId);
  if (protocolId !== ProtocolId.IPSEC_ESP && protocolId !== ProtocolId.IPSEC_AH) {
    const reason =
      protocolId === ProtocolId.IPCOMP ? 'compression is not supported yet' : 'a suite is of IPSEC_ESP and IPSEC_AH';
    throw refusedValue(reader, section, PROTOCOL.protocolId, reason);
  }
  const names = requireTag(reader, section, PROTOCOL.transforms);
  return {
    name: reader.nameOf(section),
    protocolId,
    transforms: usable(placeOf(section, 'Transforms'), names, findings, (name) =>
      resolveTransform(resolution, name, protocolId),
    ),
    replayWindow: replayWindowOf(resolution, section),
  };
};

/** RFC 4303 §3.4.3: 32 at the least. The original took no notice of this tag, so small values are found in working configurations. */
const replayWindowOf = ({ reader, findings }: Resolution, section: string): number => {
  const size = readTag(reader, section, PROTOCOL.replayWindow);
  if (size >= LEAST_REPLAY_WINDOW) return size;
  findings.push(warningAt(placeOf(section, 'ReplayWindow'), `${size} is too small: ${LEAST_REPLAY_WINDOW} is used`));
  return LEAST_REPLAY_WINDOW;
};
const LEAST_REPLAY_WINDOW = 32;

const resolveTransform = (resolution: Resolution, section: string, protocolId: number): Phase2Transform => {
  const { reader } = resolution;
  const isEsp = protocolId === ProtocolId.IPSEC_ESP;
  const transformId = requireTag(reader, section, isEsp ? ESP_TRANSFORM_ID : AH_TRANSFORM_ID);
  refuseNotYet(reader, section, PHASE_2_TRANSFORM);
  if (isEsp) admit(resolution, section, ESP_TRANSFORM_ID, transformId, ESP_STRENGTHS);
  const authentication = readTag(reader, section, PHASE_2_TRANSFORM.authentication);
  if (authentication !== undefined) {
    admit(resolution, section, PHASE_2_TRANSFORM.authentication, authentication, INTEGRITY_STRENGTHS);
  }
  const transform = {
    name: reader.nameOf(section),
    transformId,
    encapsulation: encapsulationOf(resolution, section),
    authentication,
    group: groupOf(resolution, section),
    keyLength: keyLengthOf(resolution, section, isEsp, transformId),
    lifetimes: resolveLifetimes(reader, section, PHASE_2_TRANSFORM.life),
  };
  checkTogether(resolution, section, protocolId, transform);
  checkKernel(resolution, section, protocolId, transform);
  return transform;
};

const encapsulationOf = ({ reader }: Resolution, section: string): number => {
  const row = PHASE_2_TRANSFORM.encapsulation;
  const mode = readTag(reader, section, row);
  if (mode === EncapsulationMode.TUNNEL || mode === EncapsulationMode.TRANSPORT) return mode;
  throw refusedValue(reader, section, row, 'write TUNNEL or TRANSPORT, UDP is put around it where a NAT is found');
};

const groupOf = (resolution: Resolution, section: string): number | undefined => {
  const row = PHASE_2_TRANSFORM.group;
  const group = readTag(resolution.reader, section, row);
  if (group === undefined) return undefined;
  admit(resolution, section, row, group, GROUP_STRENGTHS);
  if (groupSpec(group) !== undefined) return group;
  throw refusedValue(resolution.reader, section, row, 'it is not there in this build of OpenSSL');
};

const keyLengthOf = (
  { reader, findings }: Resolution,
  section: string,
  isEsp: boolean,
  transformId: number,
): NumberRange | undefined => {
  const keyLength = readTag(reader, section, PHASE_2_TRANSFORM.keyLength);
  if (keyLength === undefined || (isEsp && !ONE_KEY_LENGTH.includes(transformId))) return keyLength;
  findings.push(warningAt(placeOf(section, 'KEY_LENGTH'), 'has no effect: its algorithm has one key length only'));
  return undefined;
};
const ONE_KEY_LENGTH: readonly number[] = [EspTransform.DES, EspTransform['3DES'], EspTransform.NULL];

/** What makes no IPsec SA, or one that anybody could tamper with. */
const checkTogether = (
  { reader, peer, legacyCrypto }: Resolution,
  section: string,
  protocolId: number,
  { transformId, authentication, keyLength }: Phase2Transform,
): void => {
  if (authenticatesItself(protocolId, transformId) && authentication !== undefined) {
    const reason = `${reader.get(section, 'TRANSFORM_ID')} authenticates by itself, leave this tag out`;
    throw refusedValue(reader, section, PHASE_2_TRANSFORM.authentication, reason);
  }
  if (keymatSizes(protocolId, transformId, keyLength?.offered, authentication) === undefined) {
    throw faultAt(placeOf(section), `makes no IPsec SA: ${whyTogether(protocolId, authentication, keyLength)}`);
  }
  if (isUnauthenticated(protocolId, transformId, authentication) && !legacyCrypto) {
    const fault = `is missing: ESP without authentication protects nothing; ${onRequest(peer)}`;
    throw faultAt(placeOf(section, 'AUTHENTICATION_ALGORITHM'), fault);
  }
};

const checkKernel = (
  { kernel, sha2Truncation96 }: Resolution,
  section: string,
  protocolId: number,
  transform: Phase2Transform,
): void => {
  const misfit = kernel && misfitOf(kernel, protocolId, transform, sha2Truncation96);
  if (misfit !== undefined) throw faultAt(placeOf(section), `cannot be used: ${misfit}`);
};

const whyTogether = (
  protocolId: number,
  authentication: number | undefined,
  keyLength: NumberRange | undefined,
): string => {
  if (protocolId === ProtocolId.IPSEC_AH) {
    return 'AH needs the AUTHENTICATION_ALGORITHM that goes with its TRANSFORM_ID, HMAC_SHA2_256 with SHA2_256';
  }
  if (authentication === undefined) return 'its cipher needs an AUTHENTICATION_ALGORITHM';
  return `its cipher takes no key of ${keyLength?.offered ?? 0} bits`;
};
