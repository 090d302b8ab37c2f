/** A daemon's credentials over a folder of the test's own, with a clock that the test moves. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { DaemonCredentials } from '../../src/main/credentials/daemon-credentials.ts';
import { listFiles, readSecretFile, readTrustedFile, stampFiles } from '../../src/main/privileged/secret-file.ts';
import type { CredentialPlaces } from '../../src/shared/config/resolve-general.ts';
import { DEFAULT_TRUST_SETTINGS } from '../../src/shared/x509/trust-store.ts';
import { testFolder } from './daemon-process.ts';
import { type VirtualTimers, virtualTimers } from './virtual-timers.ts';

export interface CredentialBed {
  readonly folder: string;
  readonly credentials: DaemonCredentials;
  /** Severity and text, paths without the folder. */
  readonly lines: string[];
  readonly timers: VirtualTimers;
  places: CredentialPlaces;
  changes: number;
  /** Milliseconds since 1970. */
  now: number;
  write(path: string, bytes: Uint8Array | string, mode: number): void;
}

export const bedOf = (t: TestContext): CredentialBed => {
  const folder = testFolder(t);
  const lines: string[] = [];
  const timers = virtualTimers();
  for (const directory of ['private', 'pubkeys', 'ca', 'certs', 'crls', 'keynote']) mkdirSync(join(folder, directory));
  const bed: CredentialBed = {
    folder,
    lines,
    timers,
    changes: 0,
    now: Date.now(),
    places: {
      privateKey: join(folder, 'private/local.key'),
      privateKeyDirectory: join(folder, 'private/'),
      publicKeyDirectory: join(folder, 'pubkeys/'),
      authorityDirectory: join(folder, 'ca/'),
      certificateDirectory: join(folder, 'certs/'),
      revocationListDirectory: join(folder, 'crls/'),
      policyFile: undefined,
      keynoteDirectory: join(folder, 'keynote/'),
      settings: DEFAULT_TRUST_SETTINGS,
    },
    credentials: new DaemonCredentials({
      privileged: {
        readSecretFile: async (path) => readSecretFile(path),
        readTrustedFile: async (path) => readTrustedFile(path),
        listFiles: async (path) => listFiles(path),
        stampFiles: async (paths) => stampFiles(paths),
      },
      places: () => bed.places,
      policy: () => undefined,
      log: ({ severity, text }) => void lines.push(`${severity} ${text.replaceAll(folder, '')}`),
      wallClock: () => bed.now,
      schedule: timers.schedule,
    }),
    write: (path, bytes, mode) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytes);
      chmodSync(join(folder, path), mode);
    },
  };
  bed.credentials.onChange(() => {
    bed.changes++;
  });
  return bed;
};
