/** Names in certificates that the openssl tool made: which identities they stand for, which names a CA may certify. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, it, test } from 'node:test';
import { IdType } from '../../../src/shared/constants/ipsec-doi.ts';
import { DerTag, derElement } from '../../../src/shared/crypto/der.ts';
import { nameKey } from '../../../src/shared/policy/distinguished-name.ts';
import { identityFromText, identityText, sameIdentity } from '../../../src/shared/policy/identity.ts';
import { type Certificate, parseCertificate } from '../../../src/shared/x509/certificate.ts';
import { bindsIdentity, certificateIdentities } from '../../../src/shared/x509/certificate-identity.ts';
import { readExtensions } from '../../../src/shared/x509/extensions.ts';
import { createTrustStore, DEFAULT_TRUST_SETTINGS } from '../../../src/shared/x509/trust-store.ts';
import { validatePath } from '../../../src/shared/x509/validate-path.ts';
import { CA, type Made, NEEDS_OPENSSL, opensslPki } from '../../helpers/openssl-pki.ts';
import { sharedPath } from '../../helpers/shared-folder.ts';

const STRICT = { matchWildcards: false };
const binds = (certificate: Certificate, text: string, settings = STRICT): boolean =>
  bindsIdentity(certificate, identityFromText(text), settings);

describe('identities of a certificate', NEEDS_OPENSSL, () => {
  const pki = opensslPki();
  after(pki.remove);
  const named = (subject: string, ...names: readonly string[]): Certificate =>
    parseCertificate(
      pki.certificate({ subject, extensions: names.length === 0 ? [] : [`subjectAltName=${names.join(',')}`] }).der,
    );
  const all = named(
    '/C=SE/CN=gate',
    'DNS:Gate.example.net',
    'email:ops@example.net',
    'IP:192.0.2.1',
    'IP:2001:db8::1',
    'dirName:dir',
  );

  it('are its subject and all of its alternative names, not only the first', () => {
    assert.deepEqual(certificateIdentities(all).map(identityText), [
      '/C=SE/CN=gate',
      'Gate.example.net',
      'ops@example.net',
      '192.0.2.1',
      '2001:db8::1',
      '/O=Other',
    ]);
    for (const text of [
      '/C=SE/CN=gate',
      'gate.example.net',
      'OPS@example.net',
      '192.0.2.1',
      '2001:db8::1',
      '/O=other',
    ]) {
      assert.ok(binds(all, text), text);
    }
    for (const text of [
      '/CN=gate',
      'gate',
      'example.net',
      'x.gate.example.net',
      'ops@example.org',
      '192.0.2.2',
      '2001:db8::2',
    ]) {
      assert.ok(!binds(all, text), text);
    }
  });

  it('are of the type that is claimed: text never stands for an address', () => {
    const certificate = named('/CN=x', 'DNS:192.0.2.1');
    assert.ok(!binds(certificate, '192.0.2.1'));
    const subnet = {
      type: IdType.IPV4_ADDR_SUBNET,
      protocol: 0,
      port: 0,
      data: Uint8Array.of(192, 0, 2, 1, 255, 255, 255, 255),
    };
    assert.ok(!bindsIdentity(all, subnet, STRICT));
    const mapped = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1);
    assert.ok(!bindsIdentity(all, { type: IdType.IPV6_ADDR, protocol: 0, port: 0, data: mapped }, STRICT));
  });

  it('count whatever protocol and port the peer adds', () => {
    assert.ok(bindsIdentity(all, { ...identityFromText('192.0.2.1'), protocol: 17, port: 500 }, STRICT));
  });

  it('are never the common name', () => {
    assert.ok(!binds(named('/CN=gate.example.net'), 'gate.example.net'));
  });

  it('are wildcards only where that is configured, and of one label', () => {
    const wild = named('/CN=x', 'DNS:*.example.net', 'DNS:*.org', 'DNS:a*.example.com');
    const matchWildcards = { matchWildcards: true };
    assert.ok(!binds(wild, 'a.example.net'));
    assert.ok(!binds(wild, '*.example.net'));
    assert.ok(binds(wild, 'A.example.net', matchWildcards));
    for (const text of ['a.b.example.net', 'example.net', '.example.net', '*.example.net', 'a.org', 'ab.example.com']) {
      assert.ok(!binds(wild, text, matchWildcards), text);
    }
  });

  it('with a NUL in them make the certificate unreadable (CVE-2009-2408)', () => {
    const { der } = pki.certificate({
      subject: '/CN=gate.example.net',
      extensions: ['subjectAltName=DNS:gate.example.net'],
    });
    for (const place of [der.indexOf('example'), der.lastIndexOf('example')]) {
      const changed = Buffer.from(der);
      changed[place - 1] = 0;
      assert.throws(() => parseCertificate(changed), /CertificateError: .*a NUL in a name/);
    }
  });

  it('with control characters make it unreadable', () => {
    const { der } = pki.certificate({ subject: '/CN=x', extensions: ['subjectAltName=DNS:gate.example.net'] });
    der[der.indexOf('gate')] = 0x0a;
    assert.throws(() => parseCertificate(der), /no printable ASCII/);
  });
});

describe('name constraints', NEEDS_OPENSSL, () => {
  const pki = opensslPki();
  after(pki.remove);
  const root = pki.certificate({ subject: '/CN=root', extensions: CA });
  const store = createTrustStore(
    { authorities: [{ file: 'root.pem', bytes: root.pem }], certificates: [], revocationLists: [] },
    { ...DEFAULT_TRUST_SETTINGS, matchWildcards: true },
  );
  const limited = (constraints: string): Made =>
    pki.certificate({
      subject: '/C=SE/CN=sub',
      issuer: root,
      extensions: [...CA, `nameConstraints=critical,${constraints}`],
    });
  const below = (issuer: Made, name: string, subject = '/C=SE/CN=leaf'): string => {
    const leaf = pki.certificate({ subject, issuer, extensions: name === '' ? [] : [`subjectAltName=${name}`] });
    const untrusted = [parseCertificate(issuer.der)];
    const outcome = validatePath(parseCertificate(leaf.der), { untrusted, store, at: Date.now() });
    return outcome.kind === 'valid' ? 'valid' : outcome.reason;
  };

  const CASES: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    [
      'permitted;DNS:example.net',
      ['DNS:example.net', 'DNS:a.EXAMPLE.net', 'DNS:*.example.net', 'DNS:example.net.', 'email:a@b.c', 'IP:192.0.2.1'],
      ['DNS:example.org', 'DNS:badexample.net', 'DNS:*.net'],
    ],
    ['permitted;DNS:.example.net', ['DNS:a.example.net'], ['DNS:example.net']],
    [
      'excluded;DNS:secret.example.net',
      ['DNS:example.net', 'DNS:open.example.net'],
      [
        'DNS:secret.example.net',
        'DNS:SECRET.Example.NET',
        'DNS:a.secret.example.net',
        'DNS:*.example.net',
        'DNS:secret.example.net.',
      ],
    ],
    ['excluded;DNS:SECRET.example.net', ['DNS:example.net'], ['DNS:secret.example.net']],
    [
      'permitted;email:example.net',
      ['email:a@example.net', 'email:a@EXAMPLE.NET'],
      ['email:a@b.example.net', 'email:a@example.org'],
    ],
    ['permitted;email:.example.net', ['email:a@b.example.net'], ['email:a@example.net']],
    ['permitted;email:ops@example.net', ['email:ops@example.net'], ['email:Ops@example.net', 'email:a@example.net']],
    ['excluded;email:ops@example.net', ['email:a@example.net'], ['email:ops@example.net', 'email:OPS@example.net']],
    [
      'permitted;IP:192.0.2.0/255.255.255.0',
      ['IP:192.0.2.255', 'DNS:x'],
      ['IP:192.0.3.0', 'IP:2001:db8::1', 'IP:::ffff:192.0.2.1'],
    ],
    ['excluded;IP:0.0.0.0/0.0.0.0', ['IP:2001:db8::1'], ['IP:192.0.2.1']],
    ['permitted;IP:2001:db8::/ffff:ffff::', ['IP:2001:db8::1'], ['IP:2001:db9::1', 'IP:192.0.2.1']],
    ['excluded;URI:example.net', ['DNS:example.net'], ['URI:ldap://example.org/x']],
    ['permitted;dirName:se', ['', 'dirName:seother'], ['dirName:other']],
    [
      'excluded;email:example.net',
      ['otherName:1.2.3.4;UTF8:a@example.net'],
      ['otherName:1.3.6.1.5.5.7.8.9;UTF8:a@example.net'],
    ],
  ];
  for (const [constraints, permitted, excluded] of CASES) {
    it(`of ${constraints} hold for every name (CVE-2026-35331)`, () => {
      const sub = limited(constraints);
      for (const name of permitted) assert.equal(below(sub, name), 'valid', name);
      for (const name of excluded) {
        assert.match(
          below(sub, name),
          /certificate of \/C=SE\/CN=leaf: the name .* by the name constraints of \/C=SE\/CN=sub/,
          name,
        );
      }
    });
  }

  it('hold for every name, not for one of them', () => {
    assert.match(
      below(limited('permitted;DNS:example.net'), 'DNS:example.net,DNS:example.org'),
      /the name example\.org is not among those permitted/,
    );
  });

  it('hold for the subject and for mail addresses in it', () => {
    assert.match(
      below(limited('permitted;dirName:se'), '', '/C=DE/CN=leaf'),
      /the name \/C=DE\/CN=leaf is not among those permitted/,
    );
    assert.match(
      below(limited('excluded;email:example.net'), '', '/CN=leaf/emailAddress=a@example.net'),
      /the name a@example.net is excluded/,
    );
  });

  it('hold for all further CAs below, and each CA narrows them', () => {
    const first = limited('permitted;DNS:example.net');
    const second = pki.certificate({
      subject: '/CN=second',
      issuer: first,
      extensions: [...CA, 'nameConstraints=critical,permitted;DNS:example.org'],
    });
    const untrusted = [first, second].map(({ der }) => parseCertificate(der));
    for (const name of ['DNS:example.net', 'DNS:example.org']) {
      const leaf = pki.certificate({ subject: '/CN=leaf', issuer: second, extensions: [`subjectAltName=${name}`] });
      assert.equal(validatePath(parseCertificate(leaf.der), { untrusted, store, at: Date.now() }).kind, 'refused');
    }
  });
});

/** Blocks of `KEY = value` lines below `[Section]` lines. */
const vectors = (name: string): readonly { readonly section: string; readonly values: readonly string[] }[] => {
  const path = sharedPath('vectors', 'x509', name);
  let section = '';
  const blocks: { section: string; values: string[] }[] = [];
  for (const line of path === undefined ? [] : readFileSync(path, 'utf8').split('\n')) {
    section = /^\[(.*)\]$/.exec(line)?.[1] ?? section;
    const value = /^[A-Za-z0-9]+ = (.*)$/.exec(line)?.[1];
    if (value === undefined) continue;
    const open = blocks.at(-1);
    if (open === undefined || open.values.length === 2) blocks.push({ section, values: [value] });
    else open.values.push(value);
  }
  return blocks;
};
const NEEDS_VECTORS = {
  skip: sharedPath('vectors', 'x509') === undefined ? 'there is no ../shared/vectors/x509' : false,
};

test("Botan's address constraints: masks with gaps are refused", NEEDS_VECTORS, (t) => {
  const blocks = vectors('botan-general_name_ip.vec');
  assert.ok(blocks.length > 10);
  for (const { section, values } of blocks) {
    const bytes = Buffer.from(values.join(''), 'hex');
    const subtree = derElement(DerTag.SEQUENCE, derElement(0x87, bytes));
    const value = derElement(DerTag.SEQUENCE, derElement(0xa0, subtree));
    const read = () => readExtensions([{ oid: '2.5.29.30', isCritical: true, value }]).nameConstraints;
    if (section === 'Valid') assert.deepEqual(read()?.permitted, [{ kind: 'address', bytes: new Uint8Array(bytes) }]);
    else assert.throws(read, /nameConstraints: (a mask with gaps|address and mask of)/, values.join('/'));
  }
  t.diagnostic(`${blocks.length} address constraints fed, none wrong`);
});

test('values that are no strings equal no string that looks like them', () => {
  const name = (tag: number, value: Uint8Array): Uint8Array => {
    const type = derElement(DerTag.OBJECT_IDENTIFIER, Uint8Array.of(0x55, 4, 3));
    return derElement(
      DerTag.SEQUENCE,
      derElement(DerTag.SET, derElement(DerTag.SEQUENCE, type, derElement(tag, value))),
    );
  };
  const identity = (data: Uint8Array) => ({ type: IdType.DER_ASN1_DN, protocol: 0, port: 0, data });
  const text = new TextEncoder().encode('#0102');
  const pairs = [
    [name(DerTag.OCTET_STRING, Uint8Array.of(1, 2)), name(DerTag.UTF8_STRING, text)],
    [name(DerTag.OCTET_STRING, Uint8Array.of(1, 2)), name(DerTag.BIT_STRING, Uint8Array.of(1, 2))],
    // Two values that are no UTF-8 look the same to a decoder that repairs them.
    [name(DerTag.UTF8_STRING, Uint8Array.of(0x61, 0xff)), name(DerTag.UTF8_STRING, Uint8Array.of(0x61, 0xfe))],
  ] as const;
  for (const [a, b] of pairs) {
    assert.notEqual(nameKey(a), undefined);
    assert.ok(!sameIdentity(identity(a), identity(b)));
  }
});
