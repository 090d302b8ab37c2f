/** What becomes of SAs when certificates and CRLs change: the review of main, with certificates that the openssl tool made. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { TrustReview } from '../../../src/main/credentials/trust-review.ts';
import { proofOf, type Shown } from '../../../src/shared/connection/proofs.ts';
import { type CredentialFiles, NO_CREDENTIALS } from '../../../src/shared/credentials/credential-files.ts';
import { identityFromText } from '../../../src/shared/policy/identity.ts';
import type { TrustStore } from '../../../src/shared/x509/trust-store.ts';
import { storeOf } from '../../helpers/certificate-paths.ts';
import { credentialFiles, type KeyPair, rsaKey } from '../../helpers/credential-keys.ts';
import { CA, type Made, NEEDS_OPENSSL, opensslPki } from '../../helpers/openssl-pki.ts';

describe('the review of trust', NEEDS_OPENSSL, () => {
  const pki = opensslPki();
  after(pki.remove);
  const root = pki.certificate({ subject: '/CN=root', extensions: CA });
  const [good, bad] = ['/CN=good', '/CN=bad'].map((subject) => pki.certificate({ subject, issuer: root }));
  assert.ok(good && bad);
  const chainOf = (made: Made): Shown => ({
    chain: [made.der, root.der].map((der) => new Uint8Array(der)),
    rawKey: undefined,
  });
  const before = storeOf({ trusted: [root] });
  const revoking = storeOf({ trusted: [root], crls: [pki.crl(root, [{ of: bad }])] });

  const reviewOf = (made: readonly Made[]) => {
    const told: string[] = [];
    const ids = new Map(made.map((one) => [proofOf(chainOf(one))?.id, one.subject]));
    const bed = { now: 0, trust: before as TrustStore, told };
    const review = new TrustReview({
      trust: () => bed.trust,
      files: () => NO_CREDENTIALS,
      proofs: () => made.flatMap((one) => proofOf(chainOf(one)) ?? []),
      onDistrust: (reasons) => {
        for (const [id, reason] of reasons) told.push(`${ids.get(id)}: ${reason}`);
      },
      exchangesEndWithin: () => 120_000,
      now: () => bed.now,
      wallClock: Date.now,
    });
    return { bed, review };
  };
  const revoked = ['/CN=bad: certificate of /CN=bad: revoked on 2026-01-01 00:00:00 UTC by the CRL of /CN=root'];

  it('finds those that a new CRL revokes, and no others', async () => {
    const { bed, review } = reviewOf([good, bad]);
    await review.changed();
    assert.deepEqual(bed.told, []);
    bed.trust = revoking;
    await review.changed();
    assert.deepEqual(bed.told, revoked);
  });

  it('finds those whose CA is gone', async () => {
    const { bed, review } = reviewOf([good]);
    bed.trust = storeOf({ trusted: [] });
    await review.changed();
    assert.match(
      bed.told.join(),
      /^\/CN=good: certificate of \/CN=root: signed by itself|no certificate of its issuer \/CN=root/,
    );
  });

  it('looks once more at phase 1s that began before and are complete after a change', async () => {
    const { bed, review } = reviewOf([bad]);
    review.established(chainOf(bad));
    bed.trust = revoking;
    review.established(chainOf(bad));
    assert.deepEqual(bed.told, []);
    await review.changed();
    bed.told.length = 0;
    bed.now = 100_000;
    review.established(chainOf(bad));
    assert.deepEqual(bed.told, revoked);
    bed.told.length = 0;
    review.established(chainOf(good));
    review.established({ chain: [], rawKey: undefined });
    bed.now = 130_000;
    review.established(chainOf(bad));
    assert.deepEqual(bed.told, []);
  });
});

describe('the review of raw keys', () => {
  const spki = (name: string): Uint8Array =>
    new Uint8Array(rsaKey(name).publicKey.export({ type: 'spki', format: 'der' }));
  const filesOf = (keys: Readonly<Record<string, KeyPair>>) => credentialFiles(undefined, keys);
  const shown = { chain: [], rawKey: { identity: identityFromText('left.example'), key: spki('left') } };

  const reviewOf = (files: CredentialFiles) => {
    const told: string[] = [];
    const bed = { files, now: 0, told };
    const review = new TrustReview({
      trust: () => storeOf({ trusted: [] }),
      files: () => bed.files,
      proofs: () => [proofOf(shown) ?? assert.fail()],
      onDistrust: (reasons) => told.push(...reasons.values()),
      exchangesEndWithin: () => 120_000,
      now: () => bed.now,
      wallClock: Date.now,
    });
    return { bed, review };
  };
  const LEFT = { 'fqdn/left.example': rsaKey('left') };

  it('finds those of whom Pubkey-directory has another key by now, or none; not by how the file is called', async () => {
    const { bed, review } = reviewOf(filesOf(LEFT));
    await review.changed();
    bed.files = filesOf({ ...LEFT, 'fqdn/right.example': rsaKey('right') });
    await review.changed();
    bed.files = filesOf({ 'fqdn/LEFT.example': rsaKey('left') });
    await review.changed();
    assert.deepEqual(bed.told, []);
    bed.files = filesOf({ 'fqdn/left.example': rsaKey('right') });
    await review.changed();
    bed.files = filesOf({ 'ufqdn/left.example': rsaKey('left') });
    await review.changed();
    assert.deepEqual(bed.told, [
      'Pubkey-directory has another key than its for left.example',
      'its key is not in Pubkey-directory any more, nor another one for left.example',
    ]);
  });

  it('looks once more at phase 1s that began before and are complete after a change', async () => {
    const { bed, review } = reviewOf(filesOf({}));
    review.established(shown);
    assert.deepEqual(bed.told, []);
    await review.changed();
    bed.told.length = 0;
    review.established(shown);
    assert.equal(bed.told.length, 1);
    bed.now = 130_000;
    review.established(shown);
    assert.equal(bed.told.length, 1);
  });
});
