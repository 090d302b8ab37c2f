/** Certificates and CRLs made by the openssl tool, in a folder that goes with the test. */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvariantError } from '../../src/shared/errors.ts';

/** Options of tests that need the tool. */
export const NEEDS_OPENSSL = {
  skip: spawnSync('openssl', ['version']).status === 0 ? false : 'there is no openssl tool',
};

export interface Made {
  readonly pem: Buffer;
  readonly der: Buffer;
  readonly subject: string;
  readonly serial: number;
  readonly privateKey: KeyObject;
  /** The names of files. */
  readonly files: { readonly certificate: string; readonly key: string };
}

export interface Wish {
  /** `/CN=gate`. */
  readonly subject: string;
  /** Signed by itself without one. */
  readonly issuer?: Made;
  /** Lines of an extensions section: `basicConstraints=critical,CA:TRUE`. */
  readonly extensions?: readonly string[];
  /** Whose key and name it has, to certify the same CA again. */
  readonly again?: Made;
  readonly privateKey?: KeyObject;
  readonly digest?: string;
  readonly days?: number;
  readonly options?: readonly string[];
}

export interface OpensslPki {
  readonly certificate: (wish: Wish) => Made;
  /** PEM. Times are YYMMDDHHMMSSZ; a reason is openssl's `keyCompromise`. */
  readonly crl: (
    issuer: Made,
    revoked: readonly { readonly of: Made; readonly reason?: string }[],
    times?: { readonly last: string; readonly next: string },
  ) => Buffer;
  /** Runs the tool in the folder and answers with its standard output. */
  readonly openssl: (...args: readonly string[]) => Buffer;
  readonly remove: () => void;
}

/** Sections that extensions refer to by name (`dirName:se`). */
const SECTIONS = `[req]
distinguished_name=dn
string_mask=utf8only
[dn]
[dir]
O=Other
[se]
C=SE
[seother]
C=se
O=Other
[other]
C=DE
`;

/** The extensions of a CA. */
export const CA = [
  'basicConstraints=critical,CA:TRUE',
  'keyUsage=critical,keyCertSign,cRLSign',
  'subjectKeyIdentifier=hash',
];

export const opensslPki = (): OpensslPki => {
  const folder = mkdtempSync(join(tmpdir(), 'x509-'));
  let count = 0;
  const openssl = (...args: readonly string[]): Buffer => {
    const { status, stdout, stderr } = spawnSync('openssl', args, { cwd: folder });
    if (status !== 0) throw new InvariantError(`openssl ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const write = (name: string, content: string | Buffer): string => {
    writeFileSync(join(folder, name), content);
    return name;
  };

  const certificate = (wish: Wish): Made => {
    count += 1;
    const { subject, issuer, again, extensions = [], digest = 'sha256', days = 30, options = [] } = wish;
    const privateKey =
      again?.privateKey ?? wish.privateKey ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const key = write(`${count}.key`, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
    const configuration = write(`${count}.cnf`, `${SECTIONS}[ext]\n${extensions.join('\n')}\n`);
    const [request, name] = [`${count}.csr`, `${count}.pem`];
    openssl('req', '-new', '-config', configuration, '-key', key, '-subj', subject, '-out', request, '-utf8');
    const signer =
      issuer === undefined ? ['-signkey', key] : ['-CA', issuer.files.certificate, '-CAkey', issuer.files.key];
    const how = ['-set_serial', String(count), '-days', String(days), `-${digest}`, ...options];
    const extended = extensions.length === 0 ? [] : ['-extfile', configuration, '-extensions', 'ext'];
    openssl('x509', '-req', '-in', request, ...signer, ...how, ...extended, '-out', name);
    return {
      pem: readFileSync(join(folder, name)),
      der: openssl('x509', '-in', name, '-outform', 'DER'),
      subject,
      serial: count,
      privateKey,
      files: { certificate: name, key },
    };
  };

  const crl: OpensslPki['crl'] = (issuer, revoked, times) => {
    count += 1;
    const lines = revoked.map(({ of, reason }) => {
      const serial = of.serial.toString(16).toUpperCase();
      const since = `260101000000Z${reason === undefined ? '' : `,${reason}`}`;
      return `R\t401231235959Z\t${since}\t${serial.length % 2 === 0 ? serial : `0${serial}`}\tunknown\t${of.subject}\n`;
    });
    write(`${count}.index`, lines.join(''));
    write(`${count}.number`, '01\n');
    write(
      `${count}.cnf`,
      `[ca]\ndefault_ca=c\n[c]\ndatabase=${count}.index\ncrlnumber=${count}.number\ndefault_md=sha256\ndefault_crl_days=30\n`,
    );
    const span = times === undefined ? [] : ['-crl_lastupdate', times.last, '-crl_nextupdate', times.next];
    const who = ['-cert', issuer.files.certificate, '-keyfile', issuer.files.key];
    openssl('ca', '-config', `${count}.cnf`, '-gencrl', ...who, ...span, '-out', `${count}.crl`);
    return readFileSync(join(folder, `${count}.crl`));
  };

  return { certificate, crl, openssl, remove: () => rmSync(folder, { recursive: true }) };
};
