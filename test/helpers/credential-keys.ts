/** Key pairs for tests, made once a process and name: an RSA key takes a while. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type CredentialFiles, NO_CREDENTIALS } from '../../src/shared/credentials/credential-files.ts';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const made = new Map<string, KeyPair>();

const once = (name: string, make: () => KeyPair): KeyPair => {
  const pair = made.get(name) ?? make();
  made.set(name, pair);
  return pair;
};

export const rsaKey = (name: string, bits = 2048): KeyPair =>
  once(`${name} ${bits}`, () => generateKeyPairSync('rsa', { modulusLength: bits }));

export const ecKey = (name: string, namedCurve: string): KeyPair =>
  once(`${name} ${namedCurve}`, () => generateKeyPairSync('ec', { namedCurve }));

export const privatePem = ({ privateKey }: KeyPair): Uint8Array =>
  new TextEncoder().encode(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());

export const publicPem = ({ publicKey }: KeyPair): Uint8Array =>
  new TextEncoder().encode(publicKey.export({ type: 'spki', format: 'pem' }).toString());

/** One key of ours for every identity, and raw keys of peers as `kind/name`. */
export const credentialFiles = (
  own: KeyPair | undefined,
  peers: Readonly<Record<string, KeyPair>>,
  more: Partial<CredentialFiles> = {},
): CredentialFiles => ({
  ...NO_CREDENTIALS,
  privateKeys: own === undefined ? [] : [{ identity: '', file: 'local.key', bytes: privatePem(own) }],
  publicKeys: Object.entries(peers).map(([path, pair]) => {
    const [kind, ...name] = path.split('/');
    return { kind: kindOf(kind), name: name.join('/'), file: path, bytes: publicPem(pair) };
  }),
  ...more,
});

const kindOf = (kind: string | undefined): CredentialFiles['publicKeys'][number]['kind'] => {
  switch (kind) {
    case 'ipv4':
    case 'ipv6':
    case 'fqdn':
    case 'ufqdn':
    case 'asn1_dn':
    case 'keyid':
      return kind;
    default:
      throw new RangeError(`no directory ${kind}`);
  }
};
