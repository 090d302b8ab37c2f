/** The policies of config/isakmpd.policy.example and of isakmpd.policy(5) permit and refuse what they say. */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readPolicy } from '../../src/main/credentials/policy-file.ts';
import { readSecretFile } from '../../src/main/privileged/secret-file.ts';
import type { Authenticated } from '../../src/shared/credentials/authenticated.ts';
import { parseAssertions } from '../../src/shared/keynote/assertion.ts';
import { identityFromText } from '../../src/shared/policy/identity.ts';
import type { QuickModeAction } from '../../src/shared/policy-check/action.ts';
import { createPolicyCheck } from '../../src/shared/policy-check/policy-check.ts';
import { type KeyPair, rsaKey } from '../helpers/credential-keys.ts';
import { testFolder } from '../helpers/daemon-process.ts';
import { credential, principal } from '../helpers/keynote-credentials.ts';
import { CA, type Made, NEEDS_OPENSSL, opensslPki } from '../helpers/openssl-pki.ts';
import { pathTo, quickModeAction } from '../helpers/quick-mode-action.ts';

const EXAMPLE = 'config/isakmpd.policy.example';
const ADMINISTRATOR = 'rsa-hex:KEY-OF-THE-ADMINISTRATOR';
/** Of tomorrow: certificates of this test are valid then. */
const NOON = new Date().setHours(36, 0, 0, 0);

const wants = (remote: string, more: Partial<QuickModeAction> = {}): QuickModeAction =>
  quickModeAction({
    remoteId: identityFromText('branch.example.org'),
    path: pathTo('198.51.100.1'),
    selectors: { local: identityFromText('10.1.0.0/255.255.0.0'), remote: identityFromText(remote) },
    choice: candidate(256),
    at: NOON,
    ...more,
  });

/** ESP with AES of keys of so many bits; `group`: of PFS. */
const candidate = (keyLength: number, group?: number): QuickModeAction['choice'] => ({
  protocols: [
    {
      ...{ protocolId: 3, transformId: 12, authentication: 5, encapsulation: 1, keyLength },
      ...{ replayWindow: 32, peerSpi: 0x1000 },
    },
  ],
  group,
  lifetimes: { seconds: 3600, kilobytes: 0, shortened: false },
});

const withPassphrase = (secret: string): Authenticated => ({ kind: 'passphrase', secret: Buffer.from(secret) });
const withKey = ({ publicKey }: KeyPair, keynote: readonly string[] = []): Authenticated => ({
  kind: 'publicKey',
  key: publicKey.export({ type: 'spki', format: 'der' }),
  chain: [],
  rawKeyOf: undefined,
  keynote,
});

/** Asks a policy. */
const asking = (text: string) => {
  const check = createPolicyCheck(text);
  return (who: Authenticated, action: QuickModeAction): boolean => check.permission(who, action).isPermitted;
};

describe(EXAMPLE, () => {
  const example = readFileSync(EXAMPLE, 'latin1');
  const permits = asking(
    example
      .replaceAll(`"${ADMINISTRATOR}"`, `"${principal(rsaKey('admin'))}"`)
      .replace('"rsa-base64:KEY-OF-THE-PEER"', `"${principal(rsaKey('peer'))}"`),
  );

  it('is read by the daemon without complaint', async (t) => {
    const copy = join(testFolder(t), 'isakmpd.policy');
    writeFileSync(copy, example);
    chmodSync(copy, 0o600);
    const { faults } = await readPolicy({ readSecretFile: async (path) => readSecretFile(path) }, copy);
    assert.deepEqual(faults, []);
    assert.equal(parseAssertions(example).assertions.length, 4);
  });
  it('permits one network to who has the passphrase', () => {
    assert.ok(permits(withPassphrase('mekmitasdigoat'), wants('10.2.0.0/255.255.0.0')));
    assert.ok(!permits(withPassphrase('mekmitasdigoat'), wants('10.3.0.0/255.255.0.0')));
    assert.ok(!permits(withPassphrase('another'), wants('10.2.0.0/255.255.0.0')));
  });
  it('permits one network to a raw key', () => {
    assert.ok(permits(withKey(rsaKey('peer')), wants('10.4.0.0/255.255.0.0')));
    assert.ok(!permits(withKey(rsaKey('peer')), wants('10.2.0.0/255.255.0.0')));
    assert.ok(!permits(withKey(rsaKey('stranger')), wants('10.4.0.0/255.255.0.0')));
  });
  it('permits what credentials of the administrator say', () => {
    const says = (remoteId: string): Authenticated =>
      withKey(rsaKey('gateway'), [
        credential(
          'admin',
          principal(rsaKey('gateway')),
          `app_domain == "IPsec policy" && remote_id == "${remoteId}" && remote_filter == "010.005.000.000-010.005.255.255" -> "true"`,
        ),
      ]);
    assert.ok(permits(says('branch.example.org'), wants('10.5.0.0/255.255.0.0')));
    assert.ok(!permits(says('branch.example.org'), wants('10.6.0.0/255.255.0.0')));
    assert.ok(!permits(says('another.example.org'), wants('10.5.0.0/255.255.0.0')));
    assert.ok(!permits(withKey(rsaKey('gateway')), wants('10.5.0.0/255.255.0.0')));
  });
  describe('with certificates', NEEDS_OPENSSL, () => {
    const pki = opensslPki();
    after(pki.remove);
    const from = (name: string): Authenticated => certified(pki, `/C=SE/O=Example/CN=${name}`, '/CN=gate');
    it('permits networks within one to whom the CA has certified', () => {
      assert.ok(permits(from('Example CA'), wants('10.3.7.0/255.255.255.0')));
      assert.ok(!permits(from('Example CA'), wants('10.4.7.0/255.255.255.0')));
      assert.ok(!permits(from('Example CA'), wants('10.3.7.0/255.255.255.0', { choice: candidate(128) })));
      assert.ok(!permits(from('Other CA'), wants('10.3.7.0/255.255.255.0')));
    });
  });
});

/** A peer with a certificate of this CA. */
const certified = (pki: ReturnType<typeof opensslPki>, authority: string, subject: string): Authenticated => {
  const issuer = pki.certificate({ subject: authority, extensions: CA });
  const own: Made = pki.certificate({ subject, issuer });
  const key = rsaKey('certified').publicKey.export({ type: 'spki', format: 'der' });
  return { kind: 'publicKey', key, chain: [own.der, issuer.der], rawKeyOf: undefined, keynote: [] };
};

/** The examples of the manual page, in its order: what is indented by four columns. */
const MANUAL = readFileSync('docs/man/isakmpd.policy.5.md', 'latin1')
  .replace(/^.*^# Examples$/ms, '')
  .split(/^\S.*$/m)
  .map((text) => text.replaceAll(/^ {4}/gm, '').trim())
  .filter((text) => text !== '')
  .map((text) => `${text}\n`);

describe('isakmpd.policy(5)', () => {
  const [byPassphrase = '', byName = '', byDelegation = '', ofBranch = '', forWarriors = ''] = MANUAL;

  it('has five examples that can be read', () => {
    assert.deepEqual(
      MANUAL.map((text) => parseAssertions(text)).map(({ assertions, faults }) => [assertions.length, faults]),
      [
        [1, []],
        [2, []],
        [1, []],
        [1, []],
        [1, []],
      ],
    );
  });
  it('permits AES with 256 bits by passphrase', () => {
    const permits = asking(byPassphrase);
    const who = withPassphrase('mekmitasdigoat');
    assert.ok(permits(who, wants('10.9.0.0/255.255.0.0')));
    assert.ok(!permits(who, wants('10.9.0.0/255.255.0.0', { choice: candidate(128) })));
    assert.ok(!permits(withPassphrase('another'), wants('10.9.0.0/255.255.0.0')));
  });
  it('permits what the names in certificates are for', NEEDS_OPENSSL, (t) => {
    const pki = opensslPki();
    t.after(pki.remove);
    const permits = asking(byName);
    const branch = certified(pki, '/C=SE/O=Example/CN=CA', '/CN=gate');
    const office = certified(pki, '/C=SE/O=Example/CN=CA', '/C=SE/O=Example/CN=head office');
    assert.ok(permits(branch, wants('10.1.3.0/255.255.255.0')));
    assert.ok(!permits(branch, wants('10.2.3.0/255.255.255.0')));
    assert.ok(permits(office, wants('10.2.3.0/255.255.255.0')));
  });
  it('permits a branch what the credential of the administrator says, by day', () => {
    const permits = asking(byDelegation.replace(ADMINISTRATOR, principal(rsaKey('admin'))));
    const conditions = /^Conditions: (.*);\nSignature:/ms.exec(ofBranch)?.[1] ?? '';
    const branch = withKey(rsaKey('branch'), [credential('admin', principal(rsaKey('branch')), conditions)]);
    const action = (remote: string, more: Partial<QuickModeAction> = {}): QuickModeAction =>
      wants(remote, { choice: candidate(256, 14), ...more });
    assert.ok(permits(branch, action('10.1.2.0/255.255.255.0')));
    assert.ok(!permits(branch, action('10.1.2.0/255.255.255.0', { at: NOON + 11 * 3_600_000 })), 'at night');
    assert.ok(!permits(branch, wants('10.1.2.0/255.255.255.0')), 'without PFS');
    assert.ok(!permits(branch, action('10.1.3.0/255.255.255.0')), 'another network');
    const other = { remoteId: identityFromText('other.example.org') };
    assert.ok(!permits(branch, action('10.1.2.0/255.255.255.0', other)), 'another identity');
  });
  it('permits each road warrior its own address and the office, and nothing else', NEEDS_OPENSSL, (t) => {
    const pki = opensslPki();
    t.after(pki.remove);
    const permits = asking(forWarriors);
    const warrior = certified(pki, '/C=SE/O=Example/CN=CA', '/CN=alice');
    const alice = { remoteId: identityFromText('alice@example.org') };
    const everything = { local: identityFromText('0.0.0.0/0.0.0.0'), remote: identityFromText('10.9.0.1') };
    assert.ok(permits(warrior, wants('10.9.0.1', alice)));
    assert.ok(!permits(warrior, wants('10.9.0.2', alice)), "bob's address");
    assert.ok(!permits(warrior, wants('10.9.0.1', { ...alice, selectors: everything })), 'more than the office');
    assert.ok(!permits(warrior, wants('10.9.0.1')), 'somebody else');
  });
});
