/** Peer sections with everything that hangs on them: what an exchange needs to know of one peer, as plain data. */
import { addressFamily } from '../address.ts';
import { ExchangeType } from '../constants/isakmp.ts';
import { AuthenticationMethod } from '../constants/oakley.ts';
import { cipherSpec } from '../crypto/cipher.ts';
import { ConfigError } from '../errors.ts';
import type { ConnectionPolicy, Identity, PeerPolicy, Phase1Transform } from '../policy/peer-policy.ts';
import { fold } from './case-fold.ts';
import { type Finding, faultAt, findingOf, placeOf, warningAt } from './finding.ts';
import type { KernelFit } from './kernel-fit.ts';
import { readFlags, readPort, readTag, refusedValue, refuseNotYet, requireTag } from './read-tag.ts';
import { type ConfigurationReader, RecordingReader } from './reader.ts';
import { type Resolution, refusedOr, SharedAnswers } from './resolution.ts';
import { readLocalAddress, readPeerAddress } from './resolve-address.ts';
import { bySpecificity, resolveConnection, warnOfEqualSelectors } from './resolve-connection.ts';
import { resolvePhase1Identity } from './resolve-identity.ts';
import { type Phase1Configuration, resolvePhase1Configuration } from './resolve-phase1.ts';
import { weakSecretFindings } from './secret-strength.ts';
import { PEER_FLAGS } from './section-flags.ts';
import { GENERAL, PEER } from './sections.ts';
import { weaknessWarning } from './strength.ts';

export interface ResolvedPeer {
  readonly policy: PeerPolicy;
  readonly findings: readonly Finding[];
  /** The pieces of configuration that this hangs on, as dependencies.ts names them. */
  readonly pieces: ReadonlySet<string>;
}

/** Why a peer cannot be used; with the pieces whose change may mend it. */
export interface RefusedPeer {
  readonly error: ConfigError;
  /** What was odd as far as it was read. */
  readonly findings: readonly Finding[];
  readonly pieces: ReadonlySet<string>;
}

/**
 * The policy of a peer section. Its connections are those that [Phase 2] lists and those in `connected` (folded names: what FIFO `c`
 * named). Throws a ConfigError that names section, tag, value and what would be right.
 */
export const resolvePeer = (
  reader: ConfigurationReader,
  name: string,
  connected: ReadonlySet<string> = NONE,
): ResolvedPeer => {
  const outcome = attemptPeer(reader, name, connected);
  if ('error' in outcome) throw outcome.error;
  return outcome;
};
const NONE: ReadonlySet<string> = new Set();

/** The same with the refusal as a value; what `kernel` cannot do is left out. `shared` must be cleared whenever a piece of configuration has changed. */
export const attemptPeer = (
  reader: ConfigurationReader,
  name: string,
  connected: ReadonlySet<string>,
  shared: SharedAnswers = new SharedAnswers(),
  kernel?: KernelFit,
): ResolvedPeer | RefusedPeer => {
  const recording = new RecordingReader(reader);
  const findings: Finding[] = [];
  const policy = refusedOr(() => policyOf({ reader: recording, findings, shared, kernel }, name, connected));
  return policy instanceof ConfigError
    ? { error: policy, findings, pieces: recording.pieces }
    : { policy, findings, pieces: recording.pieces };
};

/** Whether phase 1 with this peer may need ciphers that OpenSSL has under --openssl-legacy-provider only. */
export const needsLegacyProvider = ({ transforms }: PeerPolicy): boolean =>
  transforms.some(
    ({ encryption, keyLength }) =>
      encryption !== 'ANY' && cipherSpec(encryption, keyLength?.offered)?.legacyProvider === true,
  );

const policyOf = (
  common: Pick<Resolution, 'reader' | 'findings' | 'shared' | 'kernel'>,
  section: string,
  connected: ReadonlySet<string>,
): PeerPolicy => {
  const { reader, findings } = common;
  if (requireTag(reader, section, PEER.phase) !== 1) {
    throw refusedValue(reader, section, PEER.phase, 'a peer section has Phase=1');
  }
  refuseNotYet(reader, section, PEER);
  const name = reader.nameOf(section);
  const legacyCrypto = readTag(reader, section, PEER.legacyCrypto);
  const flags = readFlags(reader, section, PEER.flags, PEER_FLAGS, findings);
  const sha2Truncation96 = flags.has('sha2-96');
  const resolution = { ...common, peer: name, legacyCrypto, sha2Truncation96 };
  const phase1 = resolvePhase1Configuration(resolution, readTag(reader, section, PEER.configuration));
  const policy: PeerPolicy = {
    name,
    ...addressesOf(reader, section, findings),
    exchangeType: phase1.exchangeType,
    configuration: phase1.configuration,
    ...authenticationOf(reader, section, phase1, findings),
    ...identitiesOf(reader, section, findings),
    checkSuites: readTag(reader, section, PEER.checkSuites),
    legacyCrypto,
    unique: readTag(reader, section, PEER.unique),
    deleteChildren: flags.has('delete-children'),
    forceEncapsulation: flags.has('force-encap'),
    sha2Truncation96,
    fragmentation: !flags.has('no-fragmentation'),
    connections: connectionsOf(resolution, section, connected),
  };
  if (!policy.checkSuites) {
    findings.push(warningAt(placeOf(name, 'Check-suites'), 'is no: the peer may choose any algorithm that we have'));
  }
  const weakness = weaknessWarning(policy);
  if (weakness !== undefined) findings.push(warningAt(placeOf(name), weakness));
  return policy;
};

const addressesOf = (
  reader: ConfigurationReader,
  section: string,
  findings: Finding[],
): Pick<PeerPolicy, 'address' | 'localAddress' | 'port'> => {
  const ours = addressFamily(readTag(reader, section, PEER.localAddress) ?? '');
  const address = readPeerAddress(reader, section, PEER.address, ours, findings);
  const family = address === undefined ? undefined : addressFamily(address);
  const localAddress = readLocalAddress(reader, section, PEER.localAddress, family);
  if (address !== undefined && localAddress !== undefined && addressFamily(address) !== addressFamily(localAddress)) {
    throw refusedValue(reader, section, PEER.localAddress, 'Address and Local-address are both IPv4 or both IPv6');
  }
  if (fold(readTag(reader, section, PEER.transport)) !== 'udp') {
    throw refusedValue(reader, section, PEER.transport, 'it is udp');
  }
  const port = readPort(reader, section, PEER.port);
  if (port === 0) throw refusedValue(reader, section, PEER.port, 'it is a port number from 1 to 65535');
  return { address, localAddress, port };
};

/**
 * The pre-shared key, and the transforms that can be used with or without one. Only aggressive mode tells the identity in time to look for a secret in the
 * section named after it. The generated list has transforms for pre-shared keys and for signatures: which are meant says whether there is a key.
 */
const authenticationOf = (
  reader: ConfigurationReader,
  section: string,
  { exchangeType, configuration, transforms }: Phase1Configuration,
  findings: Finding[],
): Pick<PeerPolicy, 'preSharedKey' | 'transforms'> => {
  const preSharedKey = readTag(reader, section, PEER.authentication);
  if (preSharedKey !== undefined) findings.push(...weakSecretFindings(section, PEER.authentication.name, preSharedKey));
  const isAggressive = exchangeType === ExchangeType.AGGRESSIVE;
  const isGenerated = reader.written(configuration, 'Transforms') === undefined;
  const [forSecrets, forSignatures] = [transforms.filter(wantsSecret), transforms.filter((one) => !wantsSecret(one))];
  if (preSharedKey !== undefined || (isAggressive && reader.secretSections().length > 0)) {
    const used = isGenerated && forSecrets.length > 0 ? forSecrets : transforms;
    if (isAggressive && used.some((one) => wantsSecret(one) || one.authentication === 'ANY')) {
      const risk = 'whoever asks gets what it takes to guess the pre-shared key, take ID_PROT if the peer can';
      findings.push(warningAt(placeOf(section), `uses aggressive mode: ${risk}`));
    }
    return { preSharedKey, transforms: used };
  }
  const elsewhere = isAggressive ? ', nor is there a section named after an identity that has one' : '';
  const place = placeOf(section, PEER.authentication.name);
  if (forSignatures.length === 0) throw faultAt(place, `is missing: it is the pre-shared key${elsewhere}`);
  if (!isGenerated && forSecrets.length > 0) {
    const left = forSecrets.map(({ name }) => name).join(', ');
    findings.push(warningAt(place, `is missing${elsewhere}: without a pre-shared key ${left} cannot be used`));
  }
  return { preSharedKey, transforms: forSecrets.length === 0 ? transforms : forSignatures };
};

const wantsSecret = ({ authentication }: Phase1Transform): boolean =>
  authentication === AuthenticationMethod.PRE_SHARED;

const identitiesOf = (
  reader: ConfigurationReader,
  section: string,
  findings: Finding[],
): Pick<PeerPolicy, 'localId' | 'remoteId'> => {
  const identity = (name: string | undefined): Identity | undefined =>
    name === undefined ? undefined : resolvePhase1Identity(reader, name, findings);
  return {
    localId: identity(readTag(reader, section, PEER.id) ?? readTag(reader, 'General', GENERAL.defaultPhase1Id)),
    remoteId: identity(readTag(reader, section, PEER.remoteId)),
  };
};

const notUsed = (connection: string, fault: ConfigError): Finding => {
  const finding = findingOf(fault, placeOf(connection));
  return { ...finding, text: `connection ${connection} is not used: ${finding.text}` };
};

/** A connection that cannot be used is left out: the peer's others go on. */
const connectionsOf = (
  resolution: Resolution,
  section: string,
  connected: ReadonlySet<string>,
): readonly ConnectionPolicy[] => {
  const { reader, findings } = resolution;
  const connections: ConnectionPolicy[] = [];
  for (const name of reader.connectionsOf(section)) {
    if (!reader.isListed(name) && !connected.has(fold(name))) continue;
    const connection = refusedOr(() => resolveConnection(resolution, name));
    if (connection instanceof ConfigError) findings.push(notUsed(name, connection));
    else connections.push(connection);
  }
  const sorted = bySpecificity(connections);
  warnOfEqualSelectors(sorted, findings);
  return sorted;
};
