import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { IP_COMMAND } from '../../../src/kernel/userland/ip-command.ts';
import { SystemError } from '../../../src/shared/errors.ts';

const skip = spawnSync('ip', ['-V']).status === 0 ? false : 'no ip(8)';

/** Lines that change nothing. */
const there = { text: 'link show dev lo', mayFail: false };
const missing = { text: 'link show dev nosuch0', mayFail: false };

describe('ip(8)', { skip }, () => {
  it('runs many lines; one that fails and may does not matter', async () => {
    await IP_COMMAND.run(4, [there, { ...missing, mayFail: true }, there]);
  });

  it('says which line failed, and why', async () => {
    await assert.rejects(IP_COMMAND.run(4, [there, { ...missing, mayFail: true }, there, missing]), (fault) => {
      assert.ok(fault instanceof SystemError);
      assert.match(fault.message, /ip link show dev nosuch0: Device "nosuch0" does not exist/);
      return true;
    });
  });

  it('lists the priorities of routing rules', async () => {
    const priorities = await IP_COMMAND.rulePriorities(4);
    assert.ok(priorities.includes(32766), priorities.join(' '));
  });
});
