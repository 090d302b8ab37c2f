/** [General]: what exchanges need of it, and what the daemon itself goes by. */
import { ConfigError } from '../errors.ts';
import type { LevelSetting } from '../log/verbosity.ts';
import { identityFromText, identityKey } from '../policy/identity.ts';
import type { GeneralPolicy } from '../policy/peer-policy.ts';
import { type Finding, placeOf } from './finding.ts';
import { readTag } from './read-tag.ts';
import { type ConfigurationReader, RecordingReader } from './reader.ts';
import { refusedOr } from './resolution.ts';
import { GENERAL, INITIATOR_ID } from './sections.ts';

export interface DaemonSettings {
  readonly checkIntervalSeconds: number;
  /** Whether SAs are deleted when the daemon ends. */
  readonly deleteSas: boolean;
  /** Canonical addresses, and names of interfaces and hosts; undefined: all addresses of this host. */
  readonly listenOn: readonly string[] | undefined;
  /** In the order in which they take effect. */
  readonly logLevels: readonly LevelSetting[];
  readonly verbose: boolean;
  readonly renegotiateOnHup: boolean;
}

export interface ResolvedGeneral {
  readonly policy: GeneralPolicy;
  readonly daemon: DaemonSettings;
  readonly findings: readonly Finding[];
  /** The pieces of configuration that this hangs on, as dependencies.ts names them. */
  readonly pieces: ReadonlySet<string>;
}

/** Throws a ConfigError that names tag, value and what would be right; the caller keeps what it had. */
export const resolveGeneral = (from: ConfigurationReader): ResolvedGeneral => {
  const reader = new RecordingReader(from);
  const findings: Finding[] = [];
  return {
    policy: {
      retransmits: readTag(reader, 'General', GENERAL.retransmits),
      exchangeMaxTimeSeconds: readTag(reader, 'General', GENERAL.exchangeMaxTime),
      identitySecrets: identitySecretsOf(reader, from, findings),
    },
    daemon: {
      checkIntervalSeconds: readTag(reader, 'General', GENERAL.checkInterval),
      deleteSas: readTag(reader, 'General', GENERAL.deleteSas),
      listenOn: readTag(reader, 'General', GENERAL.listenOn),
      logLevels: readTag(reader, 'General', GENERAL.logLevel) ?? [],
      verbose: readTag(reader, 'General', GENERAL.logVerbose) ?? false,
      renegotiateOnHup: readTag(reader, 'General', GENERAL.renegotiateOnHup) ?? false,
    },
    findings,
    pieces: reader.pieces,
  };
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
    } else if (secret !== undefined) secrets.set(identityKey(identityFromText(section)), secret);
  }
  return secrets;
};
