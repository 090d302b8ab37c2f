import assert from 'node:assert/strict';
import { it } from 'node:test';
import { HostNames, resolveHost } from '../../../src/main/network/host-names.ts';
import { AddressBook, type HostAnswer } from '../../../src/shared/config/address-book.ts';

/** Look-ups that the test answers by hand. */
const setUp = () => {
  const clock = { now: 0 };
  const asked: string[] = [];
  const waiting: (() => void)[] = [];
  const answers = new Map<string, readonly string[]>();
  const told: string[] = [];
  const book = new AddressBook((piece) => told.push(piece));
  const patience: (() => void)[] = [];
  const names = new HostNames({
    book,
    now: () => clock.now,
    schedule: (_, callback) => {
      patience.push(callback);
      return () => undefined;
    },
    resolve: async (name): Promise<HostAnswer> => {
      asked.push(name);
      await new Promise<void>((resolve) => waiting.push(resolve));
      const addresses = answers.get(name);
      return addresses === undefined ? { kind: 'failed', reason: 'gone' } : { kind: 'addresses', addresses };
    },
  });
  /** Answers what was asked, and what that lets through, until nothing is left. */
  const answerAll = async (): Promise<void> => {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const next = waiting.shift();
      if (next === undefined) return;
      next();
    }
  };
  return { answerAll, answers, asked, book, clock, names, patience, told };
};

it('asks once for a name, and its answer is in the book when it is learned', async () => {
  const { answerAll, answers, asked, book, names } = setUp();
  answers.set('gate.example.net', ['192.0.2.9']);
  const learned = [names.learn(['gate.example.net', 'gate.example.net']), names.learn(['gate.example.net'])];
  await answerAll();
  await Promise.all(learned);
  assert.deepEqual(asked, ['gate.example.net']);
  assert.deepEqual(book.hostAnswer('gate.example.net'), { kind: 'addresses', addresses: ['192.0.2.9'] });
});

it('asks again after a minute, and tells of another answer alone', async () => {
  const { answerAll, answers, asked, clock, names, told } = setUp();
  const learn = async (at: number, ...addresses: readonly string[]): Promise<void> => {
    clock.now = at;
    answers.set('h', addresses);
    await Promise.all([names.learn(['h']), answerAll()]);
  };
  await learn(0, '192.0.2.1', '192.0.2.2');
  await learn(59_999, '192.0.2.1', '192.0.2.2');
  assert.equal(asked.length, 1);
  await learn(60_000, '192.0.2.2', '192.0.2.1');
  assert.equal(asked.length, 2);
  assert.equal(told.length, 1, 'the same addresses in turns are no news');
  await learn(120_000, '192.0.2.3');
  assert.equal(told.length, 2);
});

it('asks again at once after a reload', async () => {
  const { answerAll, asked, names } = setUp();
  await Promise.all([names.learn(['h']), answerAll()]);
  names.forget();
  await Promise.all([names.learn(['h']), answerAll()]);
  assert.equal(asked.length, 2);
});

it('asks for thousands of names two at a time', async () => {
  const { answerAll, asked, names } = setUp();
  const learned = names.learn(Array.from({ length: 3000 }, (_, i) => `h${i}`));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(asked.length, 2);
  await answerAll();
  await learned;
  assert.equal(asked.length, 3000);
});

it('keeps nobody waiting for a name server that is silent, and takes its answer when it comes', async () => {
  const { answerAll, book, names, patience } = setUp();
  const learned = names.learn(['h']);
  await new Promise((resolve) => setImmediate(resolve));
  for (const callback of patience) callback();
  await learned;
  assert.equal(book.hostAnswer('h'), undefined);
  await answerAll();
  assert.deepEqual(book.hostAnswer('h'), { kind: 'failed', reason: 'gone' });
});

it('the system resolves localhost, and says why it does not resolve a name that cannot be', async () => {
  const found = await resolveHost('localhost');
  assert.ok(found.kind === 'addresses' && found.addresses.every((address) => ['127.0.0.1', '::1'].includes(address)));
  const failed = await resolveHost('no-such-host.invalid');
  assert.ok(failed.kind === 'failed' && failed.reason !== '');
});
