/** [General]: what exchanges need of it, and what the daemon itself goes by. */
import type { CredentialSettings } from '../credentials/credential-files.ts';
import { ConfigError } from '../errors.ts';
import type { LevelSetting } from '../log/verbosity.ts';
import { identityFromText, identityKey } from '../policy/identity.ts';
import type { GeneralPolicy, Suite } from '../policy/peer-policy.ts';
import { type Finding, findingOf, placeOf } from './finding.ts';
import { defaultSuites } from './generated.ts';
import type { KernelFit } from './kernel-fit.ts';
import { splitList } from './list-value.ts';
import { readTag } from './read-tag.ts';
import { type ConfigurationReader, RecordingReader } from './reader.ts';
import { refusedOr, SharedAnswers } from './resolution.ts';
import { resolveSuites } from './resolve-suites.ts';
import type { Tag } from './schema.ts';
import { weakSecretFindings } from './secret-strength.ts';
import { GENERAL, INITIATOR_ID, KEYNOTE, X509_CERTIFICATES } from './sections.ts';

/** [General]:Kernel */
export type KernelChoice = 'auto' | 'xfrm' | 'pfkey' | 'userland' | 'none';

export interface DaemonSettings {
  readonly checkIntervalSeconds: number;
  /** DPD-check-interval; 0: off. */
  readonly deadPeerSeconds: number;
  /** NAT-T-Keepalive. */
  readonly keepaliveSeconds: number;
  /** Policies are somebody else's. */
  readonly acquireOnly: boolean;
  /** Whether policies stay, and block, when the daemon ends. */
  readonly blockOnExit: boolean;
  /** Both ends of its SAs share one kernel. */
  readonly sharedSadb: boolean;
  readonly kernel: KernelChoice;
  /** Whether SAs are deleted when the daemon ends. */
  readonly deleteSas: boolean;
  /** Canonical addresses, and names of interfaces and hosts; undefined: all addresses of this host. */
  readonly listenOn: readonly string[] | undefined;
  /** In the order in which they take effect. */
  readonly logLevels: readonly LevelSetting[];
  readonly verbose: boolean;
  readonly renegotiateOnHup: boolean;
}

/** Where keys are, and what is asked of them. */
export interface CredentialPlaces {
  readonly privateKey: string;
  readonly privateKeyDirectory: string;
  readonly publicKeyDirectory: string;
  readonly authorityDirectory: string;
  readonly certificateDirectory: string;
  readonly revocationListDirectory: string;
  readonly keynoteDirectory: string;
  /** Undefined: no policy is asked. */
  readonly policyFile: string | undefined;
  readonly settings: CredentialSettings;
}

export interface ResolvedGeneral {
  /** What is not said on the command line. */
  readonly policy: Omit<GeneralPolicy, 'encapsulationPort'>;
  readonly daemon: DaemonSettings;
  readonly credentials: CredentialPlaces;
  readonly findings: readonly Finding[];
  /** The pieces of configuration that this hangs on, as dependencies.ts names them. */
  readonly pieces: ReadonlySet<string>;
}

/**
 * A value that cannot be is a finding, and the one of `instead` counts in its place. Without `instead` it throws a ConfigError that names tag, value and
 * what would be right. What `kernel` cannot do is left out of the suites.
 */
export const resolveGeneral = (
  from: ConfigurationReader,
  instead?: ResolvedGeneral,
  kernel?: KernelFit,
): ResolvedGeneral => {
  const reader = new RecordingReader(from);
  const findings: Finding[] = [];
  const readIn = <T>(section: string, row: Tag<T>, last: T | undefined): T => {
    const value = refusedOr(() => readTag(reader, section, row));
    if (!(value instanceof ConfigError)) return value;
    if (instead === undefined) throw value;
    findings.push(findingOf(value, placeOf(section, row.name)));
    return last ?? row.fallback;
  };
  const read = <T>(row: Tag<T>, last: T | undefined): T => readIn('General', row, last);
  const { policy, daemon, credentials } = instead ?? {};
  const places = credentialPlaces(readIn, credentials);
  const connectionlessSuites = places.policyFile === undefined ? [] : connectionlessSuitesOf(reader, findings, kernel);
  return {
    policy: {
      retransmits: read(GENERAL.retransmits, policy?.retransmits),
      exchangeMaxTimeSeconds: read(GENERAL.exchangeMaxTime, policy?.exchangeMaxTimeSeconds),
      fragmentSize: read(GENERAL.ikeFragmentSize, policy?.fragmentSize),
      connectionlessSuites,
      identitySecrets: identitySecretsOf(reader, from, findings),
    },
    daemon: {
      checkIntervalSeconds: read(GENERAL.checkInterval, daemon?.checkIntervalSeconds),
      deadPeerSeconds: read(GENERAL.dpdCheckInterval, daemon?.deadPeerSeconds),
      keepaliveSeconds: read(GENERAL.natTKeepalive, daemon?.keepaliveSeconds),
      acquireOnly: read(GENERAL.acquireOnly, daemon?.acquireOnly) ?? false,
      blockOnExit: read(GENERAL.blockOnExit, daemon?.blockOnExit),
      sharedSadb: read(GENERAL.sharedSadb, daemon?.sharedSadb) ?? false,
      kernel: read(GENERAL.kernel, daemon?.kernel),
      deleteSas: read(GENERAL.deleteSas, daemon?.deleteSas),
      listenOn: read(GENERAL.listenOn, daemon?.listenOn),
      logLevels: read(GENERAL.logLevel, daemon?.logLevels) ?? [],
      verbose: read(GENERAL.logVerbose, daemon?.verbose) ?? false,
      renegotiateOnHup: read(GENERAL.renegotiateOnHup, daemon?.renegotiateOnHup) ?? false,
    },
    credentials: places,
    findings,
    pieces: reader.pieces,
  };
};

type ReadRow = <T>(section: string, row: Tag<T>, last: T | undefined) => T;

const credentialPlaces = (readIn: ReadRow, last: CredentialPlaces | undefined): CredentialPlaces => {
  const read = <T>(row: Tag<T>, known: T | undefined): T => readIn('X509-certificates', row, known);
  return {
    privateKey: read(X509_CERTIFICATES.privateKey, last?.privateKey),
    privateKeyDirectory: read(X509_CERTIFICATES.privateKeyDirectory, last?.privateKeyDirectory),
    publicKeyDirectory: readIn('General', GENERAL.pubkeyDirectory, last?.publicKeyDirectory),
    authorityDirectory: read(X509_CERTIFICATES.caDirectory, last?.authorityDirectory),
    certificateDirectory: read(X509_CERTIFICATES.certDirectory, last?.certificateDirectory),
    revocationListDirectory: read(X509_CERTIFICATES.crlDirectory, last?.revocationListDirectory),
    keynoteDirectory: readIn('KeyNote', KEYNOTE.credentialDirectory, last?.keynoteDirectory),
    policyFile: policyFileOf(readIn, last),
    settings: {
      minimumRsaBits: read(X509_CERTIFICATES.minimumRsaBits, last?.settings.minimumRsaBits),
      acceptSelfSigned: read(X509_CERTIFICATES.acceptSelfSigned, last?.settings.acceptSelfSigned) ?? false,
      acceptSha1: read(X509_CERTIFICATES.acceptSha1, last?.settings.acceptSha1),
      acceptStaleLists: read(X509_CERTIFICATES.acceptExpiredCrl, last?.settings.acceptStaleLists),
      requireRevocationList: read(X509_CERTIFICATES.requireCrl, last?.settings.requireRevocationList),
      matchWildcards: read(X509_CERTIFICATES.matchWildcards, last?.settings.matchWildcards),
    },
  };
};

const policyFileOf = (readIn: ReadRow, last: CredentialPlaces | undefined): string | undefined => {
  const file = readIn('General', GENERAL.policyFile, last?.policyFile);
  const asked = last === undefined ? undefined : last.policyFile !== undefined;
  return readIn('General', GENERAL.useKeynote, asked) ? file : undefined;
};

/** What is odd about single suites is said of the peers that use them. */
const connectionlessSuitesOf = (
  reader: RecordingReader,
  findings: Finding[],
  kernel: KernelFit | undefined,
): readonly Suite[] => {
  const where = placeOf('General', 'Default-phase-2-suites');
  const names = splitList(defaultSuites((section, tag) => reader.get(section, tag)));
  const common = { reader, peer: 'ISAKMP-peer', legacyCrypto: false, sha2Truncation96: false, kernel };
  const resolution = { ...common, findings: [], shared: new SharedAnswers() };
  const suites = refusedOr(() => resolveSuites(resolution, where, names));
  if (!(suites instanceof ConfigError)) return suites;
  const isWritten = reader.written('General', 'Default-phase-2-suites') !== undefined;
  const consequence = 'peers get nothing without a connection section';
  if (isWritten) findings.push({ severity: 'warning', text: `${suites.message}; ${consequence}`, place: where });
  return [];
};

/** Asking for the sections covers a change of any of their secrets, so the values are read past the recording reader. */
const identitySecretsOf = (
  reader: ConfigurationReader,
  from: ConfigurationReader,
  findings: Finding[],
): ReadonlyMap<string, Uint8Array> => {
  const secrets = new Map<string, Uint8Array>();
  for (const section of reader.secretSections()) {
    const secret = refusedOr(() => readTag(from, section, INITIATOR_ID.authentication));
    if (secret instanceof ConfigError) {
      const place = placeOf(section, INITIATOR_ID.authentication.name);
      findings.push({ severity: 'error', text: `${secret.message}; nobody can use it`, place });
    } else if (secret !== undefined) {
      findings.push(...weakSecretFindings(section, INITIATOR_ID.authentication.name, secret));
      secrets.set(identityKey(identityFromText(section)), secret);
    }
  }
  return secrets;
};
