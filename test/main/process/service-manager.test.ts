/** What systemd is told, and that telling it harms nobody. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { until } from '../../../loadtest/daemon.ts';
import { ServiceManager } from '../../../src/main/process/service-manager.ts';
import { freePorts, spawnDaemon, testFolder } from '../../helpers/daemon-process.ts';

/** The absolute path of a program; undefined where there is none. */
const find = (program: string): string | undefined => {
  try {
    return execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
};

/** A socket as systemd's, played by Python: Node has none of this kind. Answers the messages as they come. */
const listen = async (t: TestContext, address: string) => {
  const script = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', '\\0', 1) if sys.argv[1].startswith('@') else sys.argv[1])
print('bound', flush=True)
while True:
    print(s.recv(4096).decode().replace('\\n', ' '), flush=True)
`;
  const child = spawn('python3', ['-c', script, address], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const messages: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => messages.push(line));
  await until('the socket', () => messages[0]);
  return {
    /** Waits for a message with this in it. */
    saw: (text: string): Promise<string> =>
      until(`"${text}"`, () => messages.find((message) => message.includes(text))),
    messages,
  };
};

const missing = [find('systemd-notify'), find('python3')].includes(undefined)
  ? 'systemd-notify or python3 is not there'
  : false;

for (const kind of ['a path', 'an abstract name'] as const) {
  test(`a daemon tells systemd at ${kind} of start, reload, mode, watchdog and end`, { skip: missing }, async (t) => {
    const folder = testFolder(t);
    const address = kind === 'a path' ? join(folder, 'notify') : `@isakmpd-test-${process.pid}`;
    const { saw, messages } = await listen(t, address);
    const daemon = spawnDaemon(t, {
      name: 'served',
      folder,
      configuration: '[General]\nListen-on=127.0.0.1\n',
      ports: await freePorts(['127.0.0.1']),
      environment: { NOTIFY_SOCKET: address, WATCHDOG_USEC: '200000' },
    });
    assert.equal(await saw('READY=1'), `READY=1 MAINPID=${daemon.pid} STATUS=active`);
    await saw('WATCHDOG=1');
    daemon.command('M passive');
    await saw('STATUS=passive');
    daemon.signal('SIGHUP');
    assert.match(await saw('RELOADING=1'), /^RELOADING=1 MONOTONIC_USEC=\d{6,} STATUS=/);
    const after = messages.findIndex((message) => message.startsWith('RELOADING'));
    await until('the end of the reload', () => messages.slice(after).find((message) => message.startsWith('READY=1')));
    const pings = messages.filter((message) => message === 'WATCHDOG=1').length;
    await until(
      'another ping',
      () => messages.filter((message) => message === 'WATCHDOG=1').length > pings || undefined,
    );
    daemon.command('Q');
    await saw('STOPPING=1');
    assert.equal(await daemon.ended, 0);
  });
}

/** Calls of a program in place of systemd-notify, which writes what it is called with into a file. */
const bench = (t: TestContext, environment: Readonly<Record<string, string>>, body: string) => {
  const folder = mkdtempSync(join(tmpdir(), 'isakmpd-notify-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'notify');
  writeFileSync(program, `#!/bin/sh\n${body}\n`, { mode: 0o700 });
  const logged: string[] = [];
  const manager = new ServiceManager({
    environment,
    pids: [42, 41],
    log: ({ text }) => void logged.push(text),
    command: [program],
  });
  return { manager, logged, folder };
};

test('without NOTIFY_SOCKET nothing is called', async (t) => {
  const { manager, logged } = bench(t, { WATCHDOG_USEC: '1000' }, 'exit 1');
  manager.ready('active');
  manager.stopping();
  await manager.close(1000);
  assert.deepEqual(logged, []);
});

test('a program that fails is told of once, and tried again the next time', async (t) => {
  const { manager, logged } = bench(t, { NOTIFY_SOCKET: '/nowhere' }, 'echo it is broken >&2; exit 1');
  for (let i = 0; i < 3; i++) manager.status('x');
  await manager.close(10_000);
  assert.equal(logged.length, 1);
  assert.match(logged[0] ?? '', /^systemd cannot be told: /);
});

test('where systemd-notify is missing, one line says so and the daemon goes on', async () => {
  const logged: string[] = [];
  const manager = new ServiceManager({
    environment: { NOTIFY_SOCKET: '/nowhere' },
    pids: [42],
    log: ({ text }) => void logged.push(text),
    command: ['/nowhere/systemd-notify'],
  });
  manager.ready('active');
  manager.status('x');
  await manager.close(10_000);
  manager.status('y');
  assert.equal(logged.length, 1);
  assert.match(logged[0] ?? '', /ENOENT/);
});

test('a program that hangs holds up neither the end nor anybody else, and its queue is bounded', async (t) => {
  const { manager, logged } = bench(t, { NOTIFY_SOCKET: '/nowhere' }, 'exec sleep 30');
  for (let i = 0; i < 1000; i++) manager.status(`${i}`);
  await nextTurn();
  await manager.close(1);
  assert.deepEqual(logged, []);
});

test('the watchdog is another process’s: there are no pings', async (t) => {
  const { manager, folder } = bench(
    t,
    { NOTIFY_SOCKET: '/nowhere', WATCHDOG_USEC: '1000', WATCHDOG_PID: '7' },
    'echo "$@" >> "$(dirname "$0")/calls"',
  );
  manager.ready('active');
  await manager.close(10_000);
  assert.equal(
    execFileSync('cat', [join(folder, 'calls')], { encoding: 'utf8' }),
    'READY=1 MAINPID=42 STATUS=active\n',
  );
});
