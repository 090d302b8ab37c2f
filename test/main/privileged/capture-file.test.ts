/** Which files a capture is written to. threats: files of others must not be overwritten, captures must not be readable for others. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openCaptureFile } from '../../../src/main/privileged/capture-file.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import { testFolder } from '../../helpers/daemon-process.ts';

const HEADER = Uint8Array.from([1, 2, 3, 4]);
const fileIn = (t: TestContext): string => join(testFolder(t), 'x.pcap');

const refusal = (path: string, pattern: RegExp): Promise<void> =>
  assert.rejects(openCaptureFile(path, HEADER), (fault) => fault instanceof SystemError && pattern.test(fault.message));

test('a new file gets the header and mode 0600', async (t) => {
  const path = fileIn(t);
  const file = await openCaptureFile(path, HEADER);
  await file.append(Uint8Array.from([5]));
  await file.close();
  assert.deepEqual([...readFileSync(path)], [1, 2, 3, 4, 5]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('an earlier capture is continued without a second header', async (t) => {
  const path = fileIn(t);
  writeFileSync(path, Uint8Array.from([1, 2, 3, 4, 5]), { mode: 0o600 });
  const file = await openCaptureFile(path, HEADER);
  await file.append(Uint8Array.from([6]));
  await file.close();
  assert.deepEqual([...readFileSync(path)], [1, 2, 3, 4, 5, 6]);
});

test('a file that is no capture of ours is refused and stays as it was', async (t) => {
  const path = fileIn(t);
  writeFileSync(path, 'precious', { mode: 0o600 });
  await refusal(path, /begins otherwise/);
  assert.equal(readFileSync(path, 'utf8'), 'precious');
});

test('a file that others may read is refused', async (t) => {
  const path = fileIn(t);
  writeFileSync(path, HEADER);
  chmodSync(path, 0o644);
  await refusal(path, /group or others have access/);
});

test('symbolic links are refused, to a file and to nothing', async (t) => {
  const path = fileIn(t);
  writeFileSync(`${path}.real`, HEADER, { mode: 0o600 });
  symlinkSync(`${path}.real`, path);
  await refusal(path, /symbolic link/);
  symlinkSync(`${path}.nowhere`, `${path}.2`);
  await refusal(`${path}.2`, /symbolic link/);
});

test('a directory and a FIFO are refused without waiting', async (t) => {
  const path = fileIn(t);
  mkdirSync(path);
  await refusal(path, /EISDIR/);
  execFileSync('mkfifo', ['-m', '600', `${path}.fifo`]);
  await refusal(`${path}.fifo`, /not a regular file/);
});
