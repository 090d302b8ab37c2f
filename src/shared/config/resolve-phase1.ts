/** ISAKMP configuration and transform sections: what we offer and accept in phase 1. */
import { Doi, ExchangeType } from '../constants/isakmp.ts';
import { AuthenticationMethod, EncryptionAlgorithm } from '../constants/oakley.ts';
import { cipherSpec } from '../crypto/cipher.ts';
import { groupSpec } from '../crypto/dh.ts';
import { hashSize } from '../crypto/prf.ts';
import { isSignatureMethod } from '../crypto/signature.ts';
import type { NumberRange, Phase1Transform } from '../policy/peer-policy.ts';
import { placeOf, warningAt } from './finding.ts';
import { readTag, refusedValue, refuseNotYet, requireTag } from './read-tag.ts';
import { type Resolution, usable } from './resolution.ts';
import { resolveLifetimes } from './resolve-lifetimes.ts';
import { ISAKMP_CONFIGURATION, PHASE_1_TRANSFORM } from './sections.ts';
import { admit, ENCRYPTION_STRENGTHS, GROUP_STRENGTHS, HASH_STRENGTHS, NEVER } from './strength.ts';

export interface Phase1Configuration {
  /** ExchangeType ID_PROT or AGGRESSIVE. */
  readonly exchangeType: number;
  /** Its section. */
  readonly configuration: string;
  readonly transforms: readonly Phase1Transform[];
}

export const resolvePhase1Configuration = (resolution: Resolution, section: string): Phase1Configuration =>
  resolution.shared.phase1.of(section, resolution, (inner) => resolveConfiguration(inner, section));

const resolveConfiguration = (resolution: Resolution, section: string): Phase1Configuration => {
  const { reader, findings } = resolution;
  if (readTag(reader, section, ISAKMP_CONFIGURATION.doi) !== Doi.IPSEC) {
    throw refusedValue(reader, section, ISAKMP_CONFIGURATION.doi, 'only IPSEC is supported');
  }
  const exchangeType = requireTag(reader, section, ISAKMP_CONFIGURATION.exchangeType);
  if (exchangeType !== ExchangeType.ID_PROT && exchangeType !== ExchangeType.AGGRESSIVE) {
    throw refusedValue(reader, section, ISAKMP_CONFIGURATION.exchangeType, 'phase 1 is ID_PROT or AGGRESSIVE');
  }
  const names = requireTag(reader, section, ISAKMP_CONFIGURATION.transforms);
  const transforms = usable(placeOf(section, 'Transforms'), names, findings, (name) =>
    resolveTransform(resolution, name),
  );
  return { exchangeType, configuration: reader.nameOf(section), transforms };
};

const resolveTransform = (resolution: Resolution, section: string): Phase1Transform => {
  const { reader } = resolution;
  const encryption = requireTag(reader, section, PHASE_1_TRANSFORM.encryption);
  refuseNotYet(reader, section, PHASE_1_TRANSFORM);
  const authentication = authenticationOf(resolution, section);
  if (encryption !== 'ANY') {
    admit(resolution, section, PHASE_1_TRANSFORM.encryption, encryption, ENCRYPTION_STRENGTHS);
  }
  return {
    name: reader.nameOf(section),
    encryption,
    keyLength: keyLengthOf(resolution, section, encryption),
    hash: hashOf(resolution, section),
    authentication,
    group: groupOf(resolution, section),
    lifetimes: resolveLifetimes(reader, section, PHASE_1_TRANSFORM.life),
  };
};

const authenticationOf = ({ reader }: Resolution, section: string): number | 'ANY' => {
  const row = PHASE_1_TRANSFORM.authentication;
  const method = requireTag(reader, section, row);
  if (method === 'ANY' || method === AuthenticationMethod.PRE_SHARED || isSignatureMethod(method)) return method;
  const isVague = method === AuthenticationMethod.ECDSA_SIG;
  throw refusedValue(reader, section, row, isVague ? 'it is ECDSA_256, ECDSA_384 or ECDSA_521 (RFC 4754)' : NEVER);
};

const hashOf = (resolution: Resolution, section: string): number | 'ANY' => {
  const row = PHASE_1_TRANSFORM.hash;
  const hash = requireTag(resolution.reader, section, row);
  if (hash === 'ANY') return hash;
  admit(resolution, section, row, hash, HASH_STRENGTHS);
  if (hashSize(hash) === undefined) throw refusedValue(resolution.reader, section, row, NOT_THERE);
  return hash;
};

const groupOf = (resolution: Resolution, section: string): number | 'ANY' => {
  const row = PHASE_1_TRANSFORM.group;
  const group = requireTag(resolution.reader, section, row);
  if (group === 'ANY') return group;
  admit(resolution, section, row, group, GROUP_STRENGTHS);
  if (groupSpec(group) === undefined) throw refusedValue(resolution.reader, section, row, NOT_THERE);
  return group;
};

const keyLengthOf = (
  { reader, findings }: Resolution,
  section: string,
  encryption: number | 'ANY',
): NumberRange | undefined => {
  const row = PHASE_1_TRANSFORM.keyLength;
  const keyLength = readTag(reader, section, row);
  if (encryption === 'ANY' || keyLength === undefined) return keyLength;
  if (encryption === EncryptionAlgorithm.DES_CBC || encryption === EncryptionAlgorithm['3DES_CBC']) {
    findings.push(warningAt(placeOf(section, row.name), 'has no effect: its cipher has one key length only'));
    return undefined;
  }
  if (cipherSpec(encryption, keyLength.offered) !== undefined) return keyLength;
  throw refusedValue(reader, section, row, `its cipher takes no key of ${keyLength.offered} bits`);
};

const NOT_THERE = 'it is not there in this build of OpenSSL';
