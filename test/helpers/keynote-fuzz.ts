/** Mutated KeyNote assertions, read as a policy and as credentials, and asked. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseAssertions, parseCredentials } from '../../src/shared/keynote/assertion.ts';
import { createPolicy } from '../../src/shared/keynote/policy.ts';
import { query, rememberSignatures } from '../../src/shared/keynote/query.ts';
import { OPENSSL_BODY, OPENSSL_SIGNATURES } from './openssl-credential.ts';
import type { Prng } from './prng.ts';
import { sharedPath } from './shared-folder.ts';

/** The assertions that mutants are made of: our own, and those of the foreign vectors where they are there. */
export const fuzzSeeds = (): readonly string[] => [...OWN_SEEDS, ...foreignSeeds()];

/** One mutant, read and asked. Throws where anything but a value comes of it; answers how many assertions were read. */
export const fuzzOnce = (seeds: readonly string[], random: Prng): number => {
  const text = mutated(seeds, random);
  const { assertions, faults } = parseAssertions(text);
  for (const { line, text: words } of faults) assert.ok(line >= 1 && /^[ -~]+$/.test(words), words);
  const values = ['false', 'maybe', 'probably', 'true'];
  const result = query({
    policy: createPolicy(assertions),
    credentials: parseCredentials(Buffer.from(text, 'latin1')).assertions,
    authorizers: ['K', 'KeyC', 'passphrase:foobar'],
    attributes: (name) => ATTRIBUTES.get(name) ?? '',
    values,
    checkSignature: rememberSignatures(false),
    steps: 20_000,
  });
  assert.ok(values.includes(result.value));
  for (const said of [result.decision, ...result.trace]) assert.match(said, /^[ -~]+$/);
  return assertions.length;
};

/** One of the texts with up to four changes; `others`: where pieces come from. */
export const mutated = (texts: readonly string[], random: Prng, others = texts): string => {
  const pick = (count: number): number => random.word() % Math.max(count, 1);
  let text = texts[pick(texts.length)] ?? '';
  for (let changes = 1 + pick(4); changes > 0; changes--) {
    const at = pick(text.length);
    const size = pick(12);
    const other = others[pick(others.length)] ?? '';
    const from = pick(other.length);
    const inserted = [
      '',
      String.fromCharCode(pick(256)),
      TOKENS[pick(TOKENS.length)] ?? '',
      other.slice(from, from + pick(80)),
      text.slice(at, at + size).repeat(pick(20)),
    ][pick(5)];
    text = text.slice(0, at) + (inserted ?? '') + text.slice(at + (pick(2) === 0 ? size : 0));
  }
  return text;
};

const foreignSeeds = (): readonly string[] => {
  const path = sharedPath('vectors', 'keynote');
  if (path === undefined) return [];
  const { cases }: { readonly cases: readonly { readonly assertions: readonly string[] }[] } = JSON.parse(
    readFileSync(`${path}/oracle-cases.json`, 'latin1'),
  );
  const { suite }: { readonly suite: { readonly localAssertions: readonly string[] } } = JSON.parse(
    readFileSync(`${path}/keynote.json`, 'latin1'),
  );
  return [
    ...cases.map(({ assertions }) => assertions.join('\n')),
    ...suite.localAssertions,
    suite.localAssertions.join('\n'),
  ];
};

const OWN_SEEDS = [
  'Authorizer: "POLICY"\nLicensees: "K" && 2-of("a", "K", "K") || KEY\nLocal-Constants: KEY="passphrase:foobar"\nConditions: a == "b" -> { @n * 2 ^ 3 >= -1 && !(&f < 1.5) -> "maybe"; }; a ~= "^(b|c)*(x{2,3})?$" && _1 == "b" -> "tr" . "ue";\n',
  'KeyNote-Version: "2"\nComment: about\n  it\nAuthorizer: $"key"\nLicensees: ("K")\nConditions: app_domain == "IPsec policy" && $$a != "" || true -> _MAX_TRUST;\n\nAuthorizer: "A"\n',
  ...Object.values(OPENSSL_SIGNATURES).map((text) => `${OPENSSL_BODY}Signature: "${text}"\n`),
];

const TOKENS = [
  '"',
  '\\',
  '(',
  ')',
  '{',
  '}',
  ';',
  '->',
  '&&',
  '||',
  '!',
  '==',
  '~=',
  '<=',
  '@',
  '&',
  '$',
  '-',
  '^',
  '%',
  '.',
  '2-of(',
  '\n',
  '\n\n',
  '\n ',
  '#',
  'true',
  'POLICY',
  '"POLICY"',
  '99999999999',
  '1.5',
  '0',
  '"(a*)*"',
  '"((a{9}){9}){9}"',
  '[[:alpha:]]',
  '\0',
  '\xff',
  'Conditions:',
  'Licensees:',
  'Authorizer: ',
  'Signature: "sig-rsa-sha256-hex:00"',
  'Local-Constants: a="b"',
  '_1',
  '_VALUES',
]; // prettier-ignore

const ATTRIBUTES = new Map([
  ['a', 'bbc'],
  ['b', 'a'],
  ['n', '42'],
  ['f', '3.25'],
  ['key', 'POLICY'],
  ['app_domain', 'IPsec policy'],
  ['re', '(b|c)*'],
]);
