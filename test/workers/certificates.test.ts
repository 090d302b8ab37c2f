/** Main and aggressive mode with certificates, made by the openssl tool. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import { AuthenticationMethod, GroupDescription } from '../../src/shared/constants/oakley.ts';
import { type CredentialFiles, NO_CREDENTIALS } from '../../src/shared/credentials/credential-files.ts';
import type { Inbound } from '../../src/shared/exchange/inbound.ts';
import { collected, NOTHING_COLLECTED } from '../../src/shared/exchange/riders/certificates.ts';
import type { PeerPolicy } from '../../src/shared/policy/peer-policy.ts';
import type { OutPayload } from '../../src/shared/wire/message.ts';
import { withCertificate } from '../helpers/added-certificate.ts';
import { ecKey, privatePem, publicPem, rsaKey } from '../helpers/credential-keys.ts';
import { readAnything, unreadableInfo } from '../helpers/ike-script.ts';
import { aes128Sha256, fqdn, LanePair, peerPolicy } from '../helpers/lane-pair.ts';
import { CA, type Made, NEEDS_OPENSSL, opensslPki } from '../helpers/openssl-pki.ts';

const RSA = AuthenticationMethod.RSA_SIG;

const signing = (own: string, other: string, changes: Partial<PeerPolicy> = {}): PeerPolicy =>
  peerPolicy({
    transforms: [{ ...aes128Sha256(), authentication: RSA }],
    preSharedKey: undefined,
    localId: fqdn(own),
    remoteId: fqdn(other),
    ...changes,
  });

const AGGRESSIVE: Partial<PeerPolicy> = {
  exchangeType: ExchangeType.AGGRESSIVE,
  transforms: [{ ...aes128Sha256(), authentication: RSA }],
};

interface OwnFiles {
  readonly own: Made;
  readonly authorities: readonly Made[];
  readonly certificates?: readonly Made[];
}

const named = (made: readonly Made[]) => made.map(({ pem, subject }) => ({ file: subject, bytes: pem }));

const filesOf = ({ own, authorities, certificates = [own] }: OwnFiles): CredentialFiles => ({
  ...NO_CREDENTIALS,
  privateKeys: [
    { identity: '', file: 'local.key', bytes: privatePem({ privateKey: own.privateKey, publicKey: own.privateKey }) },
  ],
  authorities: named(authorities),
  certificates: named(certificates),
});

interface Sides {
  readonly left: CredentialFiles;
  readonly right: CredentialFiles;
}

const worldOf = ({ left, right }: Sides, changes: Partial<PeerPolicy> = {}): LanePair => {
  const world = new LanePair(
    signing('left.example', 'right.example', changes),
    signing('right.example', 'left.example', { address: '10.0.0.1', ...changes }),
  );
  world.left.tell({ kind: 'credentials', files: left });
  world.right.tell({ kind: 'credentials', files: right });
  return world;
};

const established = ({ left, right }: LanePair): readonly number[] =>
  [left, right].map((host) => host.all('phase1Established').length);

const explained = ({ right }: LanePair): string => right.explanations.join('\n');

const names = (name: string): readonly string[] => [`subjectAltName=DNS:${name}`];

describe('certificates', NEEDS_OPENSSL, () => {
  const pki = NEEDS_OPENSSL.skip === false ? opensslPki() : assert.fail();
  after(() => pki.remove());
  const root = pki.certificate({ subject: '/O=Bed/CN=Root', extensions: CA });
  const other = pki.certificate({ subject: '/O=Bed/CN=Other root', extensions: CA });
  const middle = pki.certificate({ subject: '/O=Bed/CN=Middle', issuer: root, extensions: CA });
  const leaf = (name: string, issuer: Made = root, days = 30): Made =>
    pki.certificate({
      subject: `/O=Bed/CN=${name}`,
      issuer,
      days,
      privateKey: rsaKey(name).privateKey,
      extensions: names(`${name}.example`),
    });
  const [left, right] = [leaf('left'), leaf('right')];
  const both: Sides = {
    left: filesOf({ own: left, authorities: [root] }),
    right: filesOf({ own: right, authorities: [root] }),
  };

  for (const [mode, changes] of [
    ['main mode', { exchangeType: ExchangeType.ID_PROT }],
    ['aggressive mode', AGGRESSIVE],
  ] as const) {
    it(`prove both sides in ${mode}`, () => {
      const world = worldOf(both, changes);
      world.start();
      assert.deepEqual(established(world), [1, 1], world.right.log.join('\n'));
      assert.deepEqual(world.left.notices, []);
    });

    it(`CVE-2004-0155: a valid certificate of somebody else's proves nothing in ${mode}`, () => {
      const files = filesOf({ own: left, authorities: [root] });
      const privateKeys = [{ identity: '', file: 'key', bytes: privatePem(rsaKey('thief')) }];
      // Our daemon sends no certificate that its key is not for, so the right side has it already.
      const knowing = filesOf({ own: right, authorities: [root], certificates: [right, left] });
      const world = worldOf({ left: { ...files, privateKeys }, right: knowing }, changes);
      world.start();
      assert.equal(world.right.all('phase1Established').length, 0);
      assert.match(explained(world), /its signature is not made with the key of left\.example/);
    });

    it(`of a CA that we do not trust are refused with the reason in ${mode}`, () => {
      const stranger = leaf('left', other);
      const world = worldOf({ ...both, left: filesOf({ own: stranger, authorities: [root] }) }, changes);
      world.start();
      assert.equal(world.right.all('phase1Established').length, 0);
      assert.match(
        explained(world),
        /its certificate is not taken: certificate of \/O=Bed\/CN=left: no certificate of its issuer \/O=Bed\/CN=Other root is there$/m,
      );
      assert.match(world.right.log.join('\n'), /due to notification type INVALID_CERTIFICATE/);
    });

    it(`threat wrong identity: with another name than the peer's ID are refused with both names in ${mode}`, () => {
      const world = worldOf(both, changes);
      const policy = { ...world.left.policy, localId: fqdn('boss.example') };
      const wrong = pki.certificate({
        subject: '/O=Bed/CN=left',
        issuer: root,
        privateKey: left.privateKey,
        extensions: names('left.example'),
      });
      world.left.tell({ kind: 'peer', policy });
      world.right.tell({ kind: 'peer', policy: { ...world.right.policy, remoteId: fqdn('boss.example') } });
      // It is sent all the same, as a peer that lies would.
      world.bend = withCertificate(world, wrong.der);
      world.start();
      assert.equal(world.right.all('phase1Established').length, 0);
      assert.match(
        explained(world),
        /no public key of boss\.example for RSA_SIG \(its certificate is that of \/O=Bed\/CN=left, left\.example\)/,
      );
    });
  }

  it('threat wrong identity: with the right name as another type than that of the ID are refused with both types', () => {
    const world = worldOf({ ...both, left: filesOf({ own: left, authorities: [root], certificates: [] }) });
    const mistyped = pki.certificate({
      subject: '/O=Bed/CN=left',
      issuer: root,
      privateKey: left.privateKey,
      extensions: ['subjectAltName=email:left.example'],
    });
    world.bend = withCertificate(world, mistyped.der);
    world.start();
    assert.equal(world.right.all('phase1Established').length, 0);
    assert.match(
      explained(world),
      /its certificate is that of \/O=Bed\/CN=left, left\.example \(USER_FQDN, its ID is FQDN\)\)/,
    );
  });

  it('that nobody can read yet what a peer answers to our message 5 is a hint at the certificate', () => {
    const world = worldOf(both);
    world.bend = (_from, bytes, index) => (index < 4 ? [bytes] : []);
    world.start();
    const noise = unreadableInfo(world.wire[2]?.bytes ?? assert.fail());
    world.deliver(world.right, noise);
    assert.match(
      world.left.notices.join('\n'),
      /it answers something that we cannot decrypt yet, probably it does not know our public key or certificate, or expects another ID than ours; look into its log$/,
    );
  });

  it('come with those of CAs in between', () => {
    const below = leaf('left', middle);
    const world = worldOf({
      ...both,
      left: filesOf({ own: below, authorities: [root], certificates: [below, middle] }),
    });
    world.start();
    assert.deepEqual(established(world), [1, 1], explained(world));
  });

  it('CVE-2016-5361: message 2 of aggressive mode, which answers a stranger, has beside our own only as many as make it three times as long as message 1', () => {
    const below = leaf('right', middle);
    for (const [group, kept] of [
      [GroupDescription.MODP_4096, 2],
      [GroupDescription.MODP_2048, 1],
      [GroupDescription.ECP_256, 1],
    ] as const) {
      const world = worldOf(
        { ...both, right: filesOf({ own: below, authorities: [root], certificates: [below, middle] }) },
        { ...AGGRESSIVE, transforms: [{ ...aes128Sha256(group), authentication: RSA }], fragmentation: false },
      );
      world.start();
      const [question, answer] = world.wire.slice(0, 2).map(({ bytes }) => readAnything(bytes));
      assert.equal(answer?.certificates.length, kept, `group ${group}`);
      assert.ok(
        (answer?.header.length ?? 0) <= 3 * (question?.header.length ?? 0) + (kept === 1 ? below.der.length : 0),
      );
      assert.equal(
        world.right.log.some((text) => text.includes('left out of our answer')),
        kept < 2,
      );
    }
  });

  it('of ECDSA keys prove as well', () => {
    const ecLeaf = (name: string): Made =>
      pki.certificate({
        subject: `/CN=${name}`,
        issuer: root,
        privateKey: ecKey(name, 'secp384r1').privateKey,
        extensions: names(`${name}.example`),
      });
    const world = worldOf(
      {
        left: filesOf({ own: ecLeaf('left'), authorities: [root] }),
        right: filesOf({ own: ecLeaf('right'), authorities: [root] }),
      },
      { transforms: [{ ...aes128Sha256(), authentication: AuthenticationMethod.ECDSA_384 }] },
    );
    world.start();
    assert.deepEqual(established(world), [1, 1], explained(world));
  });

  it('that have expired are refused', () => {
    const world = worldOf(both);
    const policy = world.left.policy;
    const late = new LanePair(policy, world.right.policy, 'late', () => Date.now() + 40 * 86_400_000);
    late.left.tell({ kind: 'credentials', files: both.left });
    late.right.tell({ kind: 'credentials', files: both.right });
    late.start();
    assert.equal(late.right.all('phase1Established').length, 0);
    assert.match(explained(late), /its certificate is not taken: certificate of .*: expired on/);
  });

  it('that are revoked are refused', () => {
    const list = pki.crl(root, [{ of: left }]);
    const world = worldOf({ ...both, right: { ...both.right, revocationLists: [{ file: 'crl', bytes: list }] } });
    world.start();
    assert.equal(world.right.all('phase1Established').length, 0);
    assert.match(explained(world), /its certificate is not taken: certificate of .*revoked/);
  });

  it('with a weakness that the configuration allows are taken, and it is said', () => {
    const weak = pki.certificate({
      subject: '/O=Bed/CN=left',
      issuer: root,
      digest: 'sha1',
      privateKey: left.privateKey,
      extensions: names('left.example'),
    });
    const right = { ...both.right, settings: { ...both.right.settings, acceptSha1: true } };
    const world = worldOf({ left: filesOf({ own: weak, authorities: [root] }), right });
    world.start();
    assert.deepEqual(established(world), [1, 1], explained(world));
    assert.match(
      world.right.notices.join(),
      /phase 1: .*certificate of \/O=Bed\/CN=left: is signed with .*SHA-?1.*weak/i,
    );
    const strict = worldOf({ left: filesOf({ own: weak, authorities: [root] }), right: both.right });
    strict.start();
    assert.match(explained(strict), /its certificate is not taken: .*too weak/);
  });

  it('P22: in our Cert-directory are not trusted for lying there', () => {
    const stranger = leaf('left', other);
    const world = worldOf({
      left: filesOf({ own: stranger, authorities: [root], certificates: [] }),
      right: filesOf({ own: right, authorities: [root], certificates: [right, stranger] }),
    });
    world.start();
    assert.equal(world.right.all('phase1Established').length, 0);
    assert.match(explained(world), /its certificate is not taken/);
  });

  it('in our Cert-directory stand for peers that send none', () => {
    const world = worldOf({
      left: filesOf({ own: left, authorities: [root], certificates: [] }),
      right: filesOf({ own: right, authorities: [root], certificates: [right, left] }),
    });
    world.left.tell({
      kind: 'credentials',
      files: {
        ...filesOf({ own: left, authorities: [root], certificates: [] }),
        publicKeys: [{ kind: 'fqdn', name: 'right.example', file: 'right', bytes: publicPem(rsaKey('right')) }],
      },
    });
    world.start();
    assert.deepEqual(established(world), [1, 1], explained(world));
  });

  it('of ours that are not for our private key are not sent', () => {
    const wrong = leaf('thief');
    const renamed = pki.certificate({
      subject: '/CN=x',
      issuer: root,
      privateKey: wrong.privateKey,
      extensions: names('left.example'),
    });
    const world = worldOf({
      ...both,
      left: filesOf({ own: left, authorities: [root], certificates: [renamed, left] }),
    });
    world.start();
    assert.deepEqual(established(world), [1, 1], explained(world));
  });

  it('of ours are chosen by the CA that the peer asks for', () => {
    const forOther = leaf('left', other);
    const world = worldOf({
      left: filesOf({ own: left, authorities: [root, other], certificates: [left, forOther] }),
      right: filesOf({ own: right, authorities: [other] }),
    });
    world.start();
    assert.deepEqual(established(world), [1, 1], explained(world));
  });

  it('are asked for with the names of our CAs, one request each', () => {
    const world = worldOf({ ...both, left: filesOf({ own: left, authorities: [root, other] }) });
    world.start();
    const requests = [2, 3].map((index) => requestsIn(world, index));
    assert.deepEqual(
      requests.map((list) => list.length),
      [2, 1],
    );
  });

  it('are not asked for where the peer has a raw key, and its key counts', () => {
    const raw: CredentialFiles = {
      ...both.left,
      publicKeys: [{ kind: 'fqdn', name: 'right.example', file: 'right', bytes: publicPem(rsaKey('right')) }],
    };
    const world = worldOf({ ...both, left: raw });
    world.start();
    assert.deepEqual(established(world), [1, 1], explained(world));
    assert.deepEqual(requestsIn(world, 2), []);
  });

  it('wrapped in PKCS #7 are taken', () => {
    const wrapped = pki.openssl('crl2pkcs7', '-nocrl', '-certfile', left.files.certificate, '-outform', 'DER');
    const world = worldOf({ ...both, left: filesOf({ own: left, authorities: [root], certificates: [] }) });
    world.bend = withCertificate(world, wrapped, 1);
    world.start();
    assert.equal(world.right.all('phase1Established').length, 1, explained(world));
  });

  it('in messages before the one with the ID are taken', () => {
    const world = worldOf({ ...both, left: filesOf({ own: left, authorities: [root], certificates: [] }) });
    world.bend = withCertificate(world, left.der);
    world.start();
    assert.equal(world.right.all('phase1Established').length, 1, explained(world));
  });

  it('that cannot be read are named', () => {
    const world = worldOf({ ...both, left: filesOf({ own: left, authorities: [root], certificates: [] }) });
    world.bend = withCertificate(world, Buffer.from('3082ffff', 'hex'));
    world.start();
    assert.equal(world.right.all('phase1Established').length, 0);
    assert.match(explained(world), /\(one of its certificates cannot be read: /);
  });
});

it('threat half-open flood: of messages in the clear 16 kB of certificates and requests are kept, and no more than 64 of them', () => {
  const payload = (length: number) => ({ value: { encoding: 4, certificateData: new Uint8Array(length) } });
  const message = (certificates: readonly { value: { encoding: number; certificateData: Uint8Array } }[]): Inbound =>
    ({ certificates, certificateRequests: [], encrypted: false }) as unknown as Inbound;
  const signed = { authentication: RSA };
  const some = collected(NOTHING_COLLECTED, message([payload(10_000), payload(10_000)]), signed);
  assert.equal(some.certificates.length, 1);
  const more = collected(some, message([payload(6_000), payload(400)]), signed);
  assert.equal(
    more.certificates.reduce((sum, { data }) => sum + data.length, 0),
    16_000,
  );
  const secret = { authentication: AuthenticationMethod.PRE_SHARED };
  assert.equal(collected(NOTHING_COLLECTED, message([payload(1)]), secret).certificates.length, 0);
  assert.equal(
    collected(more, message(Array.from({ length: 1000 }, () => payload(0))), signed).certificates.length,
    64,
  );
});

const requestsIn = (world: LanePair, index: number): readonly OutPayload[] => {
  const { certificateRequests } = readAnything(world.wire[index]?.bytes ?? assert.fail());
  return certificateRequests.map(({ value }) => ({ kind: 'CERTREQ', value }));
};
