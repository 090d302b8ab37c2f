/** What the commands of `isakmpd pki` read and write: places from the configuration, keys, certificates, requests. */
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseConfiguration } from '../../../shared/config/parse.ts';
import { type CredentialPlaces, resolveGeneral } from '../../../shared/config/resolve-general.ts';
import { ConfigurationStore } from '../../../shared/config/store.ts';
import { readPrivateKey } from '../../../shared/credentials/keys.ts';
import { InvariantError, SystemError } from '../../../shared/errors.ts';
import { identityOfOperator } from '../../../shared/pki/identity-name.ts';
import { PkiFault } from '../../../shared/pki/pki-fault.ts';
import type { Identity } from '../../../shared/policy/peer-policy.ts';
import { CertificateError } from '../../../shared/x509/certificate-error.ts';
import { derPieces } from '../../../shared/x509/pem.ts';
import { type NewFile, writeNewFiles } from '../../privileged/new-file.ts';
import { readSecretFile } from '../../privileged/secret-file.ts';
import { causeOf } from '../../privileged/system-fault.ts';
import { readConfigurationFile } from '../configuration-file.ts';
import type { PkiCommand } from './command-line.ts';

export interface Terminal {
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
}

/** Where the configuration has keys, certificates and CRLs. Throws PkiFault for a file that the daemon would not read, ConfigError for values that cannot be. */
export const placesOf = async (command: Pick<PkiCommand, 'text'>): Promise<CredentialPlaces> => {
  const named = command.text('config-file');
  const access = { readSecretFile: async (path: string) => readSecretFile(path) };
  const file = await readConfigurationFile(access, resolve(named ?? '/etc/isakmpd/isakmpd.conf'));
  if (file.kind === 'refused') throw new PkiFault(file.reason);
  if (file.kind === 'missing' && named !== undefined) throw new PkiFault(`--config-file: there is no file ${named}`);
  const store = new ConfigurationStore();
  if (file.kind === 'text') store.load(parseConfiguration(file.text).entries);
  return resolveGeneral(store).credentials;
};

/** A file, and for the line that tells of it what it is. */
interface Product extends NewFile {
  readonly what: string;
}

/** Writes the files and tells of each. Throws PkiFault. */
export const produce = (
  products: readonly Product[],
  { isForced }: Pick<PkiCommand, 'isForced'>,
  terminal: Terminal,
): void => {
  try {
    writeNewFiles(products, isForced);
  } catch (fault) {
    if (!(fault instanceof SystemError)) throw fault;
    throw new PkiFault(fault.code === 'EEXIST' ? `${fault.message}: --force would write over it` : fault.message);
  }
  for (const { path, what } of products) terminal.print(`${path}: ${what}\n`);
};

/** Throws PkiFault. */
export const readFile = (path: string): Uint8Array => {
  try {
    return readFileSync(path);
  } catch (fault) {
    throw new PkiFault(`cannot read ${path}: ${causeOf(fault)}`);
  }
};

/** What the certificate is for. */
export const identitiesOf = (command: PkiCommand): readonly [Identity, ...Identity[]] => {
  const [first, ...others] = command.texts('identity').map(identityOfOperator);
  if (first === undefined) throw new InvariantError('the command line let a missing identity through');
  return [first, ...others];
};

/** A private key by the rules of the daemon, permissions included; `cure` is for one that is not there. Throws PkiFault. */
export const readKey = (path: string, minimumRsaBits: number, cure: string): KeyObject => {
  const file = readSecretFile(path);
  if (file.kind === 'missing') throw new PkiFault(`there is no private key ${path}: ${cure}`);
  if (file.kind === 'refused') throw new PkiFault(file.reason);
  const read = readPrivateKey(file.bytes, minimumRsaBits);
  file.bytes.fill(0);
  if (read.kind === 'unfit') throw new PkiFault(`${path} cannot be used: ${read.reason}`);
  return read.key;
};

/** The one thing of its kind in a file, PEM or DER; CertificateErrors of `parse` name the file. Throws PkiFault. */
export const readOne = <T>(path: string, labels: readonly string[], parse: (der: Uint8Array) => T): T => {
  const bytes = readFile(path);
  try {
    const [der = new Uint8Array(), ...more] = derPieces(bytes, labels);
    if (more.length > 0) throw new CertificateError(`${more.length + 1} of ${labels[0]} in one file, one is wanted`);
    return parse(der);
  } catch (fault) {
    if (!(fault instanceof CertificateError)) throw fault;
    throw new PkiFault(`${path} cannot be used: ${fault.message}`);
  }
};

/** PEM of something in DER. */
export const pem = (label: string, der: Uint8Array): string => {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
};
