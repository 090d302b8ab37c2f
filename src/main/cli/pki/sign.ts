/** `isakmpd pki sign`: a certificate for a request, for the identities that the operator of the CA grants. */
import { resolve } from 'node:path';
import { type CertificateRequest, PEM_REQUEST, parseRequest } from '../../../shared/pki/certificate-request.ts';
import { alternativeNamesOf, fileNameOf, subjectOf } from '../../../shared/pki/identity-name.ts';
import { issuePeerCertificate } from '../../../shared/pki/issue-certificate.ts';
import { PkiFault } from '../../../shared/pki/pki-fault.ts';
import { identityText } from '../../../shared/policy/identity.ts';
import { type Certificate, parseCertificate } from '../../../shared/x509/certificate.ts';
import { KeyUsageBit } from '../../../shared/x509/extensions.ts';
import { PEM_CERTIFICATE } from '../../../shared/x509/pem.ts';
import { timeText } from '../../../shared/x509/time.ts';
import { createTrustStore, type TrustSettings } from '../../../shared/x509/trust-store.ts';
import { validatePath } from '../../../shared/x509/validate-path.ts';
import { type Authority, newIssue, readAuthority } from './authority.ts';
import { daysOf, type PkiCommand } from './command-line.ts';
import { identitiesOf, pem, placesOf, produce, readFile, readOne, type Terminal } from './files.ts';
import { chosenSubject } from './request.ts';

export const signRequest = async (command: PkiCommand, terminal: Terminal): Promise<void> => {
  const places = await placesOf(command);
  const { minimumRsaBits } = places.settings;
  const identities = identitiesOf(command);
  const now = Date.now();
  const authority = readAuthority(command, minimumRsaBits, KeyUsageBit.keyCertSign, now);
  const request = readRequest(command, minimumRsaBits);
  const issue = newIssue(now, daysOf(command, CERTIFICATE_DAYS), authority.certificate.notAfter);
  // A request may leave the name to us.
  const asked = request.subject.parts.length > 0 ? request.subject.der : subjectOf(identities[0]);
  const wish = {
    subject: chosenSubject(command, identities) ?? asked,
    spki: request.spki,
    names: alternativeNamesOf(identities),
  };
  const der = issuePeerCertificate(issue, wish, authority.certificate, authority.key);
  const certificate = parseCertificate(der);
  refuseUseless(certificate, authority, places.settings, now);
  const path = resolve(command.text('out') ?? resolve(places.certificateDirectory, `${fileNameOf(identities[0])}.crt`));
  const names = identities.map((identity) => identityText(identity)).join(', ');
  const what = `certificate of ${certificate.subject.text} for ${names}, serial number ${certificate.serialNumber}, valid until ${timeText(issue.notAfter)}`;
  produce([{ path, text: pem(PEM_CERTIFICATE[0], der), isSecret: false, what }], command, terminal);
};

const readRequest = (command: PkiCommand, minimumRsaBits: number): CertificateRequest =>
  readOne(command.text('request-file') ?? '', PEM_REQUEST, (der) => parseRequest(der, minimumRsaBits));

/** What no daemon would take is not handed out: constraints of the CA say no, or its own certificate is too weak. */
const refuseUseless = (certificate: Certificate, { file }: Authority, settings: TrustSettings, at: number): void => {
  const store = createTrustStore(
    { authorities: [{ file, bytes: readFile(file) }], certificates: [], revocationLists: [] },
    { ...settings, requireRevocationList: false },
  );
  const outcome = validatePath(certificate, { untrusted: [], store, at });
  if (outcome.kind === 'refused') throw new PkiFault(`peers would refuse the certificate: ${outcome.reason}`);
};

const CERTIFICATE_DAYS = 365;
