/** `isakmpd pki pubkey`: the raw public key of a peer, where the daemon looks for it. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { CredentialPlaces } from '../../../shared/config/resolve-general.ts';
import { publicKeyKind } from '../../../shared/credentials/identity-key.ts';
import { readPrivateKey, readPublicKey, unfitKey } from '../../../shared/credentials/keys.ts';
import { InvariantError } from '../../../shared/errors.ts';
import { PEM_REQUEST, parseRequest } from '../../../shared/pki/certificate-request.ts';
import { publicPem } from '../../../shared/pki/key-pair.ts';
import { PkiFault } from '../../../shared/pki/pki-fault.ts';
import { identityText } from '../../../shared/policy/identity.ts';
import type { Identity } from '../../../shared/policy/peer-policy.ts';
import { parseCertificate } from '../../../shared/x509/certificate.ts';
import { PEM_CERTIFICATE } from '../../../shared/x509/pem.ts';
import type { PkiCommand } from './command-line.ts';
import { identitiesOf, placesOf, produce, readFile, readOne, type Terminal } from './files.ts';

export const placePublicKey = async (command: PkiCommand, terminal: Terminal): Promise<void> => {
  const places = await placesOf(command);
  const [identity] = identitiesOf(command);
  const key = publicKeyIn(command.text('file') ?? '', places.settings.minimumRsaBits);
  const path = resolve(command.text('out') ?? placeOf(identity, places));
  const what = `public key of ${identityText(identity)}`;
  produce([{ path, text: publicPem(key), isSecret: false, what }], command, terminal);
};

const placeOf = (identity: Identity, { publicKeyDirectory }: CredentialPlaces): string => {
  const kind = publicKeyKind(identity);
  if (kind === undefined) throw new InvariantError(`an identity of type ${identity.type} has no raw key`);
  return join(publicKeyDirectory, kind, identityText(identity));
};

/** Of a file with a public or private key, a request or a certificate, in PEM. Throws PkiFault. */
const publicKeyIn = (file: string, minimumRsaBits: number): KeyObject => {
  const bytes = readFile(file);
  const label = /-----BEGIN ([^\n]*?)-----/.exec(Buffer.from(bytes).toString('latin1'))?.[1] ?? '';
  if (isOneOf(PEM_REQUEST, label))
    return readOne(file, PEM_REQUEST, (der) => parseRequest(der, minimumRsaBits).publicKey);
  if (isOneOf(PEM_CERTIFICATE, label)) {
    const { publicKey } = readOne(file, PEM_CERTIFICATE, parseCertificate);
    const reason =
      publicKey === undefined ? 'it has a key for DSA: RSA and ECDSA can be used' : unfitKey(publicKey, minimumRsaBits);
    if (publicKey === undefined || reason !== undefined) throw new PkiFault(`${file} cannot be used: ${reason}`);
    return publicKey;
  }
  const read = label.endsWith('PRIVATE KEY')
    ? readPrivateKey(bytes, minimumRsaBits)
    : readPublicKey(bytes, minimumRsaBits);
  if (read.kind === 'unfit') throw new PkiFault(`${file} cannot be used: ${read.reason}`);
  return read.key.type === 'private' ? createPublicKey(read.key) : read.key;
};

const isOneOf = (labels: readonly string[], label: string): boolean => labels.includes(label);
