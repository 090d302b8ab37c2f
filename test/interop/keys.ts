/**
 * Keys and certificates of both sides, made once a run by the openssl tool: `ours-rsa.key`, `.pub`, `.crt` and `.p12` in one folder, and `ca.crt`; the same with
 * `-sub` are below an intermediate CA of that side, `sub-ours.crt`. FLAWED are those of a peer whose certificate should be refused.
 */
import { createPublicKey } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './processes.ts';
import type { KeyType, Proof } from './scenarios.ts';
import type { Setup } from './setup.ts';

export type SideName = 'ours' | 'theirs';

interface Leaf {
  /** What it is called in its subject. */
  readonly name: string;
  /** A value of subjectAltName. */
  readonly alternativeName: string;
  /** Undefined: itself. */
  readonly issuer: string | undefined;
  /** Days from now. */
  readonly from: number;
  readonly until: number;
}

type FlawedOwner = keyof typeof FLAWED;
export type KeyOwner = SideName | FlawedOwner;

/** The name that each side's certificates have. */
export const NAMES: Readonly<Record<SideName, string>> = { ours: 'ours.example', theirs: 'theirs.example' };

export const otherSide = (side: SideName): SideName => (side === 'ours' ? 'theirs' : 'ours');

/** What proves a side in a scenario; undefined: the secret. */
export const keyTypeOf = (proof: Proof): KeyType | undefined => (proof.kind === 'secret' ? undefined : proof.key);

/** The certificate of a side without its ending; undefined: it has none. */
export const certificateOf = (proof: Proof, owner: KeyOwner): string | undefined => {
  if (proof.kind !== 'certificate') return undefined;
  return `${owner}-${proof.key}${proof.below === 'intermediate' ? '-sub' : ''}`;
};

/** The intermediate CA of a side; undefined: its certificate needs none. */
export const intermediateOf = (proof: Proof, side: SideName): string | undefined =>
  proof.kind === 'certificate' && proof.below === 'intermediate' ? `sub-${side}` : undefined;

/** Those that a peer has. Ours is among them where it begins in aggressive mode: our answer to an address that is not proved has no room for it. */
export const intermediatesOfPeer = ({ proof, side, aggressive, initiates }: Setup): readonly string[] =>
  [side, ...(aggressive && initiates ? [otherSide(side)] : [])].flatMap((of) => intermediateOf(proof, of) ?? []);

export const makeKeys = async (folder: string): Promise<void> => {
  mkdirSync(folder);
  const file = (name: string): string => join(folder, name);
  for (const [name, subject] of [
    ['ca', '/O=Bed/CN=Bed CA'],
    ['stray', '/O=Bed/CN=Stray CA'],
  ] as const) {
    const fresh = ['-newkey', 'rsa:2048', '-nodes', '-sha256', '-days', '30', '-subj', subject];
    const authority = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
    await must('openssl', [
      'req',
      '-x509',
      ...fresh,
      ...authority,
      '-keyout',
      file(`${name}.key`),
      '-out',
      file(`${name}.crt`),
    ]);
    prepareAuthority(file, name);
  }
  for (const side of ['ours', 'theirs'] as const) {
    await makeIntermediate(file, side);
    for (const type of Object.keys(ALGORITHMS) as KeyType[])
      await makeLeaf(file, `${side}-${type}`, type, leafOf(side)); // the keys of a record that nobody widened
    await makeLeaf(file, `${side}-rsa-sub`, 'rsa', { ...leafOf(side), issuer: `sub-${side}` });
  }
  for (const [owner, leaf] of Object.entries(FLAWED)) await makeLeaf(file, `${owner}-rsa`, 'rsa', leaf);
  const ca = ['ca', '-config', file('ca.cnf'), '-cert', file('ca.crt'), '-keyfile', file('ca.key')];
  await must('openssl', [...ca, '-revoke', file('revoked-rsa.crt'), '-crl_reason', 'keyCompromise']);
  await must('openssl', [...ca, '-gencrl', '-out', file('ca.crl')]);
};

const leafOf = (side: SideName): Leaf => ({
  ...{ name: NAMES[side], alternativeName: `DNS:${NAMES[side]}`, issuer: 'ca' },
  ...{ from: -1, until: 30 },
});

type FileOf = (name: string) => string;

/** What `openssl ca` wants to have. */
const prepareAuthority = (file: FileOf, name: string): void => {
  writeFileSync(file(`${name}.index`), '');
  writeFileSync(file(`${name}.index.attr`), 'unique_subject=no\n');
  writeFileSync(file(`${name}.number`), '01\n');
  writeFileSync(
    file(`${name}.cnf`),
    [
      '[ca]\ndefault_ca=c\n[c]',
      ...[`database=${file(`${name}.index`)}`, `crlnumber=${file(`${name}.number`)}`, 'rand_serial=yes'],
      ...[`new_certs_dir=${file('.')}`, 'default_md=sha256', 'default_crl_days=30', 'policy=p'],
      '[p]\norganizationName=optional\ncommonName=optional\n',
    ].join('\n'),
  );
};

const makeIntermediate = async (file: FileOf, side: SideName): Promise<void> => {
  const name = `sub-${side}`;
  const leaf = { name: `Sub CA of ${side}`, alternativeName: '', issuer: 'ca', from: -1, until: 30 };
  await makeKey(file, name, 'rsa');
  await certify(file, name, leaf, 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n');
  prepareAuthority(file, name);
};

const makeLeaf = async (file: FileOf, base: string, type: KeyType, leaf: Leaf): Promise<void> => {
  await makeKey(file, base, type);
  await certify(file, base, leaf, `subjectAltName=${leaf.alternativeName}\nbasicConstraints=CA:FALSE\n`);
  const { issuer } = leaf;
  const between = issuer?.startsWith('sub-') === true ? ['-certfile', file(`${issuer}.crt`)] : [];
  const owner = base.split('-')[0] ?? base;
  const bundle = ['-inkey', file(`${base}.key`), '-in', file(`${base}.crt`), ...between, '-name', owner];
  await must('openssl', ['pkcs12', '-export', ...bundle, '-passout', 'pass:', '-out', file(`${base}.p12`)]);
};

const makeKey = async (file: FileOf, base: string, type: KeyType): Promise<void> => {
  await must('openssl', ['genpkey', ...ALGORITHMS[type], '-out', file(`${base}.key`)]);
  await must('openssl', ['pkey', '-in', file(`${base}.key`), '-pubout', '-out', file(`${base}.pub`)]);
};

const certify = async (file: FileOf, base: string, leaf: Leaf, extensions: string): Promise<void> => {
  const { name, issuer, from, until } = leaf;
  const own = (end: string): string => file(`${base}.${end}`);
  const subject = ['-subj', `/O=Bed/CN=${name}`];
  await must('openssl', ['req', '-new', '-key', own('key'), ...subject, '-out', own('csr')]);
  writeFileSync(own('ext'), extensions);
  if (issuer === undefined) {
    const terms = ['-days', '30', '-sha256', '-extfile', own('ext')];
    await must('openssl', ['x509', '-req', '-in', own('csr'), '-signkey', own('key'), ...terms, '-out', own('crt')]);
    return;
  }
  const who = ['-config', file(`${issuer}.cnf`), '-cert', file(`${issuer}.crt`), '-keyfile', file(`${issuer}.key`)];
  const when = ['-startdate', dayText(from), '-enddate', dayText(until)];
  const what = ['-in', own('csr'), '-extfile', own('ext'), '-notext', '-out', own('crt')];
  await must('openssl', ['ca', '-batch', '-preserveDN', ...who, ...when, ...what]);
};

/** `YYMMDDHHMMSSZ`, so many days from now. */
const dayText = (days: number): string =>
  `${new Date(Date.now() + days * 86_400_000).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`;

const ALGORITHMS: Readonly<Record<KeyType, readonly string[]>> = {
  rsa: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  p256: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p384: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  p521: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'],
};

/** What is wrong with the certificate of somebody who plays the peer: each has a key of its own. */
const FLAWED = {
  /** Of another CA, and with another key. */
  stray: { ...leafOf('theirs'), issuer: 'stray' },
  revoked: leafOf('theirs'),
  expired: { ...leafOf('theirs'), from: -20, until: -2 },
  early: { ...leafOf('theirs'), from: 2, until: 20 },
  /** Of somebody else. */
  foreign: { ...leafOf('theirs'), name: 'impostor.example', alternativeName: 'DNS:impostor.example' },
  /** The right name, as a mail address. */
  mistyped: { ...leafOf('theirs'), alternativeName: `email:${NAMES.theirs}` },
  alone: { ...leafOf('theirs'), issuer: undefined },
} as const satisfies Readonly<Record<string, Leaf>>;

/** An RSA key as DNS has it (RFC 3110) and pluto wants it. */
export const dnsKey = (publicKeyFile: string): string => {
  const { n = '', e = '' } = createPublicKey(readFileSync(publicKeyFile)).export({ format: 'jwk' });
  const exponent = Buffer.from(e, 'base64url');
  const key = Buffer.concat([Buffer.from([exponent.length]), exponent, Buffer.from(n, 'base64url')]);
  return `0s${key.toString('base64')}`;
};
