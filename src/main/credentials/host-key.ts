/** The key of this host: where its files are, and how it comes to be at the first start, as rc(8) of OpenBSD makes it. */
import { dirname, join, resolve } from 'node:path';
import type { CredentialPlaces } from '../../shared/config/resolve-general.ts';
import { X509_CERTIFICATES } from '../../shared/config/sections.ts';
import { SystemError } from '../../shared/errors.ts';
import { notice } from '../../shared/log/records.ts';
import { HOST_KEY, type KeyPair, type KeyWish, makeKeyPair, wishText } from '../../shared/pki/key-pair.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';
import type { Privileged } from '../privileged/privileged.ts';

type KeyPlaces = Pick<CredentialPlaces, 'privateKey' | 'privateKeyDirectory'>;

/** Where the public half of Private-key goes for others to copy: beside the directory of private keys, as isakmpd(8) has it. */
export const publicKeyFile = ({ privateKey, privateKeyDirectory }: KeyPlaces): string => {
  const directory = dirname(privateKey);
  const isForPrivateKeys = directory.endsWith('/private') || directory === resolve(privateKeyDirectory);
  const name = privateKey.slice(directory.length + 1).replace(/\.key$/, '');
  return join(isForPrivateKeys ? dirname(directory) : directory, `${name}.pub`);
};

/** A new pair of keys; OpenSSL's threads make it. Rejects with SystemError. */
export const newKeyPair = (wish: KeyWish): Promise<KeyPair> =>
  new Promise((made, reject) => {
    makeKeyPair(wish, (pair) => {
      if (pair instanceof Error) reject(new SystemError(`OpenSSL makes no key (${wishText(wish)}): ${pair.message}`));
      else made(pair);
    });
  });

/**
 * Whether the daemon makes a key that is not there: only where isakmpd(8) has it. A file that the configuration names and that is not there may be on a
 * disk that is not mounted yet, or its name may be wrong: another key would not help. -n is for trying things out, and leaves no key behind.
 */
export const makesFirstKey = (usesKernel: boolean, { privateKey }: KeyPlaces): boolean =>
  usesKernel && privateKey === X509_CERTIFICATES.privateKey.fallback;

export interface FirstKeyOptions {
  readonly privileged: Pick<Privileged, 'existing' | 'writeNewFiles'>;
  readonly places: KeyPlaces;
  readonly log: (record: LogRecord) => void;
}

/**
 * Makes a key if there is neither a private one nor a public one, in a directory that is there (/etc/isakmpd). Answers whether there is a new one; one that
 * cannot be made or written is a line of log.
 */
export const makeFirstKey = async ({ privileged, places, log }: FirstKeyOptions): Promise<boolean> => {
  const { privateKey } = places;
  const publicKey = publicKeyFile(places);
  const directory = dirname(publicKey);
  try {
    const found = await privileged.existing([directory, privateKey, publicKey]);
    if (found.length !== 1 || found[0] !== directory) return false;
    const { privatePem, publicPem } = await newKeyPair(HOST_KEY);
    await privileged.writeNewFiles([
      { path: privateKey, text: privatePem, isSecret: true },
      { path: publicKey, text: publicPem, isSecret: false },
    ]);
  } catch (fault) {
    if (!(fault instanceof SystemError)) throw fault;
    log(notice('first-key-failed', `credentials: no key was made for this host: ${fault.message}`));
    return false;
  }
  const kind = wishText(HOST_KEY);
  log(
    notice(
      'first-key',
      `credentials: ${privateKey} is the new key of this host (${kind}), ${publicKey} its public half`,
    ),
  );
  return true;
};
