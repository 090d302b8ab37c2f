/** The status socket without a daemon: its bounds, and what it does to clients that go beyond them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { until } from '../../../loadtest/daemon.ts';
import { openUnixSocket } from '../../../src/main/privileged/unix-socket.ts';
import { EventFeed } from '../../../src/main/status/event-feed.ts';
import type { Question } from '../../../src/main/status/status-answers.ts';
import { StatusSocket } from '../../../src/main/status/status-socket.ts';
import { statusAnswer } from '../../../src/shared/report/status-schema.ts';
import { testFolder } from '../../helpers/daemon-process.ts';
import { statusLines } from '../../helpers/status-lines.ts';

type Answer = (question: Question) => AsyncIterable<string>;

const echo: Answer = async function* ({ request }) {
  yield '{"echo":';
  yield `"${request}"}\n`;
};

const serve = async (t: TestContext, answer: Answer = echo) => {
  const path = join(testFolder(t), 'isakmpd.sock');
  const feed = new EventFeed(() => '2026-01-02T03:04:05.000Z');
  const dropped: string[] = [];
  const socket = new StatusSocket(await openUnixSocket(path), {
    feed,
    faults: { dropped: (what) => void dropped.push(what) },
    answer,
  });
  t.after(() => socket.close());
  return { path, feed, dropped };
};

const codeOf = (answer: unknown): string => {
  const parsed = statusAnswer.parse(answer);
  assert.ok(parsed.answer === 'error');
  return parsed.code;
};

test('requests are answered in their order, several in one packet and one in several', async (t) => {
  const { path } = await serve(t);
  const client = statusLines(t, path);
  client.send('{"request":"status"}\n{"request":"sas"}\nnonsense');
  client.socket.write('{"request":');
  client.send('"lanes"}');
  assert.deepEqual([await client.next(), await client.next()], [{ echo: 'status' }, { echo: 'sas' }]);
  assert.equal(codeOf(await client.next()), 'bad-json');
  assert.deepEqual(await client.next(), { echo: 'lanes' });
});

test('a client that has closed its end gets its answer, and then the end', async (t) => {
  const { path } = await serve(t);
  const client = statusLines(t, path);
  client.socket.end('{"request":"status"}\n');
  assert.deepEqual([await client.next(), await client.next()], [{ echo: 'status' }, undefined]);
});

test('a subscriber that closes its end makes room for another', async (t) => {
  const { path, feed } = await serve(t);
  const client = statusLines(t, path);
  client.socket.end('{"request":"subscribe","events":["reconfigured"]}\n');
  assert.deepEqual(await client.next(), { answer: 'subscribed', events: ['reconfigured'] });
  assert.equal(await client.next(), undefined);
  feed.publish({ kind: 'reconfigured' });
});

test('a line without end is refused, and the connection closed', async (t) => {
  const { path } = await serve(t);
  const client = statusLines(t, path);
  client.socket.write('x'.repeat(5000));
  assert.equal(codeOf(await client.next()), 'line-too-long');
  assert.equal(await client.next(), undefined);
});

test('the client after the 64th is told so, until one of them leaves', async (t) => {
  const { path } = await serve(t);
  const clients = Array.from({ length: 64 }, () => statusLines(t, path));
  for (const client of clients) client.send('{"request":"status"}');
  await Promise.all(clients.map((client) => client.next()));
  const late = statusLines(t, path);
  assert.equal(codeOf(await late.next()), 'too-many-clients');
  assert.equal(await late.next(), undefined);
  clients[0]?.socket.destroy();
  // The server learns of it a moment later.
  for (let code = 'too-many-clients'; code === 'too-many-clients'; ) {
    const again = statusLines(t, path);
    again.send('{"request":"status"}');
    const answer = await again.next();
    code = typeof answer === 'object' && answer !== null && 'echo' in answer ? 'welcome' : codeOf(answer);
  }
});

test('of an answer that the client does not read only a little is made', async (t) => {
  let made = 0;
  const piece = `${' '.repeat(65_535)}\n`;
  const { path } = await serve(t, async function* () {
    for (; made < 1000; made++) yield piece;
    yield '{"done":true}\n';
  });
  const client = statusLines(t, path);
  client.socket.pause();
  client.send('{"request":"sas"}');
  await until('the first pieces', () => (made > 0 ? true : undefined));
  // Whoever stops reading stops the making: it comes to rest, far from the end.
  let before = -1;
  await until('rest', () => {
    const isResting = before === made;
    before = made;
    return isResting || undefined;
  });
  assert.ok(made < 100, `${made} pieces`);
  client.socket.resume();
  await until('the rest', () => (made === 1000 ? true : undefined));
});

test('a subscriber gets the events that it asked for, and none before the end of an answer', async (t) => {
  let finish: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const { path, feed } = await serve(t, async function* () {
    yield '{"half":';
    await held;
    yield '"whole"}\n';
  });
  const client = statusLines(t, path);
  client.send('{"request":"subscribe","events":["phase1-failed"]}');
  assert.deepEqual(await client.next(), { answer: 'subscribed', events: ['phase1-failed'] });
  client.send('{"request":"sas"}');
  await once(client.socket, 'data');
  const failure = { cause: 'timeout', reason: 'no response' } as const;
  feed.publish({ kind: 'reconfigured' });
  feed.publish({ kind: 'phase1Failed', peer: 'p', failure, connections: ['c'], retryMs: 2000 });
  finish();
  assert.deepEqual(await client.next(), { half: 'whole' });
  assert.deepEqual(await client.next(), {
    answer: 'event',
    at: '2026-01-02T03:04:05.000Z',
    event: 'phase1-failed',
    peer: 'p',
    connections: ['c'],
    reason: 'no response',
    cause: 'timeout',
    retryInSeconds: 2,
  });
});

test('a subscriber that does not read is dropped with a last line, and the daemon keeps no more than its queue', async (t) => {
  const { path, feed } = await serve(t);
  const client = statusLines(t, path);
  client.send('{"request":"subscribe"}');
  await client.next();
  client.socket.pause();
  const failure = { cause: 'timeout', reason: 'x'.repeat(1000) } as const;
  for (let i = 0; i < 3000; i++) {
    feed.publish({ kind: 'phase1Failed', peer: String(i), failure, connections: [], retryMs: undefined });
  }
  client.socket.resume();
  let last: unknown;
  let count = 0;
  for (let next = await client.next(); next !== undefined; next = await client.next()) {
    last = next;
    count++;
  }
  assert.equal(codeOf(last), 'too-slow');
  assert.ok(count < 2500, `${count} lines`);
});

test('a subscriber that stops reading in the middle of an answer is dropped, and no more of the answer is made', async (t) => {
  let made = 0;
  const { path, feed } = await serve(t, async function* () {
    for (; made < 1000; made++) yield ' '.repeat(65_536);
    yield '{}\n';
  });
  const client = statusLines(t, path);
  client.send('{"request":"subscribe"}');
  await client.next();
  client.socket.pause();
  client.send('{"request":"sas"}');
  await until('the first pieces', () => (made > 0 ? true : undefined));
  const failure = { cause: 'timeout', reason: 'x' } as const;
  for (let i = 0; i <= 1001; i++) {
    feed.publish({ kind: 'phase1Failed', peer: String(i), failure, connections: [], retryMs: undefined });
  }
  const lines = createInterface({ input: client.socket });
  const read: string[] = [];
  lines.on('line', (text) => read.push(text));
  client.socket.resume();
  await once(client.socket, 'close');
  assert.equal(codeOf(JSON.parse(read.at(-1) ?? '')), 'too-slow');
  assert.ok(made < 100, `${made} pieces`);
});

test('a fault while an answer is made ends that connection only', async (t) => {
  let isBroken = true;
  const { path, dropped } = await serve(t, async function* (question) {
    if (isBroken) throw new RangeError('broken');
    yield* echo(question);
  });
  const client = statusLines(t, path);
  client.send('{"request":"status"}');
  assert.equal(await client.next(), undefined);
  assert.deepEqual(dropped, ['a request of the status socket']);
  isBroken = false;
  const other = statusLines(t, path);
  other.send('{"request":"status"}');
  assert.deepEqual(await other.next(), { echo: 'status' });
});
