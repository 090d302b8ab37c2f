import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { IdType } from '../../../src/shared/constants/ipsec-doi.ts';
import { distinguishedParts, nameFromText, nameKey } from '../../../src/shared/policy/distinguished-name.ts';
import { identityText, sameIdentity } from '../../../src/shared/policy/identity.ts';
import { sharedPath } from '../../helpers/shared-folder.ts';

const encoded = (text: string): Uint8Array => nameFromText(text) ?? assert.fail(text);
const partsOf = (text: string): readonly string[] | undefined => distinguishedParts(encoded(text));
const identity = (data: Uint8Array) => ({ type: IdType.DER_ASN1_DN, protocol: 0, port: 0, data });
const same = (a: string, b: string): boolean => sameIdentity(identity(encoded(a)), identity(encoded(b)));

const READ: readonly (readonly [string, string, readonly string[]])[] = [
  ['slashes, first part first', '/C=SE/L=Some City/O=Company/CN=gate', ['C=SE', 'L=Some City', 'O=Company', 'CN=gate']],
  ['a slash inside a value', '/CN=host/gate.example/O=x', ['CN=host/gate.example', 'O=x']],
  ['RFC 4514, last part first', 'CN=gate,O=Company,C=SE', ['C=SE', 'O=Company', 'CN=gate']],
  ['blanks around separators', ' cn = gate , o = Company ', ['O=Company', 'CN=gate']],
  ['escapes', 'CN=a\\,b\\=c\\22\\C3\\A9,O=\\#x', ['O=#x', 'CN=a,b=c"é']],
  ['quotes', 'CN="a,b\\"+c",O=x', ['O=x', 'CN=a,b"+c']],
  ['several attributes in one part', 'CN=gate+UID=7,C=SE', ['C=SE', 'CN=gate+UID=7']],
  ['dotted types', '/2.5.4.3=gate/1.3.6.1.4.1.311=x', ['CN=gate', '1.3.6.1.4.1.311=x']],
  ['a value in hexadecimal', 'CN=#0c0161', ['CN=a']],
  ['long names of types', '/countryName=SE/emailAddress=a@b/DC=example', ['C=SE', 'emailAddress=a@b', 'DC=example']],
];
for (const [what, text, parts] of READ) {
  test(`a name with ${what} is read: ${text}`, () => {
    assert.deepEqual(partsOf(text), parts);
  });
}

for (const text of [
  '',
  '/',
  ',',
  'gate',
  '/C',
  '/XY=a',
  'CN=',
  'CN=a\\',
  'CN="a',
  'CN=a"b',
  'CN=#0',
  'CN=\\ff',
  'CN=a,,O=b',
  '/CN=a/',
]) {
  test(`"${text}" is no distinguished name`, () => {
    const data = nameFromText(text);
    assert.equal(
      data === undefined ? undefined : distinguishedParts(data)?.join(),
      text === '/CN=a/' ? 'CN=a/' : undefined,
    );
  });
}

test('strings are of the kinds that certificates have', () => {
  const hex = Buffer.from(encoded('/C=SE/CN=Büro/DC=a')).toString('hex');
  assert.equal(hex.match(/13025345/)?.length, 1, 'PrintableString SE');
  assert.equal(hex.match(/0c0542c3bc726f/)?.length, 1, 'UTF8String Büro');
  assert.equal(hex.match(/160161/)?.length, 1, 'IA5String a');
});

test('the order of parts counts, case, blanks and kinds of strings do not', () => {
  assert.ok(same('/C=SE/CN=Gate  One', 'CN= gate one,C=se'));
  assert.ok(same('CN=#0c0161', 'CN=#130141'));
  assert.ok(same('CN=a+O=b', 'O=b+CN=a'));
  assert.ok(!same('/C=SE/CN=a', '/CN=a/C=SE'));
  assert.ok(!same('/CN=a', '/CN=a/CN=a'));
});

test('a value that looks like the next part prints differently from the next part', () => {
  const text = identityText(identity(encoded('O=x/CN\\=admin')));
  assert.equal(text, '/O=x\\x2fCN=admin');
  assert.notEqual(text, identityText(identity(encoded('/O=x/CN=admin'))));
  assert.ok(!same('O=x/CN\\=admin', '/O=x/CN=admin'));
});

test('log injection: control characters of a peer’s name are escaped', () => {
  assert.match(identityText(identity(encoded('CN=a\\0a\\1b[2J'))), /^\/CN=a\\x0a\\x1b\[2J$/);
});

test('what was written comes back', () => {
  const value = fc.stringMatching(/^[A-Za-z0-9äß€.:-][A-Za-z0-9äß€ .:-]{0,18}[A-Za-z0-9äß€.:-]$/);
  const type = fc.constantFrom('C', 'O', 'OU', 'CN', 'UID', 'DC', 'emailAddress', '1.2.840.99999.7');
  fc.assert(
    fc.property(fc.array(fc.tuple(type, value), { minLength: 1, maxLength: 8 }), (parts) => {
      const texts = parts.map(([name, text]) => `${name}=${text}`);
      assert.deepEqual(partsOf(`/${texts.join('/')}`), texts);
      assert.deepEqual(partsOf(texts.toReversed().join(',')), texts);
    }),
  );
});

test('CVE-2013-6075: any bytes and any one-byte change of a name are a name or none, without throwing', () => {
  const good = encoded('CN=gate+UID=7,O=Company,C=SE');
  const bent = fc
    .tuple(fc.nat(good.length - 1), fc.nat(255))
    .map(([at, byte]) => good.map((old, i) => (i === at ? byte : old)));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), bent), (data) => {
      assert.equal(nameKey(data) === undefined, distinguishedParts(data) === undefined);
    }),
  );
});

test('any text is a name or none, without throwing', () => {
  const piece = fc.oneof(fc.string(), fc.constantFrom('CN=', '/', ',', '+', '\\', '"', '#', '2.5.4.', 'a', '\\c3'));
  fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => void nameFromText(pieces.join(''))));
});

test('names of foreign vectors that mean the same are the same, others are not', (t) => {
  const path = sharedPath('vectors', 'x509', 'botan-x509_dn_ordering.vec');
  if (path === undefined) return t.skip('shared/vectors is absent');
  let expected = true;
  const names: string[] = [];
  let pairs = 0;
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (/^\[/.test(line)) expected = line.startsWith('[Equal]');
    const text = /^DN[12] =(.*)$/.exec(line)?.[1]?.trim();
    if (text === undefined) continue;
    names.push(text);
    const [a, b] = names.length === 2 ? names.splice(0) : [];
    if (a === undefined || b === undefined || a === '') continue;
    assert.equal(same(a, b), expected, `${a} and ${b}`);
    pairs++;
  }
  t.diagnostic(`${pairs} pairs ran, left out: the empty name, which nobody can configure`);
  assert.ok(pairs > 20);
});

test('foreign identity strings have the wire form that another daemon gives them', (t) => {
  const path = sharedPath('vectors', 'identities', 'strongswan-identification.json');
  if (path === undefined) return t.skip('shared/vectors is absent');
  const { ids }: { readonly ids: readonly Readonly<Record<string, string | null>>[] } = JSON.parse(
    readFileSync(path, 'utf8'),
  );
  const names = ids.filter(({ type, dataHex }) => type === 'ID_DER_ASN1_DN' && dataHex !== null);
  for (const { string, dataHex } of names) {
    assert.equal(Buffer.from(encoded(string ?? '')).toString('hex'), dataHex);
  }
  t.diagnostic(
    `${names.length} distinguished names of ${ids.length} strings; the others follow rules of that daemon's own`,
  );
  assert.ok(names.length > 0);
});
