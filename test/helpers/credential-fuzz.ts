/** Mutated KeyNote credentials in the CERT payload of a peer whose signature fits whatever key they license: from the payload's body to the proof of an identity. */
import assert from 'node:assert/strict';
import { CertificateEncoding, ExchangeType } from '../../src/shared/constants/isakmp.ts';
import { AuthenticationMethod } from '../../src/shared/constants/oakley.ts';
import { createCredentials } from '../../src/shared/credentials/credentials.ts';
import { provenKey } from '../../src/shared/credentials/peer-key.ts';
import { parseCredentials } from '../../src/shared/keynote/assertion.ts';
import { identityFromText } from '../../src/shared/policy/identity.ts';
import { cursor } from '../../src/shared/wire/cursor.ts';
import { PAYLOADS } from '../../src/shared/wire/payloads.ts';
import { credentialFiles, rsaKey } from './credential-keys.ts';
import { credential, principal } from './keynote-credentials.ts';
import { mutated } from './keynote-fuzz.ts';
import { PATH } from './lane-pair.ts';
import type { Prng } from './prng.ts';

export type CredentialFuzz = (random: Prng) => 'unread' | 'refused' | 'proven';

/**
 * One mutant a call. Throws where a credential that nobody has signed, or another identity or key than the signed ones are for, is proven. Answers what came
 * of it; the keys are others in each process.
 */
export const credentialFuzz = (seeds: readonly string[]): CredentialFuzz => {
  const [first, second] = [
    credential('ca', principal(rsaKey('region'))),
    credential('region', principal(rsaKey('branch')), 'remote_id == "branch.example"'),
  ];
  const signed = new Set(signedTexts(Buffer.from(`${first}\n${second}`)));
  const policy = `Authorizer: "POLICY"\nLicensees: "${principal(rsaKey('ca'))}"\nConditions: esp_present == "yes";\n`;
  const credentials = createCredentials(credentialFiles(undefined, {}, { policy }));
  return (random) => {
    const text = mutated([`${first}\n${second}`, `${second}\n${first}`, first, second], random, [
      first,
      second,
      ...seeds,
    ]);
    const encoding = random.word() % 8 === 0 ? CertificateEncoding.X509_SIGNATURE : CertificateEncoding.KEYNOTE;
    const pieces = random.chance(0.5) ? [text] : piecesOf(text, random);
    const certificates = pieces.map((piece) => {
      const body = Buffer.concat([Uint8Array.of(encoding), Buffer.from(piece, 'latin1')]);
      const { encoding: said, certificateData: data } = PAYLOADS.CERT.read(cursor(body));
      return { encoding: said, data };
    });
    const name = random.pick(['branch.example', 'other.example']);
    const proven = provenKey(credentials, {
      identity: identityFromText(name),
      method: AuthenticationMethod.RSA_SIG,
      certificates,
      phase1: { exchangeType: ExchangeType.ID_PROT, group: 14, path: PATH },
      isSignedWith: () => true,
      at: Date.UTC(2026, 10, 26),
    });
    if (proven.kind === 'refused') {
      assert.match(proven.reason, /^[ -~]*$/);
      return proven.fault === 'credentials' ? 'refused' : 'unread';
    }
    assert.equal(name, 'branch.example', text);
    assert.ok(proven.key.equals(rsaKey('branch').publicKey), text);
    for (const { data } of certificates) for (const part of signedTexts(data)) assert.ok(signed.has(part), text);
    return 'proven';
  };
};

/** Two or three payloads: cut between assertions, or anywhere. */
const piecesOf = (text: string, random: Prng): readonly string[] => {
  if (random.chance(0.7)) return text.split('\n\n').slice(0, 3);
  const at = random.word() % (text.length + 1);
  return [text.slice(0, at), text.slice(at)];
};

const signedTexts = (bytes: Uint8Array): readonly string[] =>
  parseCredentials(bytes).assertions.map(({ signedText }) => signedText);
