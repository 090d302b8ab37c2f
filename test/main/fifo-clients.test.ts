/** Scripts in the wild, run by a shell against the running daemon: the cases of fifo-clients that daemon-mode, daemon-background and report-file do not show. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Daemon } from '../../loadtest/daemon.ts';
import { freePorts, spawnDaemon, startAlone, testFolder } from '../helpers/daemon-process.ts';

const WORDS = ['-d', '-v', '-n', '-K', '-4'];

/** Runs a script in the daemon's run directory; answers what it prints. It fails with the script. */
const shell = ({ runDirectory }: Daemon, script: string): string =>
  execFileSync('sh', ['-euc', script], { cwd: runDirectory, encoding: 'utf8', timeout: 30_000 });

const CONNECTION = 'from-10.13.0.0/16-to-10.10.8.0/21';

test('fifo-clients ipsecctl-load: rule after rule, each with an open and a close of its own, lines split between writes', async (t) => {
  const { daemon } = await startAlone(t, '', { words: [...WORDS, '-S'] });
  shell(
    daemon,
    `test -p isakmpd.fifo
     for rule in 1 2 3; do
       for tag in $(seq 1 60); do echo "C set [rule-$rule]:Tag-$tag=value-$tag force"; done >isakmpd.fifo
       echo "C add [Phase 2]:Connections=rule-$rule" >isakmpd.fifo
     done
     { printf 'C set [split]:Ta'; printf 'g=whole force\\n'; } >isakmpd.fifo`,
  );
  assert.equal(await daemon.ask('C get [Phase 2]:Connections'), 'rule-1,rule-2,rule-3\n');
  assert.equal(await daemon.ask('C get [rule-3]:Tag-60'), 'value-60\n');
  assert.equal(await daemon.ask('C get [split]:Tag'), 'whole\n');
});

test('fifo-clients ipsecctl-delete: what it writes for a rule that was never loaded is silent', async (t) => {
  const { daemon } = await startAlone(t);
  const before = daemon.log.length;
  shell(
    daemon,
    `printf '%s\\n' 't ${CONNECTION}' 'C rmv [Phase 2]:Connections=${CONNECTION}' 'C rms [${CONNECTION}]' \\
       'C rms [phase2-${CONNECTION}]' 'C rmv [Phase 2]:Passive-Connections=${CONNECTION}' >isakmpd.fifo`,
  );
  assert.equal(await daemon.ask('C get [Phase 2]:Connections'), '');
  assert.deepEqual(daemon.log.slice(before), []);
});

test('fifo-clients ipsecctl-alt-fifo: -f moves the FIFO, and only that', async (t) => {
  const folder = testFolder(t);
  const fifo = join(folder, 'alone', 'other.fifo');
  const daemon = spawnDaemon(t, {
    name: 'alone',
    folder,
    configuration: '[General]\nListen-on=127.0.0.1\n',
    ports: await freePorts(['127.0.0.1']),
    words: [...WORDS, '-f', fifo],
  });
  await daemon.ready();
  shell(daemon, `test -p other.fifo; test ! -e isakmpd.fifo; echo Q >other.fifo`);
  assert.equal(await daemon.ended, 0);
  assert.ok(!existsSync(fifo));
});

test('fifo-clients isakctl-up: an appending echo with slashes in the name leaves the FIFO a FIFO', async (t) => {
  const { daemon } = await startAlone(t);
  shell(daemon, `echo "c ${CONNECTION}" >>isakmpd.fifo`);
  await daemon.saw(`exchange_establish: peer "${CONNECTION}" does not have a correct phase (0)`);
  assert.ok(statSync(join(daemon.runDirectory, 'isakmpd.fifo')).isFIFO());
});

test('fifo-clients nagios-port: the IKE port is bound, as the kernel lists it', async (t) => {
  const { daemon, ports } = await startAlone(t);
  const port = ports.ike.toString(16).toUpperCase().padStart(4, '0');
  // Address and port as the kernel writes them: 127.0.0.1 in the byte order of this machine.
  assert.match(shell(daemon, 'cat /proc/net/udp'), new RegExp(` (0100007F|7F000001):${port} 00000000:0000 `));
});

test('fifo-clients debug-levels: -DA=99 at the start, D A 99 and D T while it runs', async (t) => {
  const { daemon } = await startAlone(t, '', { words: [...WORDS, '-DA=99'] });
  shell(daemon, `echo 'D T' >isakmpd.fifo`);
  await daemon.saw('log_debug_cmd: log level changed from 99 to 0 for class 10');
  const quiet = daemon.log.length;
  assert.equal(await daemon.ask('S'), '');
  assert.deepEqual(daemon.log.slice(quiet), []);
  shell(daemon, `echo 'D A 99' >isakmpd.fifo; echo 'c nobody' >isakmpd.fifo`);
  await daemon.saw('log_debug_cmd: log level changed from 0 to 99 for class 0');
  await daemon.saw('UI   20 ui_handle_messages: command "c nobody" received');
});
