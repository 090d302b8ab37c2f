/** `isakmpd pki crl`: the next CRL of our CA, with all that the one before had. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { issueCrl, type RevokedCertificate } from '../../../shared/pki/issue-crl.ts';
import { PkiFault } from '../../../shared/pki/pki-fault.ts';
import { certificateText, parseCertificate } from '../../../shared/x509/certificate.ts';
import { CertificateError } from '../../../shared/x509/certificate-error.ts';
import { KeyUsageBit } from '../../../shared/x509/extensions.ts';
import { PEM_CERTIFICATE, PEM_REVOCATION_LIST } from '../../../shared/x509/pem.ts';
import { parseRevocationList } from '../../../shared/x509/revocation-list.ts';
import { verifySignature } from '../../../shared/x509/signature.ts';
import { timeText } from '../../../shared/x509/time.ts';
import { type Authority, DAY, readAuthority } from './authority.ts';
import { daysOf, misuse, type PkiCommand } from './command-line.ts';
import { pem, placesOf, produce, readOne, type Terminal } from './files.ts';

export const writeCrl = async (command: PkiCommand, terminal: Terminal): Promise<void> => {
  const places = await placesOf(command);
  const now = Date.now();
  const authority = readAuthority(command, places.settings.minimumRsaBits, KeyUsageBit.cRLSign, now);
  const path = resolve(command.text('out') ?? resolve(places.revocationListDirectory, 'ca.crl'));
  const before = readPredecessor(path, authority);
  const revoked = new Map(before.revoked.map((entry) => [entry.serialNumber, entry]));
  for (const serialNumber of newlyRevoked(command, authority)) {
    // Whoever was revoked before stays so since that day.
    if (!revoked.has(serialNumber))
      revoked.set(serialNumber, { serialNumber, at: now, reason: command.text('reason') });
  }
  const number = before.number + 1n;
  const nextUpdate = now + daysOf(command, CRL_DAYS) * DAY;
  const wish = { thisUpdate: now, nextUpdate, number, revoked: [...revoked.values()] };
  const text = pem(PEM_REVOCATION_LIST[0], issueCrl(wish, authority.certificate, authority.key));
  const what = `CRL number ${number} with ${revoked.size} revoked, the next one is due on ${timeText(nextUpdate)}`;
  // It is the successor of what is there, and has all of it: nothing is lost.
  produce([{ path, text, isSecret: false, what }], { isForced: true }, terminal);
};

interface Predecessor {
  readonly number: bigint;
  readonly revoked: readonly RevokedCertificate[];
}

/** Throws PkiFault for a file that is no complete CRL of this CA: writing over it could lose revocations. */
const readPredecessor = (path: string, { certificate }: Authority): Predecessor => {
  if (!existsSync(path)) return { number: 0n, revoked: [] };
  return readOne(path, PEM_REVOCATION_LIST, (der) => {
    const list = parseRevocationList(der);
    const isOurs = certificate.publicKey !== undefined && verifySignature(list, certificate.publicKey);
    if (list.issuer.key !== certificate.subject.key || !isOurs) {
      throw new CertificateError(
        `it is no CRL of ${certificateText(certificate)}: move it away, or give another file with --out`,
      );
    }
    if (list.baseNumber !== undefined || list.scope !== undefined || list.unknownCritical.length > 0) {
      throw new CertificateError('it is no complete CRL of one CA: give another file with --out');
    }
    const revoked = [...list.revocations].map(([key, { at, reason }]) => ({
      serialNumber: key.split(' ')[0] ?? '',
      at,
      reason,
    }));
    return { number: list.number ?? 0n, revoked };
  });
};

/** Serial numbers, hex digits of whole bytes. Throws PkiFault. */
const newlyRevoked = (command: PkiCommand, authority: Authority): readonly string[] => {
  const ofFiles = command.texts('certificate-file').map((file) => {
    const found = readOne(file, PEM_CERTIFICATE, parseCertificate);
    if (found.issuer.key !== authority.certificate.subject.key) {
      throw new PkiFault(
        `${file} was issued by ${found.issuer.text}, not by ${certificateText(authority.certificate)}`,
      );
    }
    return found.serialNumber;
  });
  const given = command.texts('serial').map((text) => {
    const digits = /^(?:0x)?((?:[0-9a-f]{2}:?)*[0-9a-f]{1,2})$/i.exec(text)?.[1]?.replaceAll(':', '').toLowerCase();
    if (digits === undefined || digits.length > 40)
      throw misuse(`--serial: "${text}" is no serial number in hex digits`, 'crl');
    return derDigits(digits);
  });
  return [...ofFiles, ...given];
};

/** As an INTEGER has it: whole bytes, the first bit 0. */
const derDigits = (digits: string): string => {
  const short = digits.replace(/^0+(?=.)/, '');
  const whole = short.length % 2 === 0 ? short : `0${short}`;
  return Number.parseInt(whole.slice(0, 2), 16) >= 0x80 ? `00${whole}` : whole;
};

/** The daemon tells of CRLs that have less than 30 days left. */
const CRL_DAYS = 40;
