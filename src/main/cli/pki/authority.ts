/** `isakmpd pki ca`, and the CA that it made (or the recipe of isakmpd(8) with openssl) for the commands that sign. */
import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { subjectFromText } from '../../../shared/pki/identity-name.ts';
import { type Issue, issueAuthority } from '../../../shared/pki/issue-certificate.ts';
import { AUTHORITY_KEY, wishText } from '../../../shared/pki/key-pair.ts';
import { PkiFault } from '../../../shared/pki/pki-fault.ts';
import { type Certificate, certificateText, parseCertificate } from '../../../shared/x509/certificate.ts';
import { KeyUsageBit } from '../../../shared/x509/extensions.ts';
import { PEM_CERTIFICATE } from '../../../shared/x509/pem.ts';
import { timeText } from '../../../shared/x509/time.ts';
import { newKeyPair } from '../../credentials/host-key.ts';
import { daysOf, keyWish, type PkiCommand } from './command-line.ts';
import { pem, placesOf, produce, readKey, readOne, type Terminal } from './files.ts';

export const makeAuthority = async (command: PkiCommand, terminal: Terminal): Promise<void> => {
  const places = await placesOf(command);
  const wish = keyWish(command, AUTHORITY_KEY);
  const subject = subjectFromText(command.text('subject') ?? `/CN=CA of ${hostname()}`, '--subject');
  const issue = newIssue(Date.now(), daysOf(command, AUTHORITY_DAYS), Number.POSITIVE_INFINITY);
  const { privateKey, privatePem } = await newKeyPair(wish);
  const text = pem(PEM_CERTIFICATE[0], issueAuthority(issue, subject, privateKey));
  const files = filesOf(command);
  const what = `CA certificate, valid until ${timeText(issue.notAfter)}`;
  produce(
    [
      { path: files.key, text: privatePem, isSecret: true, what: `private key of the CA, ${wishText(wish)}` },
      { path: files.certificate, text, isSecret: false, what },
      { path: resolve(places.authorityDirectory, 'ca.crt'), text, isSecret: false, what: 'the same, for the daemon' },
    ],
    command,
    terminal,
  );
};

/** Who signs. */
export interface Authority {
  readonly file: string;
  readonly certificate: Certificate;
  readonly key: KeyObject;
}

/** Throws PkiFault where there is no CA, and where its certificate does not let it sign (`usage`, a KeyUsageBit) today. */
export const readAuthority = (command: PkiCommand, minimumRsaBits: number, usage: number, now: number): Authority => {
  const files = filesOf(command);
  const key = readKey(files.key, minimumRsaBits, 'isakmpd pki ca makes one, and --ca-dir says where it is');
  const certificate = readOne(files.certificate, PEM_CERTIFICATE, parseCertificate);
  const refuse = (reason: string): PkiFault =>
    new PkiFault(`${files.certificate} (${certificateText(certificate)}) ${reason}`);
  const { basicConstraints, keyUsage = usage } = certificate.extensions;
  if (!createPublicKey(key).export({ type: 'spki', format: 'der' }).equals(certificate.spki)) {
    throw refuse(`is not the certificate of the key ${files.key}: put the two that belong together there`);
  }
  if (basicConstraints?.isAuthority !== true)
    throw refuse('is no CA certificate: it has no basicConstraints with CA:TRUE');
  if ((keyUsage & usage) === 0) {
    throw refuse(
      `may not sign ${usage === KeyUsageBit.cRLSign ? 'CRLs' : 'certificates'}: its keyUsage does not say so`,
    );
  }
  if (now > certificate.notAfter) throw refuse(`has expired on ${timeText(certificate.notAfter)}: make a new one`);
  return { file: files.certificate, certificate, key };
};

/** A new serial number, and times in ms since 1970: from an hour ago, since clocks differ, to `days` from `now`, but not beyond `most`. */
export const newIssue = (now: number, days: number, most: number): Issue => {
  const serialNumber = randomBytes(SERIAL_BYTES);
  // Positive, and always of the same length: 126 bits are random.
  serialNumber[0] = ((serialNumber[0] ?? 0) & 0x3f) | 0x40;
  return { serialNumber, notBefore: now - HOUR, notAfter: Math.min(now + days * DAY, most) };
};

/** ms */
const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

const filesOf = (command: PkiCommand): { readonly key: string; readonly certificate: string } => {
  const directory = command.text('ca-dir') ?? '/etc/ssl';
  return { key: resolve(join(directory, 'private/ca.key')), certificate: resolve(join(directory, 'ca.crt')) };
};

const AUTHORITY_DAYS = 3650;
const SERIAL_BYTES = 16;
