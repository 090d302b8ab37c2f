/** KeyNote credentials made of the key pairs of credential-keys.ts. */
import type { CredentialFiles } from '../../src/shared/credentials/credential-files.ts';
import { signText } from '../../src/shared/keynote/signing.ts';
import { type KeyPair, privatePem, rsaKey } from './credential-keys.ts';

/** A key as a principal. */
export const principal = ({ publicKey }: KeyPair): string =>
  `rsa-hex:${publicKey.export({ type: 'pkcs1', format: 'der' }).toString('hex')}`;

/** A credential of the key of this name, signed. `licensees`: one principal; without `conditions` it has none. */
export const credential = (signer: string, licensee: string, conditions?: string): string => {
  const authorizer = principal(rsaKey(signer));
  const asked = conditions === undefined ? '' : `Conditions: ${conditions};\n`;
  const text = `Authorizer: "${authorizer}"\nLicensees: "${licensee}"\n${asked}`;
  const pem = Buffer.from(privatePem(rsaKey(signer))).toString();
  const signature = signText(text, 'sig-rsa-sha256-hex:', authorizer, pem);
  if (signature.kind === 'impossible') throw new RangeError(signature.reason);
  return `${text}Signature: "${signature.result}"\n`;
};

/** Credentials of one of our identities, for the key of the name `holder`. */
export const keynoteFile = (
  identity: string,
  holder: string,
  credentials: readonly string[],
): CredentialFiles['keynoteCredentials'][number] => ({
  identity,
  directory: `keynote/${identity}`,
  credentials: Buffer.from(credentials.join('\n'), 'latin1'),
  privateKey: privatePem(rsaKey(holder)),
});
