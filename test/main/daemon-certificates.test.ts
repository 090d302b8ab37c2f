/** Daemons that prove themselves by certificates, and what a new CRL does to their SAs. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { type Daemon, until } from '../../loadtest/daemon.ts';
import { LEFT, RIGHT, type Side, startPair, testFolder } from '../helpers/daemon-process.ts';
import { CA, type Made, NEEDS_OPENSSL, opensslPki } from '../helpers/openssl-pki.ts';

describe('daemons with certificates', NEEDS_OPENSSL, () => {
  const pki = opensslPki();
  after(pki.remove);
  const root = pki.certificate({ subject: '/CN=root', extensions: CA });
  const certificateOf = ({ name, address }: Side): Made =>
    pki.certificate({ subject: `/CN=${name}`, issuer: root, extensions: [`subjectAltName=IP:${address}`] });
  const [left, right] = [certificateOf(LEFT), certificateOf(RIGHT)];

  const filesOf = (folder: string, { name }: Side, own: Made): string => {
    const place = join(folder, `${name}-x509`);
    for (const directory of ['ca', 'certs', 'crls', 'private']) mkdirSync(join(place, directory), { recursive: true });
    writeFileSync(join(place, 'ca/root.pem'), root.pem, { mode: 0o644 });
    writeFileSync(join(place, 'certs/own.pem'), own.pem, { mode: 0o644 });
    const key = own.privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(join(place, 'private/local.key'), key, { mode: 0o600 });
    return `
[X509-certificates]
CA-directory=${place}/ca/
Cert-directory=${place}/certs/
CRL-directory=${place}/crls/
Private-key=${place}/private/local.key
Private-key-directory=${place}/private/
[signing]
ENCRYPTION_ALGORITHM=AES_CBC
KEY_LENGTH=128
HASH_ALGORITHM=SHA2_256
AUTHENTICATION_METHOD=ECDSA_256
GROUP_DESCRIPTION=ECP_256
Life=LIFE_MAIN_MODE
`;
  };
  const start = async (
    t: TestContext,
  ): Promise<{ readonly pair: readonly [Daemon, Daemon]; readonly folder: string }> => {
    const folder = testFolder(t);
    const general = { [LEFT.name]: filesOf(folder, LEFT, left), [RIGHT.name]: filesOf(folder, RIGHT, right) };
    return { folder, pair: await startPair(t, undefined, { transform: 'signing', secret: undefined, general }) };
  };
  const hasTunnel = async (daemon: Daemon): Promise<boolean> => /Phase: 2|phase 2/i.test(await daemon.ask('S'));

  it('lose the SAs of a peer whose certificate a new CRL revokes, as soon as the file is there, and refuse it from then on', async (t) => {
    const { pair, folder } = await start(t);
    const [initiator, responder] = pair;
    initiator.command('c tunnel');
    await until('the tunnel', async () => (await hasTunnel(responder)) || undefined);
    writeFileSync(join(folder, 'right-x509/crls/root.pem'), pki.crl(root, [{ of: left }]), { mode: 0o644 });
    await responder.saw('is no longer trusted: certificate of /CN=left: revoked on 2026-01-01 00:00:00 UTC');
    await responder.saw('1 ISAKMP and 1 IPsec SAs are deleted');
    await until('both to have lost the tunnel', async () => {
      const tunnels = await Promise.all(pair.map(hasTunnel));
      return !tunnels.includes(true) || undefined;
    });
    initiator.command('c tunnel');
    await until(
      'the refusal',
      () => responder.count('certificate of /CN=left: revoked on 2026-01-01') > 1 || undefined,
    );
    assert.ok(!(await hasTunnel(responder)));
  });
});
