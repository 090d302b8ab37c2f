/** Files of certificates and CRLs on a disk, as main reads and watches them. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { checkConfiguration } from '../../../src/main/cli/check.ts';
import { bedOf, type CredentialBed } from '../../helpers/credential-bed.ts';
import { CA, NEEDS_OPENSSL, opensslPki } from '../../helpers/openssl-pki.ts';

const DAY = 86_400_000;
const LOOK = 5000;

/** Looks at the files as often as the watch needs to see that nobody writes any more. */
const settle = async ({ timers }: CredentialBed, looks = 3): Promise<void> => {
  for (let look = 0; look < looks; look++) {
    timers.advance(LOOK);
    await nextTurn();
  }
};

describe('certificate files', NEEDS_OPENSSL, () => {
  const pki = opensslPki();
  after(pki.remove);
  const root = pki.certificate({ subject: '/CN=root', extensions: CA, days: 400 });
  const gate = pki.certificate({ subject: '/CN=gate', issuer: root, days: 300 });
  const soon = pki.certificate({ subject: '/CN=soon', issuer: root, days: 10 });
  const crl = pki.crl(root, []);

  const loaded = async (t: TestContext, files: Readonly<Record<string, Buffer | string>>): Promise<CredentialBed> => {
    const bed = bedOf(t);
    bed.write('private/local.key', gate.privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
    for (const [path, bytes] of Object.entries(files)) bed.write(path, bytes, 0o644);
    await bed.credentials.load();
    return bed;
  };
  const countsOf = ({ credentials: { files } }: CredentialBed): readonly number[] =>
    [files.authorities, files.certificates, files.revocationLists].map(({ length }) => length);

  it('are read from the three directories', async (t) => {
    const bed = await loaded(t, { 'ca/root.pem': root.pem, 'certs/gate.crt': gate.der });
    assert.deepEqual(countsOf(bed), [1, 1, 0]);
    assert.deepEqual(bed.lines, ['notice credentials: 1 private key, 1 file of CAs, 1 file of certificates']);
    assert.deepEqual(
      bed.credentials.items.map(({ kind, name }) => `${kind} ${name}`),
      ['authority /CN=root', 'certificate /CN=gate'],
    );
  });

  it('that others may write to, that are broken or that are something else are named and left out', async (t) => {
    const bed = await loaded(t, {
      'ca/root.pem': root.pem,
      'ca/README': 'our CAs',
      'certs/half.pem': gate.pem.subarray(0, 300),
    });
    bed.write('crls/open.pem', crl, 0o666);
    bed.lines.length = 0;
    await bed.credentials.load();
    assert.deepEqual(bed.lines.slice(0, 3), [
      'error credentials: /crls/open.pem is not read: group or others may write to it (chmod 644 would help)',
      'error credentials: /ca/README is not used: neither DER nor PEM with -----BEGIN CERTIFICATE----- and its end',
      'error credentials: /certs/half.pem is not used: neither DER nor PEM with -----BEGIN CERTIFICATE----- and its end',
    ]);
  });

  it('that do no good are named: a CA that is none or has a weak key, a CRL without its CA, a certificate of ours that peers would refuse', async (t) => {
    const other = pki.certificate({ subject: '/CN=other', extensions: CA });
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime192v1' });
    const weak = pki.certificate({ subject: '/CN=weak', extensions: CA, privateKey });
    const bad = pki.certificate({
      subject: '/CN=gate',
      issuer: root,
      again: gate,
      extensions: ['keyUsage=keyEncipherment'],
    });
    const bed = await loaded(t, {
      'ca/root.pem': root.pem,
      'ca/gate.pem': gate.pem,
      'ca/weak.pem': weak.pem,
      'certs/gate.pem': bad.pem,
      'crls/other.pem': pki.crl(other, [], { last: '260101000000Z', next: '400101000000Z' }),
    });
    assert.deepEqual(bed.lines.slice(0, 4), [
      'notice credentials: /ca/gate.pem vouches for nobody: the certificate of /CN=gate is no CA certificate',
      'notice credentials: /ca/weak.pem vouches for nobody: the certificate of /CN=weak has an EC key on prime192v1, a curve of less than 256 bits',
      'notice credentials: /crls/other.pem has no effect: no certificate of /CN=other, who issued this CRL, is there',
      'notice credentials: /certs/gate.pem is ours, and peers may refuse it as we would: certificate of /CN=gate: its key usage has neither digitalSignature nor nonRepudiation',
    ]);
  });

  it('that do not belong to our private keys are named', async (t) => {
    const stranger = pki.certificate({ subject: '/CN=stranger', issuer: root, days: 300 });
    const bed = await loaded(t, { 'ca/root.pem': root.pem, 'certs/gate.pem': stranger.pem });
    assert.equal(
      bed.lines[0],
      'notice credentials: no certificate in Cert-directory belongs to a private key of ours: peers get none',
    );
    const named = pki.certificate({
      subject: '/CN=x',
      issuer: root,
      days: 300,
      extensions: ['subjectAltName=DNS:gate.example'],
    });
    bed.write('certs/own.pem', gate.pem, 0o644);
    bed.write('certs/named.pem', named.pem, 0o644);
    bed.write('private/gate.example', gate.privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
    bed.lines.length = 0;
    await bed.credentials.load();
    assert.equal(
      bed.lines[0],
      'notice credentials: /certs/named.pem names gate.example and does not belong to the private key /private/gate.example',
    );
  });

  it('that end within 30 days are told at load and once a day, that have ended as errors', async (t) => {
    const bed = await loaded(t, { 'ca/root.pem': root.pem, 'certs/soon.pem': soon.pem, 'crls/root.pem': crl });
    const expiries = (): readonly string[] => bed.lines.splice(0).filter((line) => /expire/.test(line));
    const first = expiries();
    assert.equal(first.length, 2);
    assert.match(
      first[0] ?? '',
      /^notice credentials: certificate of \/CN=soon \(\/certs\/soon\.pem\) expires on \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, in 9 days$/,
    );
    assert.match(
      first[1] ?? '',
      /^notice credentials: CRL of \/CN=root \(\/crls\/root\.pem\) expires on .* UTC, in 29 days$/,
    );
    const unwatch = bed.credentials.watch();
    for (let day = 1; day <= 2; day++) {
      bed.now += DAY;
      bed.timers.advance(DAY);
      assert.match(expiries().join(), new RegExp(`in ${9 - day} days`));
    }
    bed.now += 10 * DAY;
    bed.timers.advance(DAY);
    assert.match(expiries().join(), /error credentials: certificate of \/CN=soon \(.*\) expired on /);
    await bed.credentials.load();
    assert.equal(expiries().length, 2);
    unwatch();
    assert.equal(bed.timers.size, 0);
  });

  it('that change are read again, once nobody writes to them any more', async (t) => {
    const bed = await loaded(t, { 'ca/root.pem': root.pem });
    const unwatch = bed.credentials.watch();
    await settle(bed);
    assert.equal(bed.changes, 1);
    bed.write('certs/gate.pem', gate.pem, 0o644);
    await settle(bed, 1);
    assert.equal(bed.changes, 1);
    // Somebody is still at it.
    utimesSync(join(bed.folder, 'certs/gate.pem'), 1, 1);
    await settle(bed, 1);
    assert.equal(bed.changes, 1);
    await settle(bed);
    assert.deepEqual([bed.changes, ...countsOf(bed)], [2, 1, 1, 0]);
    rmSync(join(bed.folder, 'certs/gate.pem'));
    await settle(bed);
    assert.deepEqual([bed.changes, ...countsOf(bed)], [3, 1, 0, 0]);
    unwatch();
  });

  it('of CRLs that are broken count as they were: what they revoke stays revoked', async (t) => {
    const bed = await loaded(t, { 'ca/root.pem': root.pem, 'crls/root.pem': crl });
    const bytes = (): Uint8Array | undefined => bed.credentials.files.revocationLists[0]?.bytes;
    bed.lines.length = 0;
    bed.write('crls/root.pem', crl.subarray(0, 100), 0o644);
    await bed.credentials.load();
    assert.deepEqual(Buffer.from(bytes() ?? []), crl);
    assert.match(bed.lines.join('\n'), /error credentials: \/crls\/root\.pem is not used: neither DER nor PEM/);
    assert.match(bed.lines.join('\n'), /notice credentials: \/crls\/root\.pem counts as it was before/);
    assert.equal(bed.credentials.items.length, 2);
    rmSync(join(bed.folder, 'crls/root.pem'));
    await bed.credentials.load();
    assert.equal(bytes(), undefined);
  });

  it('are checked by isakmpd --check', async (t) => {
    const bed = await loaded(t, {
      'ca/root.pem': root.pem,
      'certs/gate.pem': gate.pem,
      'certs/soon.pem': soon.pem,
      'crls/root.pem': 'nothing',
    });
    const configuration = join(bed.folder, 'isakmpd.conf');
    const directories = [
      ['CA-directory', 'ca'],
      ['Cert-directory', 'certs'],
      ['CRL-directory', 'crls'],
      ['Private-key', 'private/local.key'],
      ['Private-key-directory', 'private'],
    ].map(([tag, name]) => `${tag}=${join(bed.folder, name ?? '')}\n`);
    writeFileSync(configuration, `[X509-certificates]\n${directories.join('')}`, { mode: 0o600 });
    let output = '';
    const status = await checkConfiguration(configuration, { write: (text) => (output += text) });
    assert.equal(status, 1);
    const [first = '', second = '', ...more] = output.replaceAll(bed.folder, '').trim().split('\n');
    assert.equal(
      first,
      '/isakmpd.conf: error: /crls/root.pem is not used: neither DER nor PEM with -----BEGIN X509 CRL----- and its end',
    );
    assert.match(
      second,
      /^\/isakmpd\.conf: warning: certificate of \/CN=soon \(\/certs\/soon\.pem\) expires on .*, in 9 days$/,
    );
    assert.deepEqual(more, []);
  });
});
