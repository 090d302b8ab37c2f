/** `isakmpd --check`: reads the configuration file and the credentials as the daemon would, and prints what it would have to say. */
import { readFileSync } from 'node:fs';
import { type CheckedFile, checkFile } from '../../shared/config/check-file.ts';
import type { Problem } from '../../shared/config/parse.ts';
import type { CredentialPlaces } from '../../shared/config/resolve-general.ts';
import { certificateFindingsInSteps, expiryRecord } from '../../shared/credentials/check-certificates.ts';
import { keyProblemsInSteps } from '../../shared/credentials/check-files.ts';
import { unsignedPeers } from '../../shared/credentials/check-peers.ts';
import { createCredentials } from '../../shared/credentials/credentials.ts';
import { SystemError } from '../../shared/errors.ts';
import { printable } from '../../shared/log/printable.ts';
import type { PeerPolicy } from '../../shared/policy/peer-policy.ts';
import { atOnce } from '../../shared/steps.ts';
import { readCredentials } from '../credentials/credential-reader.ts';
import { readPolicy } from '../credentials/policy-file.ts';
import { learnSystemNames } from '../network/system-names.ts';
import { listFiles, readSecretFile, readTrustedFile } from '../privileged/secret-file.ts';
import { codeOf } from '../privileged/system-fault.ts';
import { readConfigurationFile } from './configuration-file.ts';

/** Answers the exit status: 0 nothing is wrong, 1 something is in error, 2 there are warnings only. `asksPolicy`: without -K. */
export const checkConfiguration = async (
  path: string,
  output: { readonly write: (text: string) => unknown },
  asksPolicy = false,
): Promise<number> => {
  const { problems: ofText, hosts, credentials, peers } = await check(path);
  const ofPolicy = asksPolicy ? await policyProblems(credentials) : [];
  const problems = [...ofText, ...(await credentialProblems(credentials, peers)), ...ofPolicy];
  output.write([...problems.map((problem) => lineOf(path, problem)), ...hostLines(path, hosts)].join(''));
  if (problems.some(({ severity }) => severity === 'error')) return 1;
  return problems.length > 0 ? 2 : 0;
};

/** A file that the daemon would not read for its permissions is checked all the same, where we can read it. */
const check = async (path: string): Promise<CheckedFile> => {
  const privileged = { readSecretFile: (name: string) => Promise.resolve(readSecretFile(name)) };
  const file = await readConfigurationFile(privileged, path);
  if (file.kind === 'text') return checkFile(file.text, learnSystemNames);
  const known = checkFile(file.kind === 'missing' ? '' : textOf(path), learnSystemNames);
  if (file.kind === 'missing') return { ...known, problems: [error('there is no such file')] };
  return { ...known, problems: [error(file.reason), ...known.problems] };
};

/** What the daemon would say of keys, certificates and CRLs at load, and which peers want keys that are not there. */
const credentialProblems = async (
  places: CredentialPlaces,
  peers: readonly PeerPolicy[],
): Promise<readonly Problem[]> => {
  const access = {
    readSecretFile: async (name: string) => readSecretFile(name),
    readTrustedFile: async (name: string) => readTrustedFile(name),
    listFiles: async (name: string) => listFiles(name),
  };
  const { files, problems } = await readCredentials(access, places);
  const findings = atOnce(certificateFindingsInSteps(files, Date.now()));
  const expiries = findings.items.flatMap((item) => expiryRecord(item, Date.now()) ?? []);
  const unfit = atOnce(keyProblemsInSteps(files));
  // Last, since it erases private keys.
  const unsigned = unsignedPeers(peers, createCredentials(files), files);
  return [
    ...[...problems, ...unfit, ...findings.problems].map(error),
    ...[...findings.oddities, ...unsigned].map(warning),
    ...expiries.map(({ severity, text }) =>
      (severity === 'error' ? error : warning)(text.replace(/^credentials: /, '')),
    ),
  ];
};

const policyProblems = async ({ policyFile }: CredentialPlaces): Promise<readonly Problem[]> => {
  if (policyFile === undefined) return [];
  try {
    const { faults } = await readPolicy({ readSecretFile: async (name) => readSecretFile(name) }, policyFile);
    return faults.map(error);
  } catch (fault) {
    if (!(fault instanceof SystemError)) throw fault;
    return [error(fault.message)];
  }
};

const warning = (text: string): Problem => ({ line: 0, severity: 'warning', text });
const error = (text: string): Problem => ({ line: 0, severity: 'error', text });

const textOf = (path: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (fault) {
    if (fault instanceof TypeError || codeOf(fault) !== undefined) return '';
    throw fault;
  }
};

const lineOf = (path: string, { line, severity, text }: Problem): string =>
  `${printable(`${path}${line === 0 ? '' : `:${line}`}: ${severity}: ${text}`)}\n`;

/** A check neither waits for name servers nor tells them what is configured. It says so, which is no fault of the file. */
const hostLines = (path: string, hosts: readonly string[]): readonly string[] => {
  if (hosts.length === 0) return [];
  const more = hosts.length > MOST_HOSTS ? ` and ${hosts.length - MOST_HOSTS} more` : '';
  return [
    `${printable(`${path}: note: names of hosts are not looked up here: ${hosts.slice(0, MOST_HOSTS).join(', ')}${more}`)}\n`,
  ];
};

const MOST_HOSTS = 10;
