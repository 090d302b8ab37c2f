import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommand } from '../../../src/shared/fifo/commands.ts';
import { isEdit, MOST_EDITS, Transaction } from '../../../src/shared/fifo/transaction.ts';

test('a transaction takes a bounded number of edits; one more spoils it', () => {
  const transaction = new Transaction();
  for (let i = 0; i < MOST_EDITS; i++) transaction.add({ kind: 'remove', section: 'L', tag: 'X' });
  assert.equal(transaction.problem, undefined);
  transaction.add({ kind: 'removeSection', section: 'L' });
  assert.equal(transaction.edits.length, MOST_EDITS);
  assert.equal(transaction.problem, 'it has more than 100000 edits');
});

test('the first problem is the one that is told', () => {
  const transaction = new Transaction();
  transaction.spoil('first');
  transaction.spoil('second');
  assert.equal(transaction.problem, 'first');
});

for (const [line, kind] of [
  ['C begin', 'begin'],
  ['C  COMMIT ', 'commit'],
  ['C Abort', 'abort'],
  ['C begin now', 'malformed'],
  ['C commits', 'malformed'],
] as const) {
  test(`the line "${line}" is ${kind}`, () => {
    const command = parseCommand(line);
    assert.equal(command.kind, kind);
    assert.ok(command.kind === 'malformed' || !isEdit(command));
  });
}
