import assert from 'node:assert/strict';
import { test } from 'node:test';
import { directoryFault, isBelow, secretFileFault, trustedFileFault } from '../../../src/shared/cli/path-rules.ts';

test('threats "/var/run only": a path lies below a directory by whole components', () => {
  const below = ['/var/run/x', '/var/run/a/b'];
  const outside = ['/var/run', '/var/run/', '/var/runaway', '/var/runaway/x', '/etc/x', '/var', '/'];
  assert.deepEqual(
    [...below, ...outside].filter((path) => isBelow('/var/run', path)),
    below,
  );
});

test('everything but the root itself lies below the root', () => {
  assert.ok(isBelow('/', '/x'));
  assert.ok(!isBelow('/', '/'));
});

test('a run directory must belong to root or to us and be closed to others for writing', () => {
  assert.equal(directoryFault({ uid: 0, mode: 0o40755 }, 1000), undefined);
  assert.equal(directoryFault({ uid: 1000, mode: 0o40700 }, 1000), undefined);
  assert.match(directoryFault({ uid: 1001, mode: 0o40700 }, 1000) ?? '', /user 1001/);
  assert.match(directoryFault({ uid: 0, mode: 0o40775 }, 1000) ?? '', /group or others may write/);
  assert.match(directoryFault({ uid: 0, mode: 0o41777 }, 0) ?? '', /group or others may write/);
});

test('a file that is trusted must be regular, ours or root’s, and closed to others for writing', () => {
  assert.equal(trustedFileFault({ uid: 0, mode: 0o644 }, true, 1000), undefined);
  assert.equal(trustedFileFault({ uid: 1000, mode: 0o644 }, true, 1000), undefined);
  assert.match(trustedFileFault({ uid: 0, mode: 0o644 }, false, 0) ?? '', /not a regular file/);
  assert.match(trustedFileFault({ uid: 1001, mode: 0o644 }, true, 0) ?? '', /user 1001/);
  for (const bit of [0o020, 0o002]) {
    assert.match(trustedFileFault({ uid: 0, mode: 0o644 | bit }, true, 0) ?? '', /may write/);
  }
});

test('a file with secrets must be regular, ours or root’s, and closed to group and others', () => {
  assert.equal(secretFileFault({ uid: 0, mode: 0o600 }, true, 1000), undefined);
  assert.equal(secretFileFault({ uid: 1000, mode: 0o400 }, true, 1000), undefined);
  assert.match(secretFileFault({ uid: 0, mode: 0o600 }, false, 0) ?? '', /not a regular file/);
  assert.match(secretFileFault({ uid: 1001, mode: 0o600 }, true, 0) ?? '', /user 1001/);
  for (const bit of [0o040, 0o020, 0o010, 0o004, 0o002, 0o001]) {
    assert.match(secretFileFault({ uid: 0, mode: 0o600 | bit }, true, 0) ?? '', /chmod 600/);
  }
});
