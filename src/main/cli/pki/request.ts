/** `isakmpd pki request`: a certificate request for the key of this host. */
import { dirname, resolve } from 'node:path';
import { buildRequest, PEM_REQUEST } from '../../../shared/pki/certificate-request.ts';
import { alternativeNamesOf, fileNameOf, subjectFromText, subjectOf } from '../../../shared/pki/identity-name.ts';
import { PkiFault } from '../../../shared/pki/pki-fault.ts';
import type { Identity } from '../../../shared/policy/peer-policy.ts';
import type { PkiCommand } from './command-line.ts';
import { identitiesOf, pem, placesOf, produce, readKey, type Terminal } from './files.ts';

export const makeRequest = async (command: PkiCommand, terminal: Terminal): Promise<void> => {
  const places = await placesOf(command);
  const identities = identitiesOf(command);
  const keyFile = resolve(command.text('key') ?? places.privateKey);
  const key = readKey(keyFile, places.settings.minimumRsaBits, 'isakmpd pki init makes one');
  const subject = chosenSubject(command, identities) ?? subjectOf(identities[0]);
  const path = resolve(command.text('out') ?? `${dirname(keyFile)}/${fileNameOf(identities[0])}.csr`);
  const text = pem(PEM_REQUEST[0], buildRequest(subject, alternativeNamesOf(identities), key));
  produce([{ path, text, isSecret: false, what: 'certificate request, for your CA' }], command, terminal);
};

/** DER of the name that the operator wants: --subject, or an identity that is a name. Throws PkiFault for two of them. */
export const chosenSubject = (command: PkiCommand, identities: readonly Identity[]): Uint8Array | undefined => {
  const named = identities.filter((identity) => !alternativeNamesOf([identity]).includes(identity));
  const wanted = command.text('subject');
  if (named.length + (wanted === undefined ? 0 : 1) > 1) {
    throw new PkiFault('a certificate has one name as its subject: give one, as an identity or with --subject');
  }
  return wanted === undefined ? named[0]?.data : subjectFromText(wanted, '--subject');
};
