import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Gate } from '../../../src/main/network/gate.ts';

it('lets everything through while active, nothing while passive, and counts what it kept', () => {
  const gate = new Gate();
  assert.deepEqual([gate.admits(), gate.releases()], [true, true]);
  gate.set('passive');
  assert.deepEqual([gate.admits(), gate.admits(), gate.releases()], [false, false, false]);
  assert.deepEqual(gate.dropped, { received: 2, sent: 1 });
  gate.set('active');
  assert.deepEqual([gate.isOpen, gate.admits(), gate.releases()], [true, true, true]);
});
