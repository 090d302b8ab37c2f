/** Lines of the status socket as requests. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { jsonText } from '../../../src/shared/report/json-text.ts';
import { parseRequest } from '../../../src/shared/report/status-request.ts';
import { statusAnswer } from '../../../src/shared/report/status-schema.ts';

const parsed = (text: string) => parseRequest(new TextEncoder().encode(text));

it('a request is what the schema knows', () => {
  assert.deepEqual(parsed('{"request":"status"}'), { request: 'status' });
  assert.deepEqual(parsed(' {"request":"sas","name":"net"} '), { request: 'sas', name: 'net' });
  assert.deepEqual(parsed('{"request":"subscribe","events":["phase1-up"]}'), {
    request: 'subscribe',
    events: ['phase1-up'],
  });
});

for (const [text, code, said] of [
  ['', 'bad-json', /JSON/],
  ['{"request":', 'bad-json', /JSON/],
  [
    '"status"',
    'unknown-request',
    /one of status, sas, connections, peers, lanes, certificates, configuration, subscribe$/,
  ],
  ['{"request":"__proto__"}', 'unknown-request', /one of status/],
  ['{"request":["status"]}', 'unknown-request', /one of status/],
  ['{"request":"status","name":"x"}', 'bad-request', /name/],
  ['{"request":"sas","name":7}', 'bad-request', /^"name": /],
  ['{"request":"subscribe","events":["moon"]}', 'bad-request', /^"events\.0": .*phase1-up/],
] as const) {
  it(`${text === '' ? 'an empty line' : text} is answered by ${code}`, () => {
    const answer = parsed(text);
    assert.ok('answer' in answer);
    assert.equal(answer.code, code);
    assert.match(answer.text, said);
  });
}

it('bytes that are no UTF-8 are no JSON', () => {
  const answer = parseRequest(Uint8Array.of(0x22, 0xff, 0x22));
  assert.ok('answer' in answer && answer.code === 'bad-json');
});

it('whatever comes is a request or an answer of the schema', () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => new TextEncoder().encode(text)),
    fc
      .record(
        { request: fc.constantFrom('status', 'sas', 'subscribe', 'x'), name: fc.jsonValue(), events: fc.jsonValue() },
        { requiredKeys: ['request'] },
      )
      .map((value) => new TextEncoder().encode(JSON.stringify(value))),
  );
  fc.assert(
    fc.property(anything, (line) => {
      const answer = parseRequest(line);
      if ('answer' in answer) statusAnswer.parse(answer);
    }),
  );
});

it('threats "log injection": an answer is one line without control and format characters, and means the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (text) => {
      const line = jsonText({ text });
      assert.doesNotMatch(line, /[\p{C}\p{Zl}\p{Zp}]/u);
      assert.deepEqual(JSON.parse(line), { text });
    }),
  );
});
