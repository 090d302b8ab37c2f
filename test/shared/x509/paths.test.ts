/** Paths over certificates that the openssl tool made. */
import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { type Certificate, parseCertificate } from '../../../src/shared/x509/certificate.ts';
import { validatePath } from '../../../src/shared/x509/validate-path.ts';
import { refusedFor, storeOf, taken } from '../../helpers/certificate-paths.ts';
import { CA, NEEDS_OPENSSL, opensslPki } from '../../helpers/openssl-pki.ts';

const subjects = (chain: readonly Certificate[]): readonly string[] => chain.map(({ subject }) => subject.text);

describe('a path', NEEDS_OPENSSL, () => {
  const pki = opensslPki();
  after(pki.remove);
  const root = pki.certificate({ subject: '/CN=root', extensions: CA });
  const sub = pki.certificate({ subject: '/CN=sub', issuer: root, extensions: CA });
  const gate = pki.certificate({ subject: '/C=SE/CN=gate', issuer: sub });
  const trust = { trusted: [root], untrusted: [sub] };

  it('goes from the certificate over those that came along to the CA', () => {
    const outcome = taken(gate, trust);
    assert.deepEqual(subjects(outcome.chain), ['/C=SE/CN=gate', '/CN=sub', '/CN=root']);
    assert.deepEqual(outcome.warnings, []);
    const own = gate.privateKey.export({ format: 'jwk' });
    const { x, y } = outcome.publicKey.export({ format: 'jwk' });
    assert.deepEqual([x, y], [own.x, own.y]);
  });

  it('is refused before and after its time, with the day', () => {
    refusedFor(
      gate,
      { ...trust, days: -2 },
      /^certificate of \/CN=root: valid from \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC only$/,
    );
    refusedFor(gate, { ...trust, days: 40 }, /^certificate of \/CN=root: expired on \d{4}-/);
    const short = pki.certificate({ subject: '/CN=short', issuer: root, days: 3 });
    taken(short, { ...trust, days: 2 });
    refusedFor(short, { ...trust, days: 4 }, /^certificate of \/CN=short: expired on/);
  });

  it('is refused where the intermediate is missing, naming it', () => {
    refusedFor(
      gate,
      { trusted: [root] },
      /^certificate of \/C=SE\/CN=gate: no certificate of its issuer \/CN=sub is there$/,
    );
  });

  it('is refused below another CA, also one of the same name', () => {
    const other = pki.certificate({ subject: '/CN=other', extensions: CA });
    refusedFor(gate, { trusted: [other], untrusted: [sub] }, /no certificate of its issuer \/CN=root is there/);
    const impostor = pki.certificate({ subject: '/CN=root', extensions: CA });
    refusedFor(
      gate,
      { trusted: [impostor], untrusted: [sub] },
      /certificate of \/CN=sub: the key of \/CN=root did not make its signature/,
    );
  });

  it('never ends at a CA that only came along (CVE-2004-0590, CVE-2004-0607)', () => {
    const own = pki.certificate({ subject: '/CN=own', extensions: CA });
    const forged = pki.certificate({ subject: '/CN=gate', issuer: own });
    refusedFor(
      forged,
      { trusted: [root], untrusted: [own] },
      /no certificate of its issuer \/CN=own is there|did not make/,
    );
  });

  it('is refused with any bit of the certificate changed (CVE-2004-0155)', () => {
    const store = storeOf(trust);
    const untrusted = [parseCertificate(sub.der)];
    const original = parseCertificate(gate.der).fingerprint;
    for (let at = 0; at < gate.der.length; at++) {
      const der = Uint8Array.from(gate.der);
      der[at] = (der[at] ?? 0) ^ 1;
      let changed: Certificate;
      try {
        changed = parseCertificate(der);
      } catch {
        continue;
      }
      assert.notEqual(changed.fingerprint, original);
      assert.equal(validatePath(changed, { untrusted, store, at: Date.now() }).kind, 'refused', `byte ${at}`);
    }
  });

  it('tries every certificate of a cross-signed CA', () => {
    const second = pki.certificate({ subject: '/CN=second root', extensions: CA });
    const cross = pki.certificate({ subject: '/CN=sub', issuer: second, extensions: CA, again: sub });
    for (const untrusted of [
      [sub, cross],
      [cross, sub],
    ]) {
      assert.deepEqual(subjects(taken(gate, { trusted: [second], untrusted }).chain).at(-1), '/CN=second root');
      assert.deepEqual(subjects(taken(gate, { trusted: [root], untrusted }).chain).at(-1), '/CN=root');
    }
  });

  it('is found although the first way up is revoked', () => {
    const second = pki.certificate({ subject: '/CN=third root', extensions: CA });
    const cross = pki.certificate({ subject: '/CN=sub', issuer: second, extensions: CA, again: sub });
    const crls = [pki.crl(root, [{ of: sub }])];
    assert.equal(
      taken(gate, { trusted: [root, second], untrusted: [sub, cross], crls }).chain.at(-1)?.subject.text,
      '/CN=third root',
    );
    refusedFor(
      gate,
      { trusted: [root], untrusted: [sub, cross], crls },
      /certificate of \/CN=sub: revoked on 2026-01-01 00:00:00 UTC by the CRL of \/CN=root/,
    );
  });

  it('does not run in circles where CAs certify each other', () => {
    const [a, b] = ['/CN=a', '/CN=b'].map((subject) => pki.certificate({ subject, extensions: CA }));
    assert.ok(a && b);
    const ab = pki.certificate({ subject: '/CN=a', issuer: b, extensions: CA, again: a });
    const ba = pki.certificate({ subject: '/CN=b', issuer: a, extensions: CA, again: b });
    const leaf = pki.certificate({ subject: '/CN=leaf', issuer: a });
    refusedFor(leaf, { trusted: [root], untrusted: [ab, ba] }, /no certificate of its issuer \/CN=a is there/);
    taken(leaf, { trusted: [b], untrusted: [ab, ba] });
  });

  it('has eight certificates at most', () => {
    const chain = [root];
    for (let depth = 1; depth <= 8; depth++) {
      const issuer = chain.at(-1) ?? root;
      chain.push(pki.certificate({ subject: `/CN=ca ${depth}`, issuer, extensions: CA }));
    }
    const [seventh, eighth] = chain.slice(6, 8);
    assert.ok(seventh && eighth);
    const untrusted = chain.slice(1);
    assert.equal(
      taken(pki.certificate({ subject: '/CN=x', issuer: seventh }), { trusted: [root], untrusted }).chain.length,
      8,
    );
    refusedFor(
      pki.certificate({ subject: '/CN=x', issuer: eighth }),
      { trusted: [root], untrusted },
      /its path has more than 8 certificates/,
    );
  });

  it('is given up after a bounded number of steps where many CAs certify each other', () => {
    const cas = Array.from({ length: 6 }, () => pki.certificate({ subject: '/CN=mesh', extensions: CA }));
    const mesh = cas.flatMap((again) =>
      cas
        .filter((issuer) => issuer !== again)
        .map((issuer) => pki.certificate({ subject: '/CN=mesh', issuer, extensions: CA, again })),
    );
    const [issuer = root] = cas;
    const leaf = pki.certificate({ subject: '/CN=leaf', issuer });
    refusedFor(leaf, { trusted: [root], untrusted: mesh }, /too many certificates could have issued each other/);
    taken(leaf, { trusted: [issuer], untrusted: mesh });
  });

  it('ends at a CA that another one certified, where only the lower one is trusted', () => {
    assert.deepEqual(subjects(taken(gate, { trusted: [sub] }).chain), ['/C=SE/CN=gate', '/CN=sub']);
    // Both trusted: the lower one is still subject to the upper one's CRL.
    refusedFor(
      gate,
      { trusted: [root, sub], crls: [pki.crl(root, [{ of: sub }])] },
      /certificate of \/CN=sub: revoked/,
    );
  });

  describe('below what is no CA', () => {
    it('is refused without basicConstraints and key usage (CVE-2026-33896, GHSA-2328-f5f3-gj25)', () => {
      const leaf = pki.certificate({ subject: '/CN=leaf', issuer: root });
      const forged = pki.certificate({ subject: '/CN=forged', issuer: leaf });
      refusedFor(forged, { trusted: [root], untrusted: [leaf] }, /certificate of \/CN=leaf: is no CA certificate/);
    });

    it('is refused with CA:FALSE, and without keyCertSign', () => {
      for (const [extensions, reason] of [
        [['basicConstraints=CA:FALSE', 'keyUsage=keyCertSign'], /is no CA certificate/],
        [['basicConstraints=CA:TRUE', 'keyUsage=digitalSignature'], /no keyCertSign/],
      ] as const) {
        const leaf = pki.certificate({ subject: '/CN=leaf', issuer: root, extensions });
        const forged = pki.certificate({ subject: '/CN=forged', issuer: leaf });
        refusedFor(forged, { trusted: [root], untrusted: [leaf] }, reason);
      }
    });

    it('is refused where the path length is used up, with or without key usage (GHSA-h8mc-2r26-8398)', () => {
      for (const usage of [['keyUsage=keyCertSign'], []]) {
        const first = pki.certificate({
          subject: '/CN=one',
          issuer: root,
          extensions: ['basicConstraints=critical,CA:TRUE,pathlen:0', ...usage],
        });
        const next = pki.certificate({ subject: '/CN=two', issuer: first, extensions: CA });
        const leaf = pki.certificate({ subject: '/CN=leaf', issuer: next });
        refusedFor(
          leaf,
          { trusted: [root], untrusted: [first, next] },
          /certificate of \/CN=two: the path length of a CA above/,
        );
        taken(pki.certificate({ subject: '/CN=leaf', issuer: first }), { trusted: [root], untrusted: [first] });
      }
    });

    it('counts the path length of the trusted CA itself', () => {
      const strict = pki.certificate({
        subject: '/CN=strict',
        extensions: ['basicConstraints=critical,CA:TRUE,pathlen:0'],
      });
      const below = pki.certificate({ subject: '/CN=below', issuer: strict, extensions: CA });
      refusedFor(
        pki.certificate({ subject: '/CN=x', issuer: below }),
        { trusted: [strict], untrusted: [below] },
        /path length/,
      );
    });
  });

  describe('whose certificate is signed by itself', () => {
    it('is refused, with Accept-self-signed taken, and always in its time only', () => {
      const alone = pki.certificate({ subject: '/CN=alone' });
      refusedFor(alone, { trusted: [root] }, /signed by itself, and it is not among the CA certificates/);
      taken(alone, { trusted: [], settings: { acceptSelfSigned: true } });
      refusedFor(alone, { trusted: [], settings: { acceptSelfSigned: true }, days: 40 }, /expired/);
      taken(alone, { trusted: [alone] });
    });

    it('has to have made its own signature', () => {
      const alone = pki.certificate({ subject: '/CN=alone' });
      const der = Buffer.from(alone.der);
      der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
      refusedFor({ ...alone, der }, { trusted: [], settings: { acceptSelfSigned: true } }, /alone/);
    });
  });

  describe('with weak signatures and keys', () => {
    it('is refused with MD5, with SHA-1 unless that is accepted', () => {
      const weak = (digest: string) =>
        pki.certificate({
          subject: '/CN=weak',
          issuer: root,
          digest,
          ...(digest === 'md5' ? { issuer: rsaRoot } : {}),
        });
      const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
      const rsaRoot = pki.certificate({ subject: '/CN=rsa root', extensions: CA, privateKey: rsa });
      const settings = { acceptSha1: true };
      refusedFor(
        weak('md5'),
        { trusted: [rsaRoot], settings },
        /certificate of \/CN=weak: is signed with RSA with MD5, which is broken/,
      );
      refusedFor(weak('sha1'), { trusted: [root] }, /is signed with ECDSA with SHA-1, which is too weak/);
      assert.deepEqual(taken(weak('sha1'), { trusted: [root], settings }).warnings, [
        'certificate of /CN=weak: is signed with ECDSA with SHA-1, which is weak',
      ]);
    });

    it('is refused with RSA below the floor, in a CA too', () => {
      const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
      const smallRoot = pki.certificate({ subject: '/CN=small', extensions: CA, privateKey: small });
      const leaf = pki.certificate({ subject: '/CN=leaf', issuer: smallRoot });
      taken(leaf, { trusted: [smallRoot], settings: { minimumRsaBits: 1024 } });
      refusedFor(
        leaf,
        { trusted: [smallRoot] },
        /certificate of \/CN=small: has an RSA key of 1024 bits, at least 2048/,
      );
    });

    for (const curve of ['prime192v1', 'secp224r1', 'prime239v1', 'sect233k1']) {
      it(`is refused with an EC key on ${curve}, in a CA too`, () => {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: curve });
        const smallRoot = pki.certificate({ subject: '/CN=small', extensions: CA, privateKey });
        const reason = new RegExp(`has an EC key on ${curve}, a curve of less than 256 bits`);
        refusedFor(pki.certificate({ subject: '/CN=leaf', issuer: smallRoot }), { trusted: [smallRoot] }, reason);
        refusedFor(pki.certificate({ subject: '/CN=leaf', issuer: root, privateKey }), { trusted: [root] }, reason);
      });
    }

    it('is taken below CAs on curves of 256 bits and more', () => {
      for (const namedCurve of ['prime256v1', 'secp256k1', 'brainpoolP256r1', 'secp384r1', 'secp521r1', 'sect283k1']) {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve });
        const large = pki.certificate({ subject: '/CN=large', extensions: CA, privateKey });
        taken(pki.certificate({ subject: '/CN=leaf', issuer: large }), { trusted: [large] });
      }
    });

    it('is refused with an EC key whose curve has parameters instead of a name (RFC 5480, CVE-2020-0601)', () => {
      const pem = pki.openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-param_enc', 'explicit');
      const privateKey = createPrivateKey(pem);
      const leaf = pki.certificate({ subject: '/CN=leaf', issuer: root, privateKey });
      assert.throws(() => parseCertificate(leaf.der), /an EC key whose curve has no name/);
    });

    it('is refused with DSA below the floor, in a CA too', () => {
      const { privateKey } = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 });
      const smallRoot = pki.certificate({ subject: '/CN=small', extensions: CA, privateKey });
      const leaf = pki.certificate({ subject: '/CN=leaf', issuer: smallRoot });
      taken(leaf, { trusted: [smallRoot], settings: { minimumRsaBits: 1024 } });
      refusedFor(
        leaf,
        { trusted: [smallRoot] },
        /certificate of \/CN=small: has a DSA key of 1024 bits, at least 2048 are wanted \(Minimum-RSA-bits\)/,
      );
    });

    it('is taken with RSASSA-PSS', () => {
      const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
      const pssRoot = pki.certificate({ subject: '/CN=pss', extensions: CA, privateKey: rsa });
      const options = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32'];
      taken(pki.certificate({ subject: '/CN=leaf', issuer: pssRoot, options }), { trusted: [pssRoot] });
    });

    it('is refused with RSASSA-PSS whose two digests differ', () => {
      const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
      const pssRoot = pki.certificate({ subject: '/CN=pss', extensions: CA, privateKey: rsa });
      const options = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_mgf1_md:sha512'];
      const leaf = pki.certificate({ subject: '/CN=leaf', issuer: pssRoot, options });
      refusedFor(leaf, { trusted: [pssRoot] }, /is signed with RSASSA-PSS with sha256, which is not known here/);
    });
  });

  it('is refused for a critical extension that is not understood', () => {
    const odd = pki.certificate({ subject: '/CN=odd', issuer: root, extensions: ['1.2.3.4=critical,ASN1:NULL'] });
    refusedFor(odd, { trusted: [root] }, /has the critical extension 1\.2\.3\.4, which is not understood/);
    taken(pki.certificate({ subject: '/CN=odd', issuer: root, extensions: ['1.2.3.4=ASN1:NULL'] }), {
      trusted: [root],
    });
  });

  it('is refused where the key may not sign, or where a critical extended key usage is not for IKE (RFC 4945 section 5.1.3)', () => {
    const leaf = (...extensions: readonly string[]) =>
      pki.certificate({ subject: '/CN=leaf', issuer: root, extensions });
    refusedFor(leaf('keyUsage=keyEncipherment'), { trusted: [root] }, /neither digitalSignature nor nonRepudiation/);
    refusedFor(leaf('extendedKeyUsage=critical,serverAuth'), { trusted: [root] }, /not for IKE/);
    taken(leaf('extendedKeyUsage=serverAuth'), { trusted: [root] });
    taken(leaf('keyUsage=nonRepudiation', 'extendedKeyUsage=critical,ipsecIKE'), { trusted: [root] });
  });
});
