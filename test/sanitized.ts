/**
 * `npm run test:native`: runs the tests of the native addon with a build that has AddressSanitizer and UndefinedBehaviorSanitizer in it (build.mjs --sanitize). Node itself
 * has neither, so their library is preloaded. A test that is skipped is a failure here. Leaks are not looked for: Node leaves its own at exit.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const compiler = process.env['CC'] ?? 'cc';
const library = spawnSync(compiler, ['-print-file-name=libasan.so'], { encoding: 'utf8' }).stdout.trim();
const { status, stdout } = spawnSync(process.execPath, [join(here, 'run.js'), 'kernel/native', 'kernel/udp'], {
  encoding: 'utf8',
  maxBuffer: 2 ** 26,
  stdio: ['ignore', 'pipe', 'inherit'],
  env: {
    ...process.env,
    LD_PRELOAD: library,
    ASAN_OPTIONS: 'detect_leaks=0',
    UBSAN_OPTIONS: 'print_stacktrace=1',
    ISAKMPD_ADDON: join(here, '..', '..', 'build', 'sanitized', 'isakmpd.node'),
  },
});
process.stdout.write(stdout);
const isSkipped = / # SKIP/.test(stdout);
if (isSkipped) process.stderr.write('skipped tests are failures here\n');
process.exit(isSkipped ? 1 : (status ?? 1));
