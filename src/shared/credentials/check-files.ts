/** What is wrong with files of keys and of KeyNote credentials, for the operator: said once when they are read, not by every lane. */
import type { Steps } from '../steps.ts';
import type { CredentialFiles } from './credential-files.ts';
import { identityOfPublicKey } from './identity-key.ts';
import { ownKeynoteKey } from './keynote-credentials.ts';
import { type KeyOrFault, readPrivateKey, readPublicKey } from './keys.ts';

/** One sentence each for the keys and credentials that cannot be used, naming the file. */
export function* keyProblemsInSteps({
  privateKeys,
  publicKeys,
  keynoteCredentials,
  settings,
}: CredentialFiles): Steps<readonly string[]> {
  const problems: string[] = [];
  const judge = (file: string, read: KeyOrFault): void => {
    if (read.kind === 'unfit') problems.push(`${file} is not used: ${read.reason}`);
  };
  for (const { file, bytes } of privateKeys) {
    judge(file, readPrivateKey(bytes, settings.minimumRsaBits));
    yield;
  }
  for (const { file, kind, name, bytes } of publicKeys) {
    if (identityOfPublicKey(kind, name) === undefined) {
      problems.push(`${file} is not used: files in ${kind}/ are named after ${NAMED_AFTER[kind]}`);
    } else judge(file, readPublicKey(bytes, settings.minimumRsaBits));
    yield;
  }
  for (const own of keynoteCredentials) {
    judge(own.directory, ownKeynoteKey(own, settings.minimumRsaBits));
    yield;
  }
  return problems;
}

const NAMED_AFTER: Readonly<Record<CredentialFiles['publicKeys'][number]['kind'], string>> = {
  ipv4: 'IPv4 addresses',
  ipv6: 'IPv6 addresses',
  fqdn: 'domain names',
  ufqdn: 'user@domain',
  asn1_dn: 'distinguished names, as CN=gate,O=Company,C=SE',
  keyid: 'key ids: text, or 0x and hex digits',
};
