/**
 * Keys and certificates of both sides, made once a run by the openssl tool: `ours-rsa.key`, `.pub`, `.crt` and `.p12` in one folder, and `ca.crt`. `stray` are
 * those of somebody who plays the peer: another key, and a certificate of another CA.
 */
import { createPublicKey } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './processes.ts';
import type { KeyType, Proof } from './scenarios.ts';

export type SideName = 'ours' | 'theirs';
export type KeyOwner = SideName | 'stray';

/** The name that each side's certificates have. */
export const NAMES: Readonly<Record<SideName, string>> = { ours: 'ours.example', theirs: 'theirs.example' };

export const otherSide = (side: SideName): SideName => (side === 'ours' ? 'theirs' : 'ours');

/** What proves a side in a scenario; undefined: the secret. */
export const keyTypeOf = (proof: Proof): KeyType | undefined => (proof.kind === 'secret' ? undefined : proof.key);

export const makeKeys = async (folder: string): Promise<void> => {
  mkdirSync(folder);
  const file = (name: string): string => join(folder, name);
  for (const [name, subject] of [
    ['ca', '/O=Bed/CN=Bed CA'],
    ['stray', '/O=Bed/CN=Stray CA'],
  ] as const) {
    const authority = ['-subj', subject, '-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
    const fresh = ['-newkey', 'rsa:2048', '-nodes', '-sha256', '-days', '30'];
    const files = ['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)];
    await must('openssl', ['req', '-x509', ...fresh, ...authority, ...files]);
  }
  await makeLeaf(file, 'stray', 'rsa');
  for (const side of ['ours', 'theirs'] as const) {
    for (const type of Object.keys(ALGORITHMS) as KeyType[]) await makeLeaf(file, side, type); // the keys of a record that nobody widened
  }
};

const makeLeaf = async (file: (name: string) => string, side: KeyOwner, type: KeyType): Promise<void> => {
  const isStray = side === 'stray';
  const name = NAMES[isStray ? 'theirs' : side];
  const issuerName = isStray ? 'stray' : 'ca';
  const own = (end: string): string => file(`${side}-${type}.${end}`);
  await must('openssl', ['genpkey', ...ALGORITHMS[type], '-out', own('key')]);
  await must('openssl', ['pkey', '-in', own('key'), '-pubout', '-out', own('pub')]);
  await must('openssl', ['req', '-new', '-key', own('key'), '-subj', `/O=Bed/CN=${name}`, '-out', own('csr')]);
  writeFileSync(own('ext'), `subjectAltName=DNS:${name}\nbasicConstraints=CA:FALSE\n`);
  const issuer = ['-CA', file(`${issuerName}.crt`), '-CAkey', file(`${issuerName}.key`), '-CAcreateserial'];
  const terms = ['-days', '30', '-sha256', '-extfile', own('ext')];
  await must('openssl', ['x509', '-req', '-in', own('csr'), ...issuer, ...terms, '-out', own('crt')]);
  const bundle = ['-inkey', own('key'), '-in', own('crt'), '-name', side, '-passout', 'pass:'];
  await must('openssl', ['pkcs12', '-export', ...bundle, '-out', own('p12')]);
};

const ALGORITHMS: Readonly<Record<KeyType, readonly string[]>> = {
  rsa: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  p256: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p384: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  p521: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'],
};

/** An RSA key as DNS has it (RFC 3110) and pluto wants it. */
export const dnsKey = (publicKeyFile: string): string => {
  const { n = '', e = '' } = createPublicKey(readFileSync(publicKeyFile)).export({ format: 'jwk' });
  const exponent = Buffer.from(e, 'base64url');
  const key = Buffer.concat([Buffer.from([exponent.length]), exponent, Buffer.from(n, 'base64url')]);
  return `0s${key.toString('base64')}`;
};
