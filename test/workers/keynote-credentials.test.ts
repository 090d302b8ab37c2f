/** Main and aggressive mode with KeyNote credentials, and the quick modes that a policy permits by them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CertificateEncoding, ExchangeType } from '../../src/shared/constants/isakmp.ts';
import { AuthenticationMethod } from '../../src/shared/constants/oakley.ts';
import type { PeerPolicy } from '../../src/shared/policy/peer-policy.ts';
import { withCertificate } from '../helpers/added-certificate.ts';
import { credentialFiles, rsaKey } from '../helpers/credential-keys.ts';
import { credential, keynoteFile, principal } from '../helpers/keynote-credentials.ts';
import { aes128Sha256, connectionPolicy, fqdn, LanePair, mirrored, peerPolicy } from '../helpers/lane-pair.ts';

const CA = principal(rsaKey('ca'));
const REGION = principal(rsaKey('region'));
const BRANCH = principal(rsaKey('branch'));
const STRANGER = principal(rsaKey('stranger'));
const IS_LEFT = 'remote_id == "left.example"';
/** The policy of the right side: what the CA permits, as long as it is ESP. */
const POLICY = `Authorizer: "POLICY"\nLicensees: "${CA}"\nConditions: app_domain == "IPsec policy" && esp_present == "yes" -> "true";\n`;
/** The CA lets the region, which lets the branch that is the left side. */
const DELEGATION = [credential('ca', REGION), credential('region', BRANCH, IS_LEFT)];

/** True, after more steps than there are. */
const EXPENSIVE = `"${'a'.repeat(9000)}" ~= "^(a*)$"${' && _1 ~= "^((((a*)*)*)*)$"'.repeat(50)}`;

const signing = (own: string, other: string, changes: Partial<PeerPolicy> = {}): PeerPolicy =>
  peerPolicy({
    transforms: [{ ...aes128Sha256(), authentication: AuthenticationMethod.RSA_SIG }],
    preSharedKey: undefined,
    localId: fqdn(own),
    remoteId: fqdn(other),
    ...changes,
  });

interface World {
  readonly credentials?: readonly string[];
  readonly holder?: string;
  /** Undefined: none is asked. */
  readonly policy?: string | undefined;
  readonly changes?: Partial<PeerPolicy>;
  readonly at?: number;
}

/** The right side proves itself by a raw key, the left one by credentials. */
const worldOf = (given: World = {}): LanePair => {
  const { credentials = DELEGATION, holder = 'branch', changes = {} } = given;
  const connection = connectionPolicy();
  const world = new LanePair(
    signing('left.example', 'right.example', { connections: [connection], ...changes }),
    signing('right.example', 'left.example', {
      address: '10.0.0.1',
      connections: [mirrored(connection)],
      ...changes,
    }),
    'seed',
    () => given.at ?? Date.UTC(2026, 10, 26),
  );
  const left = credentialFiles(undefined, { 'fqdn/right.example': rsaKey('right') });
  const keynoteCredentials = [keynoteFile('left.example', holder, credentials)];
  world.left.tell({ kind: 'credentials', files: { ...left, keynoteCredentials } });
  const policy = 'policy' in given ? given.policy : POLICY;
  world.right.tell({ kind: 'credentials', files: credentialFiles(rsaKey('right'), {}, { policy }) });
  return world;
};

const established = ({ left, right }: LanePair): readonly number[] =>
  [left, right].map((host) => host.all('phase1Established').length);

const explained = ({ right }: LanePair): string => right.explanations.join('\n');

/** No phase 1, and a line that says why. */
const isRefused = (world: LanePair, why: RegExp): void => {
  world.start();
  assert.equal(world.right.all('phase1Established').length, 0);
  assert.match(explained(world), why);
};

describe('KeyNote credentials', () => {
  for (const [mode, changes] of [
    ['main mode', { exchangeType: ExchangeType.ID_PROT }],
    ['aggressive mode', { exchangeType: ExchangeType.AGGRESSIVE }],
  ] as const) {
    it(`prove who the initiator is, and have its tunnel permitted, in ${mode}`, () => {
      const world = worldOf({ changes });
      world.start();
      assert.deepEqual(established(world), [1, 1], explained(world));
      world.quick();
      assert.deepEqual([world.left.notices, world.right.notices], [[], []]);
      assert.equal(world.right.all('phase2Established').length, 1);
    });

    it(`prove who the responder is in ${mode}`, () => {
      const world = worldOf({ changes });
      world.left.tell({ kind: 'credentials', files: credentialFiles(rsaKey('left'), {}, { policy: POLICY }) });
      const responder = credentialFiles(undefined, { 'fqdn/left.example': rsaKey('left') });
      const credentials = [credential('ca', BRANCH, 'remote_id == "right.example"')];
      const keynoteCredentials = [keynoteFile('right.example', 'branch', credentials)];
      world.right.tell({ kind: 'credentials', files: { ...responder, keynoteCredentials } });
      world.start();
      world.quick();
      assert.deepEqual(world.left.all('phase2Established').length, 1, world.left.explanations.join('\n'));
    });
  }

  for (const [what, world, why] of [
    ['without a policy prove nothing', { policy: undefined }, /are not taken: no policy is asked \(-K, Use-Keynote\)/],
    [
      'threat self-made credentials: of somebody whom the policy does not license prove nothing',
      { credentials: [credential('stranger', STRANGER, IS_LEFT)], holder: 'stranger' },
      /are not taken: "false": the policy licenses nobody who licenses who asks: credential 1 gives "true"/,
    ],
    [
      'that skip a step of the delegation prove nothing',
      { credentials: DELEGATION.slice(1) },
      /are not taken: "false": the policy licenses nobody who licenses who asks|are not taken: "false": credential 1/,
    ],
    [
      'threat wrong identity: of somebody else prove nothing',
      { credentials: [credential('ca', BRANCH, 'remote_id == "other.example"')] },
      /"false": credential 1 gives "false": .*fails at remote_id == "other\.example", remote_id is "left\.example"/,
    ],
    [
      'threat wrong identity: that do not say whose the key is prove nothing',
      { credentials: [credential('ca', BRANCH)] },
      /are not taken: they license its key and do not say whose it is: let a condition of theirs or of the policy compare remote_id$/m,
    ],
    [
      'that have expired prove nothing',
      { credentials: [credential('ca', BRANCH, `${IS_LEFT} && GMTTimeOfDay < "20261125000000"`)] },
      /fails at GMTTimeOfDay < "20261125000000", GMTTimeOfDay is "20261126000000"/,
    ],
    [
      'for another kind of phase 1 prove nothing',
      { credentials: [credential('ca', BRANCH, `${IS_LEFT} && phase_1 == "aggressive"`)] },
      /fails at phase_1 == "aggressive", phase_1 is "main"/,
    ],
    [
      'threat ReDoS: that cost more than they may prove nothing',
      { credentials: [credential('ca', BRANCH, `${IS_LEFT} && ${EXPENSIVE}`)] },
      /it takes more work than the 500000 steps it may take/,
    ],
  ] as const) {
    it(what, () => isRefused(worldOf(world), why));
  }

  for (const [what, changed, why] of [
    [
      'that were changed',
      (text: string) => text.replace(IS_LEFT, 'true'),
      /credential 2 does not count: its signature/,
    ],
    [
      'without a signature',
      (text: string) => text.replace(/Signature.*\n$/, ''),
      /KeyNote credential 2 does not count: it has no signature/,
    ],
    [
      'that cannot be read',
      (text: string) => text.replace('==', '='),
      /cannot be read: line 7: conditions: "=" cannot/,
    ],
    [
      'for a key that has not signed',
      (text: string) => `${text}\n${credential('ca', STRANGER, IS_LEFT)}`,
      /its signature is not made with the key that the last of them licenses/,
    ],
  ] as const) {
    it(`${what} prove nothing, whatever a peer sends`, () => {
      const world = worldOf();
      world.left.tell({
        kind: 'credentials',
        files: credentialFiles(rsaKey('branch'), { 'fqdn/right.example': rsaKey('right') }),
      });
      const [first = '', last = ''] = DELEGATION;
      world.bend = withCertificate(world, Buffer.from(`${first}\n${changed(last)}`), CertificateEncoding.KEYNOTE);
      isRefused(world, why);
    });
  }

  it('are asked at each quick mode, with the policy of that time', () => {
    const world = worldOf();
    world.start();
    const strict = POLICY.replace('"yes"', '"yes" && esp_enc_alg == "3des"');
    world.right.tell({ kind: 'credentials', files: credentialFiles(rsaKey('right'), {}, { policy: strict }) });
    world.quick();
    assert.equal(world.right.all('phase2Established').length, 0);
    assert.match(world.right.log.join('\n'), /quick mode refused by the policy: .*esp_enc_alg == "3des", .*is "aes"/);
  });

  it('count by what they ask of the tunnel, too', () => {
    const world = worldOf({
      credentials: [credential('ca', BRANCH, `${IS_LEFT} && remote_filter == "010.001.009.000-010.001.009.255"`)],
    });
    world.start();
    assert.deepEqual(established(world), [1, 1], explained(world));
    world.quick();
    assert.equal(world.right.all('phase2Established').length, 0);
    assert.match(
      world.right.log.join('\n'),
      /refused by the policy: .*credential 1 .*remote_filter is "010\.001\.001\.000-010\.001\.001\.255"/,
    );
  });
});
