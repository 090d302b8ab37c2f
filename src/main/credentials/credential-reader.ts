/** Reads the files of keys, certificates and CRLs that the configuration names. What cannot be read is said, and left out. */
import { basename, dirname, join, relative, sep } from 'node:path';
import type { CredentialPlaces } from '../../shared/config/resolve-general.ts';
import { GENERAL, KEYNOTE, X509_CERTIFICATES } from '../../shared/config/sections.ts';
import {
  type CredentialFile,
  type CredentialFiles,
  type KeynoteCredentialFile,
  NO_CREDENTIALS,
  type PrivateKeyFile,
  type PublicKeyFile,
} from '../../shared/credentials/credential-files.ts';
import { PUBLIC_KEY_KINDS } from '../../shared/credentials/identity-key.ts';
import type { Privileged } from '../privileged/privileged.ts';

export type CredentialAccess = Pick<Privileged, 'readSecretFile' | 'readTrustedFile' | 'listFiles'>;

export interface ReadCredentials {
  readonly files: CredentialFiles;
  /** One sentence each. */
  readonly problems: readonly string[];
}

/** Files and directories that are not there are no problem, unless the configuration names them. */
export const readCredentials = async (from: CredentialAccess, places: CredentialPlaces): Promise<ReadCredentials> => {
  const problems: string[] = [];
  const privateKeys = await readPrivateKeys(from, places, problems);
  const publicKeys = await readPublicKeys(from, places, problems);
  const directory = (path: string, { name, fallback }: (typeof X509_CERTIFICATES)['caDirectory']) =>
    readDirectory(from, path, fallback, name, problems);
  return {
    files: {
      ...NO_CREDENTIALS,
      privateKeys,
      publicKeys,
      authorities: await directory(places.authorityDirectory, X509_CERTIFICATES.caDirectory),
      certificates: await directory(places.certificateDirectory, X509_CERTIFICATES.certDirectory),
      revocationLists: await directory(places.revocationListDirectory, X509_CERTIFICATES.crlDirectory),
      keynoteCredentials: await readKeynoteCredentials(from, places, problems),
      settings: places.settings,
    },
    problems,
  };
};

const readPrivateKeys = async (
  from: CredentialAccess,
  { privateKey, privateKeyDirectory }: CredentialPlaces,
  problems: string[],
): Promise<readonly PrivateKeyFile[]> => {
  const keys: PrivateKeyFile[] = [];
  const read = async (file: string, identity: string): Promise<void> => {
    const found = await from.readSecretFile(file);
    if (found.kind === 'bytes') keys.push({ identity, file, bytes: found.bytes });
    else if (found.kind === 'refused') problems.push(found.reason);
    else if (file !== X509_CERTIFICATES.privateKey.fallback) problems.push(missing(file, 'Private-key'));
  };
  await read(privateKey, '');
  const { fallback } = X509_CERTIFICATES.privateKeyDirectory;
  const listed = await list(from, privateKeyDirectory, fallback, 'Private-key-directory', problems);
  for (const file of listed) {
    // Private-key lies there as well, and directories stand for no identity.
    if (file === privateKey || dirname(file) !== join(privateKeyDirectory, '.')) continue;
    // isakmpd(8) has certificate requests made there.
    if (file.endsWith('.csr')) continue;
    await read(file, basename(file));
  }
  return keys;
};

const readPublicKeys = async (
  from: CredentialAccess,
  { publicKeyDirectory }: CredentialPlaces,
  problems: string[],
): Promise<readonly PublicKeyFile[]> => {
  const keys: PublicKeyFile[] = [];
  const { fallback } = GENERAL.pubkeyDirectory;
  for (const file of await list(from, publicKeyDirectory, fallback, 'Pubkey-directory', problems)) {
    const [directory, ...rest] = relative(publicKeyDirectory, file).split(sep);
    const kind = PUBLIC_KEY_KINDS.find((known) => known === directory);
    if (kind === undefined) {
      problems.push(`${file} is not used: Pubkey-directory has the directories ${PUBLIC_KEY_KINDS.join(', ')}`);
      continue;
    }
    const found = await from.readTrustedFile(file);
    if (found.kind === 'refused') problems.push(found.reason);
    if (found.kind !== 'bytes') continue;
    // A name like /C=SE/CN=gate lies in directories of its own.
    const name = rest.length > 1 ? `/${rest.join('/')}` : (rest[0] ?? '');
    keys.push({ kind, name, file, bytes: found.bytes });
  }
  return keys;
};

/** Certificates or CRLs. */
const readDirectory = async (
  from: CredentialAccess,
  directory: string,
  fallback: string | undefined,
  tag: string,
  problems: string[],
): Promise<readonly CredentialFile[]> => {
  const files: CredentialFile[] = [];
  for (const file of await list(from, directory, fallback, tag, problems)) {
    const found = await from.readTrustedFile(file);
    if (found.kind === 'bytes') files.push({ file, bytes: found.bytes });
    else if (found.kind === 'refused') problems.push(found.reason);
  }
  return files;
};

const readKeynoteCredentials = async (
  from: CredentialAccess,
  { keynoteDirectory }: CredentialPlaces,
  problems: string[],
): Promise<readonly KeynoteCredentialFile[]> => {
  const { fallback } = KEYNOTE.credentialDirectory;
  const listed = await list(from, keynoteDirectory, fallback, 'Credential-directory', problems);
  const isPart = (file: string): boolean =>
    KEYNOTE_FILES.includes(basename(file)) && dirname(dirname(file)) === join(keynoteDirectory, '.');
  for (const file of listed.filter((found) => !isPart(found))) {
    problems.push(
      `${file} is not used: Credential-directory has a directory for each identity, and that the files credentials and private_key`,
    );
  }
  const found: KeynoteCredentialFile[] = [];
  for (const directory of new Set(listed.filter(isPart).map(dirname))) {
    const credentials = await from.readTrustedFile(join(directory, 'credentials'));
    const privateKey = await from.readSecretFile(join(directory, 'private_key'));
    for (const [file, part] of [
      ['credentials', credentials],
      ['private_key', privateKey],
    ] as const) {
      if (part.kind === 'refused') problems.push(part.reason);
      if (part.kind === 'missing') problems.push(`${directory} is not used: the file ${file} is not there`);
    }
    if (credentials.kind !== 'bytes' || privateKey.kind !== 'bytes') continue;
    const identity = basename(directory);
    found.push({ identity, directory, credentials: credentials.bytes, privateKey: privateKey.bytes });
  }
  return found;
};

const KEYNOTE_FILES: readonly string[] = ['credentials', 'private_key'];

const list = async (
  from: CredentialAccess,
  directory: string,
  fallback: string | undefined,
  tag: string,
  problems: string[],
): Promise<readonly string[]> => {
  const found = await from.listFiles(directory);
  if (found.kind === 'files') return found.files;
  if (found.kind === 'refused') problems.push(found.reason);
  else if (directory !== fallback) problems.push(missing(directory, tag));
  return [];
};

const missing = (path: string, tag: string): string => `${path} is not there, which ${tag} names`;
