/** Every query of the foreign vectors: libkeynote's own test suite, and cases answered by libkeynote. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseAssertions } from '../../../src/shared/keynote/assertion.ts';
import { parseEnvironment, parsePrincipal } from '../../../src/shared/keynote/environment-file.ts';
import { ask } from '../../helpers/keynote-query.ts';
import { sharedPath } from '../../helpers/shared-folder.ts';

const folder = sharedPath('vectors', 'keynote');
const options = { skip: folder === undefined ? 'no ../shared/vectors/keynote' : false };
const read = (name: string): string => readFileSync(`${folder}/${name}`, 'latin1');

interface OracleCase {
  readonly name: string;
  readonly assertions: readonly string[];
  readonly authorizers: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly returnValues: readonly string[];
  readonly expected: string;
}

test('every case that libkeynote has answered has its answer', options, (context) => {
  const { cases }: { readonly cases: readonly OracleCase[] } = JSON.parse(read('oracle-cases.json'));
  const wrong = cases.filter(({ assertions, authorizers, environment, returnValues, expected }) => {
    const { value } = ask({ assertions, authorizers, environment, values: returnValues });
    // "ERROR ..." says that libkeynote refuses an assertion, which then does not count.
    return value !== (expected.startsWith('ERROR') ? returnValues[0] : expected);
  });
  context.diagnostic(`${cases.length} queries ran, 0 left out, ${wrong.length} wrong`);
  assert.deepEqual(
    wrong.map(({ name }) => name),
    [],
  );
  assert.ok(cases.length > 100);
});

test('the test suite of libkeynote has the result it expects', options, () => {
  const { suite }: { readonly suite: Suite } = JSON.parse(read('keynote.json'));
  const environment = parseEnvironment(suite.environment);
  const { value, decision } = ask({
    assertions: suite.localAssertions,
    authorizers: suite.authorizers.map(parsePrincipal),
    environment: Object.fromEntries(environment),
    values: suite.returnValues,
  });
  assert.equal(value, suite.expected, decision);
});

interface Suite {
  readonly environment: string;
  readonly authorizers: readonly string[];
  readonly localAssertions: readonly string[];
  readonly returnValues: readonly string[];
  readonly expected: string;
}

test('every assertion of the manual and of policies in the wild can be read', options, (context) => {
  const vectors: { readonly assertionsIsakmpdPolicyMan: readonly string[]; readonly assertionsWeb: readonly string[] } =
    JSON.parse(read('keynote.json'));
  const texts = [...vectors.assertionsIsakmpdPolicyMan, ...vectors.assertionsWeb];
  const faults = texts.flatMap((text) => parseAssertions(text).faults);
  context.diagnostic(`${texts.length} assertions read, ${faults.length} refused`);
  assert.deepEqual(faults, []);
  assert.ok(texts.length > 5);
});
