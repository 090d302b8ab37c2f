/** `isakmpd pki ca`, `request`, `sign` and `crl`: openssl judges everything that they make, and what openssl makes is signed by them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NEEDS_OPENSSL } from '../../helpers/openssl-pki.ts';
import { type PkiBed, pkiBed } from '../../helpers/pki-bed.ts';

const KEYS = [
  ['RSA', [], 'sha256WithRSAEncryption'],
  ['P-256', ['--ec', 'P-256'], 'ecdsa-with-SHA256'],
  ['P-384', ['--ec', 'P-384'], 'ecdsa-with-SHA384'],
  ['P-521', ['--ec', 'P-521'], 'ecdsa-with-SHA512'],
] as const;
const FAST = ['--ec', 'P-256'] as const;

const withAuthority = async (bed: PkiBed, options: readonly string[] = FAST): Promise<void> => {
  await bed.done('ca', '--subject', '/C=SE/O=Company/CN=CA', ...options);
  await bed.done('init', ...options);
};

/** Has a certificate of the host's key made for these identities. */
const certified = async (bed: PkiBed, ...identities: readonly [string, ...string[]]): Promise<string> => {
  await bed.done('request', identities[0], '--out', bed.path('request.csr'), '--force');
  return bed.done('sign', bed.path('request.csr'), ...identities, '--out', bed.path('made.crt'), '--force');
};

const verify = (bed: PkiBed, file: string, ...more: readonly string[]) =>
  bed.tryOpenssl('verify', '-x509_strict', '-check_ss_sig', '-CAfile', 'ssl/ca.crt', ...more, file);

for (const [name, options, algorithm] of KEYS) {
  test(`a CA and a certificate with ${name} keys pass openssl's strict check`, NEEDS_OPENSSL, async (t) => {
    const bed = pkiBed(t);
    await withAuthority(bed, options);
    await bed.done('request', '10.1.0.1');
    assert.match(bed.openssl('req', '-in', 'etc/private/10.1.0.1.csr', '-verify', '-noout'), /verify OK/);
    await bed.done('sign', bed.path('etc/private/10.1.0.1.csr'), '10.1.0.1');
    assert.equal(verify(bed, 'etc/certs/10.1.0.1.crt').text, 'etc/certs/10.1.0.1.crt: OK\n');
    for (const file of ['ssl/ca.crt', 'etc/certs/10.1.0.1.crt']) {
      const text = bed.openssl('x509', '-in', file, '-noout', '-text');
      assert.match(text, new RegExp(`Version: 3[\\s\\S]*Signature Algorithm: ${algorithm}`));
      assert.equal(bed.openssl('x509', '-in', file), bed.read(file), 'openssl would write the very same bytes');
    }
    assert.equal(bed.read('etc/ca/ca.crt'), bed.read('ssl/ca.crt'));
  });
}

test('extensions of a CA and of a certificate are what RFC 5280 and RFC 4945 want', NEEDS_OPENSSL, async (t) => {
  const bed = pkiBed(t);
  await withAuthority(bed);
  await certified(bed, 'gate.example.net');
  const keyId = (file: string, which: string): string =>
    bed.openssl('x509', '-in', file, '-noout', '-ext', which).split('\n')[1]?.trim() ?? '';
  const shown = (file: string): readonly string[] =>
    bed
      .openssl('x509', '-in', file, '-noout', '-text', '-certopt', 'ext_default')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => /^(X509v3|CA:|Digital|Certificate Sign|DNS)/.test(line));
  assert.deepEqual(shown('ssl/ca.crt'), [
    'X509v3 extensions:',
    'X509v3 Basic Constraints: critical',
    'CA:TRUE',
    'X509v3 Key Usage: critical',
    'Certificate Sign, CRL Sign',
    'X509v3 Subject Key Identifier:',
    'X509v3 Authority Key Identifier:',
  ]);
  assert.deepEqual(shown('made.crt'), [
    'X509v3 extensions:',
    'X509v3 Basic Constraints: critical',
    'CA:FALSE',
    'X509v3 Key Usage: critical',
    'Digital Signature',
    'X509v3 Subject Key Identifier:',
    'X509v3 Authority Key Identifier:',
    'X509v3 Subject Alternative Name:',
    'DNS:gate.example.net',
  ]);
  assert.equal(keyId('made.crt', 'authorityKeyIdentifier'), keyId('ssl/ca.crt', 'subjectKeyIdentifier'));
  assert.notEqual(keyId('made.crt', 'subjectKeyIdentifier'), keyId('ssl/ca.crt', 'subjectKeyIdentifier'));
});

test('every kind of identity is in the certificate as openssl looks for it', NEEDS_OPENSSL, async (t) => {
  const bed = pkiBed(t);
  await withAuthority(bed);
  await certified(bed, '10.1.0.1', '2001:db8::1', 'gate.example.net', 'joe@example.net');
  for (const check of [
    ['-verify_ip', '10.1.0.1'],
    ['-verify_ip', '2001:db8:0::1'],
    ['-verify_hostname', 'gate.example.net'],
    ['-verify_email', 'joe@example.net'],
  ]) {
    assert.equal(verify(bed, 'made.crt', ...check).status, 0, check.join(' '));
  }
  assert.notEqual(verify(bed, 'made.crt', '-verify_ip', '10.1.0.2').status, 0);
  assert.match(bed.openssl('x509', '-in', 'made.crt', '-noout', '-subject'), /^subject=CN = 10\.1\.0\.1$/m);
});

test('a distinguished name is the subject', NEEDS_OPENSSL, async (t) => {
  const bed = pkiBed(t);
  await withAuthority(bed);
  await bed.done('request', '/C=SE/O=Företag/CN=gate');
  await bed.done(
    'sign',
    bed.path('etc/private/C=SE,O=F\\xc3\\xb6retag,CN=gate.csr'),
    '/C=SE/O=Företag/CN=gate',
    '--out',
    bed.path('made.crt'),
  );
  const subject = bed.openssl('x509', '-in', 'made.crt', '-noout', '-subject', '-nameopt', 'utf8,sep_comma_plus');
  assert.equal(subject, 'subject=C=SE,O=Företag,CN=gate\n');
  assert.equal(verify(bed, 'made.crt').status, 0);
  const two = await bed.pki('request', '/CN=a', '--subject', '/CN=b');
  assert.equal(
    two.err,
    'isakmpd pki: a certificate has one name as its subject: give one, as an identity or with --subject\n',
  );
});

test('serial numbers are random and long', NEEDS_OPENSSL, async (t) => {
  const bed = pkiBed(t);
  await withAuthority(bed);
  const serials = new Set<string>();
  for (let i = 0; i < 5; i++) {
    await certified(bed, '10.1.0.1');
    serials.add(bed.openssl('x509', '-in', 'made.crt', '-noout', '-serial'));
  }
  assert.equal(serials.size, 5);
  for (const serial of serials) assert.match(serial, /^serial=[4-7][0-9A-F]{31}\n$/);
});

test(
  'a request of openssl is signed, but only what the operator grants is in the certificate',
  NEEDS_OPENSSL,
  async (t) => {
    const bed = pkiBed(t);
    await withAuthority(bed);
    bed.openssl('genrsa', '-out', 'peer.key', '2048');
    bed.write(
      'wish.cnf',
      '[req]\ndistinguished_name=dn\nreq_extensions=wish\n[dn]\n[wish]\nbasicConstraints=critical,CA:TRUE\nsubjectAltName=DNS:other.example.net\n',
    );
    bed.openssl('req', '-new', '-config', 'wish.cnf', '-key', 'peer.key', '-subj', '/C=SE/CN=peer', '-out', 'peer.csr');
    const text = await bed.done('sign', bed.path('peer.csr'), 'peer.example.net');
    assert.match(text, /peer\.example\.net\.crt: certificate of \/C=SE\/CN=peer for peer\.example\.net, serial number/);
    assert.equal(verify(bed, 'etc/certs/peer.example.net.crt', '-verify_hostname', 'peer.example.net').status, 0);
    assert.notEqual(verify(bed, 'etc/certs/peer.example.net.crt', '-verify_hostname', 'other.example.net').status, 0);
    assert.match(bed.openssl('x509', '-in', 'etc/certs/peer.example.net.crt', '-noout', '-text'), /CA:FALSE/);
    assert.equal(
      bed.openssl('x509', '-in', 'etc/certs/peer.example.net.crt', '-noout', '-pubkey'),
      bed.openssl('rsa', '-in', 'peer.key', '-pubout').replace('writing RSA key\n', ''),
    );
  },
);

test('a request that was changed on its way is refused', NEEDS_OPENSSL, async (t) => {
  const bed = pkiBed(t);
  await withAuthority(bed);
  await bed.done('request', 'gate.example.net', '--subject', '/CN=gate');
  bed.openssl('req', '-in', 'etc/private/gate.example.net.csr', '-outform', 'DER', '-out', 'request.der');
  const der = Buffer.from(bed.read('etc/private/gate.example.net.csr').replaceAll(/-----.*-----/g, ''), 'base64');
  const at = der.indexOf('gate');
  der.write('gote', at);
  bed.write('changed.csr', der);
  assert.deepEqual(await bed.pki('sign', bed.path('changed.csr'), 'gate.example.net'), {
    status: 1,
    out: '',
    err: 'isakmpd pki: /changed.csr cannot be used: certificate request: its signature is not that of the key in it: it was damaged, or made by somebody else\n',
  });
});

test('the CA of the openssl recipe signs, and its constraints are kept', NEEDS_OPENSSL, async (t) => {
  const bed = pkiBed(t);
  await bed.done('init', ...FAST);
  await bed.done('request', 'gate.example.net');
  bed.write('ssl/private/ca.key', '', 0o600);
  bed.openssl('genrsa', '-out', 'ssl/private/ca.key', '2048');
  const make = (...extensions: readonly string[]): void => {
    const added = extensions.flatMap((extension) => ['-addext', extension]);
    bed.write('ca.cnf', '[req]\ndistinguished_name=dn\n[dn]\n');
    bed.openssl(
      'req',
      '-x509',
      '-new',
      '-config',
      'ca.cnf',
      '-key',
      'ssl/private/ca.key',
      '-subj',
      '/CN=CA',
      '-days',
      '30',
      ...added,
      '-out',
      'ssl/ca.crt',
    );
  };
  const sign = async (): Promise<string> => {
    const { out, err } = await bed.pki(
      'sign',
      bed.path('etc/private/gate.example.net.csr'),
      'gate.example.net',
      '--force',
    );
    return out.replace(/, serial[\s\S]*/, '').replace(bed.folder, '') + err;
  };
  make('basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign', 'subjectKeyIdentifier=hash');
  assert.equal(
    await sign(),
    '/etc/certs/gate.example.net.crt: certificate of /CN=gate.example.net for gate.example.net',
  );
  assert.equal(verify(bed, 'etc/certs/gate.example.net.crt').status, 0);
  const end = (file: string): string => bed.openssl('x509', '-in', file, '-noout', '-enddate');
  assert.equal(end('etc/certs/gate.example.net.crt'), end('ssl/ca.crt'), 'a year would be longer than the CA lives');
  make('basicConstraints=critical,CA:TRUE', 'nameConstraints=critical,permitted;DNS:example.org');
  assert.match(await sign(), /^isakmpd pki: peers would refuse the certificate: .*gate\.example\.net/);
  make('basicConstraints=critical,CA:FALSE');
  assert.equal(
    await sign(),
    'isakmpd pki: /ssl/ca.crt (/CN=CA) is no CA certificate: it has no basicConstraints with CA:TRUE\n',
  );
  make('basicConstraints=critical,CA:TRUE', 'keyUsage=critical,cRLSign');
  assert.equal(
    await sign(),
    'isakmpd pki: /ssl/ca.crt (/CN=CA) may not sign certificates: its keyUsage does not say so\n',
  );
  bed.openssl('genrsa', '-out', 'ssl/private/ca.key', '2048');
  assert.match(
    await sign(),
    /is not the certificate of the key \/ssl\/private\/ca\.key: put the two that belong together there\n$/,
  );
});

test('without CA or key the line says which command makes one', async (t) => {
  const bed = pkiBed(t);
  const [request, sign, crl] = [
    await bed.pki('request', '10.1.0.1'),
    await bed.pki('sign', 'x', '10.1.0.1'),
    await bed.pki('crl'),
  ];
  const cure = 'isakmpd pki ca makes one, and --ca-dir says where it is';
  assert.equal(
    request.err,
    'isakmpd pki: there is no private key /etc/private/local.key: isakmpd pki init makes one\n',
  );
  assert.equal(sign.err, `isakmpd pki: there is no private key /ssl/private/ca.key: ${cure}\n`);
  assert.equal(crl.err, sign.err);
});

test('openssl refuses what a CRL revokes and nothing else, also after the next CRL', NEEDS_OPENSSL, async (t) => {
  const bed = pkiBed(t);
  await withAuthority(bed);
  for (const name of ['a', 'b', 'c']) {
    await bed.done('request', `${name}.example.net`);
    await bed.done('sign', bed.path(`etc/private/${name}.example.net.csr`), `${name}.example.net`);
  }
  const certificate = (name: string): string => `etc/certs/${name}.example.net.crt`;
  const refused = (): readonly string[] =>
    ['a', 'b', 'c'].filter(
      (name) => verify(bed, certificate(name), '-crl_check', '-CRLfile', 'etc/crls/ca.crl').status !== 0,
    );
  await bed.done('crl');
  assert.deepEqual(refused(), []);
  await bed.done('crl', bed.path(certificate('a')), '--reason', 'keyCompromise');
  assert.deepEqual(refused(), ['a']);
  const serial = bed.openssl('x509', '-in', certificate('b'), '-noout', '-serial').trim().replace('serial=', '');
  assert.match(await bed.done('crl', '--serial', serial), /CRL number 3 with 2 revoked, the next one is due on/);
  assert.deepEqual(refused(), ['a', 'b']);
  await bed.done('crl', bed.path(certificate('a')), '--days', '7');
  assert.deepEqual(refused(), ['a', 'b']);
  const text = bed.openssl('crl', '-in', 'etc/crls/ca.crl', '-noout', '-text', '-CAfile', 'ssl/ca.crt');
  assert.match(text, /verify OK/);
  assert.match(text, /CRL Number:\s+4\s/);
  assert.equal(text.match(/Serial Number/g)?.length, 2);
  assert.equal(text.match(/Key Compromise/g)?.length, 1, 'the reason stays with the one that had it');
  assert.equal(bed.mode('etc/crls/ca.crl'), 0o644);
});

test(
  'a CRL of openssl is continued with what it revokes; one of another CA is left alone',
  NEEDS_OPENSSL,
  async (t) => {
    const bed = pkiBed(t);
    await withAuthority(bed);
    bed.write('index', 'R\t401231235959Z\t260101000000Z,superseded\t8012\tunknown\t/CN=x\n');
    bed.write('number', '0f\n');
    bed.write('etc/crls/placeholder', '');
    bed.write(
      'ca.cnf',
      '[ca]\ndefault_ca=c\n[c]\ndatabase=index\ncrlnumber=number\ndefault_md=sha256\ndefault_crl_days=30\n',
    );
    const make = (out: string): string =>
      bed.openssl(
        'ca',
        '-config',
        'ca.cnf',
        '-gencrl',
        '-cert',
        'ssl/ca.crt',
        '-keyfile',
        'ssl/private/ca.key',
        '-out',
        out,
      );
    make('etc/crls/ca.crl');
    assert.match(await bed.done('crl', '--serial', '0x7f'), /CRL number 16 with 2 revoked/);
    const text = bed.openssl('crl', '-in', 'etc/crls/ca.crl', '-noout', '-text');
    assert.match(
      text,
      /Serial Number: 8012\s+Revocation Date: Jan {2}1 00:00:00 2026 GMT[\s\S]*Superseded[\s\S]*Serial Number: 7F/,
    );
    await bed.done('ca', '--subject', '/CN=other', ...FAST, '--force');
    const before = bed.read('etc/crls/ca.crl');
    assert.equal(
      (await bed.pki('crl')).err,
      'isakmpd pki: /etc/crls/ca.crl cannot be used: it is no CRL of /CN=other: move it away, or give another file with --out\n',
    );
    assert.equal(bed.read('etc/crls/ca.crl'), before);
    assert.equal(
      (await bed.pki('crl', '--serial', 'xyz', '--out', bed.path('new.crl'))).err,
      'isakmpd pki: --serial: "xyz" is no serial number in hex digits (isakmpd pki crl --help)\n',
    );
  },
);

test('a certificate of another CA is not revoked', NEEDS_OPENSSL, async (t) => {
  const bed = pkiBed(t);
  await withAuthority(bed);
  bed.openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'x.key', '-subj', '/CN=x', '-out', 'x.crt');
  assert.equal(
    (await bed.pki('crl', bed.path('x.crt'))).err,
    'isakmpd pki: /x.crt was issued by /CN=x, not by /C=SE/O=Company/CN=CA\n',
  );
});
