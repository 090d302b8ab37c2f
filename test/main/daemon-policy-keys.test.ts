/** Daemons whose policy licenses raw keys, names in certificates, and keys that KeyNote credentials delegate to: from files to tunnel. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { type Daemon, until } from '../../loadtest/daemon.ts';
import { privatePem, publicPem, rsaKey } from '../helpers/credential-keys.ts';
import { LEFT, RIGHT, type Side, startPair, testFolder } from '../helpers/daemon-process.ts';
import { credential, principal } from '../helpers/keynote-credentials.ts';
import { CA, NEEDS_OPENSSL, opensslPki } from '../helpers/openssl-pki.ts';

const OPTIONS = { words: ['-d', '-v', '-n', '-4'], transform: 'signing', secret: undefined };
const CONDITIONS =
  'app_domain == "IPsec policy" && esp_enc_alg == "aes" && remote_filter == "010.011.001.000-010.011.001.255"';
/** The left side's address. */
const IS_LEFT = 'remote_id == "127.000.000.001"';

const policy = (licensee: string, conditions = CONDITIONS): string =>
  `Authorizer: "POLICY"\nLicensees: "${licensee}"\nConditions: ${conditions} -> "true";\n`;

/** Paths and contents of files; what lies below `private` or is called so is closed to others. */
type Files = Readonly<Record<string, string | Uint8Array>>;

/** What [General] and sections behind it say, with all files of one side in a folder of its own. */
const sideOf = (folder: string, name: string, files: Files, general: string): string => {
  const place = join(folder, name);
  for (const directory of ['pubkeys', 'private/keys', 'keynote', 'ca', 'certs', 'crls']) {
    mkdirSync(join(place, directory), { recursive: true });
  }
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(place, path)), { recursive: true });
    writeFileSync(join(place, path), content, { mode: path.includes('private') ? 0o600 : 0o644 });
  }
  return `${general}
Pubkey-directory=${place}/pubkeys/
[KeyNote]
Credential-directory=${place}/keynote/
[X509-certificates]
CA-directory=${place}/ca/
Cert-directory=${place}/certs/
CRL-directory=${place}/crls/
Private-key=${place}/private/local.key
Private-key-directory=${place}/private/keys/
[signing]
ENCRYPTION_ALGORITHM=AES_CBC
KEY_LENGTH=128
HASH_ALGORITHM=SHA2_256
AUTHENTICATION_METHOD=RSA_SIG
GROUP_DESCRIPTION=ECP_256
Life=LIFE_MAIN_MODE
`;
};

const [LEFT_KEY, RIGHT_KEY] = [rsaKey('left'), rsaKey('right')];

/** Both ask a policy: the left side, which begins and knows the other one by its raw key, one that permits the tunnel. */
const started = async (t: TestContext, left: Files, right: Files): Promise<readonly [Daemon, Daemon]> => {
  const folder = testFolder(t);
  const known = {
    'pubkeys/ipv4/127.0.0.2': publicPem(RIGHT_KEY),
    'private/local.key': privatePem(LEFT_KEY),
    'private/policy': policy(principal(RIGHT_KEY), CONDITIONS.replaceAll('010.011.001.', '010.011.002.')),
  };
  const own = { 'private/local.key': privatePem(RIGHT_KEY) };
  const asking = ({ name }: Side): string => `Policy-file=${folder}/${name}/private/policy`;
  const general = {
    [LEFT.name]: sideOf(folder, LEFT.name, { ...known, ...left }, asking(LEFT)),
    [RIGHT.name]: sideOf(folder, RIGHT.name, { ...own, ...right }, asking(RIGHT)),
  };
  const pair = await startPair(t, undefined, { ...OPTIONS, general });
  pair[0].command('c tunnel');
  return pair;
};

const hasTunnel = async ([left, right]: readonly [Daemon, Daemon]): Promise<void> => {
  await left.saw('isakmpd: quick mode done');
  await until('the tunnel', () => right.count('isakmpd: quick mode done') > 0 || undefined);
  assert.equal(right.count('refused'), 0);
};

const isRefused = async ([, right]: readonly [Daemon, Daemon], why: RegExp): Promise<void> => {
  await right.saw('refused');
  assert.match(right.log.find((line) => line.includes('refused')) ?? '', why);
  assert.equal(right.count('isakmpd: quick mode done'), 0);
};

describe('a policy that licenses a raw key', () => {
  const known = { 'pubkeys/ipv4/127.0.0.1': publicPem(LEFT_KEY) };
  it('permits its tunnel', async (t) => {
    await hasTunnel(await started(t, {}, { ...known, 'private/policy': policy(principal(LEFT_KEY)) }));
  });
  it('permits no other one', async (t) => {
    const text = policy(principal(LEFT_KEY)).replace('"aes"', '"3des"');
    await isRefused(
      await started(t, {}, { ...known, 'private/policy': text }),
      /by the policy: .*line 3: the clause fails at esp_enc_alg == "3des", esp_enc_alg is "aes"/,
    );
  });
  it('permits nothing to another key', async (t) => {
    const text = policy(principal(rsaKey('stranger')));
    await isRefused(await started(t, {}, { ...known, 'private/policy': text }), /: "false": nothing licenses who asks/);
  });
});

describe('a policy that licenses a CA by its name', NEEDS_OPENSSL, () => {
  const pki = opensslPki();
  after(pki.remove);
  const root = pki.certificate({ subject: '/O=Bed/CN=Root', extensions: CA });
  const own = pki.certificate({
    subject: '/O=Bed/CN=left',
    issuer: root,
    privateKey: LEFT_KEY.privateKey,
    extensions: ['subjectAltName=IP:127.0.0.1'],
  });
  const start = (t: TestContext, text: string): Promise<readonly [Daemon, Daemon]> =>
    started(t, { 'certs/left.pem': own.pem }, { 'ca/root.pem': root.pem, 'private/policy': text });
  it('permits the tunnels of those it has certified', async (t) => {
    await hasTunnel(await start(t, policy('DN:/O=Bed/CN=Root')));
  });
  it('permits them to nobody of another name', async (t) => {
    await isRefused(
      await start(t, policy('DN:/O=Bed/CN=root')),
      /: "false": the policy licenses nobody who licenses who asks: what a certificate says gives/,
    );
  });
  it('permits no other tunnels', async (t) => {
    await isRefused(
      await start(t, policy('DN:/O=Bed/CN=Root').replace('001.255"', '001.127"')),
      /fails at remote_filter == "010\.011\.001\.000-010\.011\.001\.127", remote_filter is "010\.011\.001\.000-010\.011\.001\.255"/,
    );
  });
});

describe('a policy that licenses a key whose credentials delegate', () => {
  const region = rsaKey('region');
  const start = (t: TestContext, credentials: string): Promise<readonly [Daemon, Daemon]> =>
    started(
      t,
      {
        'keynote/127.0.0.1/credentials': credentials,
        'keynote/127.0.0.1/private_key': privatePem(rsaKey('branch')),
      },
      { 'private/policy': policy(principal(rsaKey('ca'))) },
    );
  const fromCa = credential('ca', principal(region), 'esp_present == "yes"');
  const toBranch = credential('region', principal(rsaKey('branch')), IS_LEFT);

  it('permits the tunnel at the end of the chain', async (t) => {
    await hasTunnel(await start(t, `${fromCa}\n${toBranch}`));
  });
  it('permits none that a credential in it does not', async (t) => {
    const strict = credential('ca', principal(region), 'esp_present == "yes" && pfs == "yes"');
    await isRefused(
      await start(t, `${strict}\n${toBranch}`),
      /quick mode refused by the policy: .*credential 1 gives "false": .*fails at pfs == "yes", pfs is "no"/,
    );
  });
  it('knows nobody in phase 1 who has another identity than the one the key is for', async (t) => {
    const other = credential('region', principal(rsaKey('branch')), 'remote_id == "127.000.000.009"');
    await isRefused(
      await start(t, `${fromCa}\n${other}`),
      /phase 1 refused: .*its KeyNote credentials are not taken: .*credential 2 gives "false": .*remote_id is "127\.000\.000\.001"/,
    );
  });
});
