import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { createFifoCommands } from '../../../src/main/fifo/fifo-commands.ts';
import { ConfigurationStore } from '../../../src/shared/config/store.ts';
import type { ConnectionEvent } from '../../../src/shared/connection/events.ts';
import { InvariantError } from '../../../src/shared/errors.ts';
import { Verbosity } from '../../../src/shared/log/verbosity.ts';
import { sampleRow } from '../../shared/sa-table/sample-row.ts';

const COOKIES = '1122334455667788aabbccddeeff0011';
const ROW = {
  ...sampleRow(0),
  initiatorCookie: Buffer.from(COOKIES.slice(0, 16), 'hex'),
  responderCookie: Buffer.from(COOKIES.slice(16), 'hex'),
};

/** The commands over that configuration; `results` are the contents of the result file, one a command. */
const bench = (reload: () => Promise<void> = async () => {}) => {
  const logged: string[] = [];
  const results: string[] = [];
  const edits: string[] = [];
  const asked: (ConnectionEvent | string)[] = [];
  const timers: { milliseconds: number; callback: () => void; cancelled: boolean }[] = [];
  const commands = createFifoCommands({
    configuration: new ConfigurationStore(),
    tell: (event) => asked.push(event),
    shutdown: () => asked.push('shutdown'),
    reinitialize: async () => {
      asked.push('reinitialize');
      await reload();
    },
    setMode: (mode) => asked.push(mode),
    checkEdit: (section, tag) => edits.push(`${section} ${tag}`),
    capture: {
      start: async (path) => void asked.push(`capture ${path}`),
      stop: async () => void asked.push('capture ends'),
    },
    rows: () => [ROW, { ...ROW, phase: 2, messageId: 0xabcd }],
    reports: {
      listSas: async () => void results.push('SAs'),
      writeAnswer: async (value) => void results.push(value === undefined ? '' : `${value}\n`),
      toLog: async () => void asked.push('report'),
      toFile: () => Promise.reject(new InvariantError('no command asks for the file')),
    },
    verbosity: new Verbosity(false),
    log: (record) => logged.push(record.text),
    schedule: (milliseconds, callback) => {
      const timer = { milliseconds, callback, cancelled: false };
      timers.push(timer);
      return () => {
        timer.cancelled = true;
      };
    },
  });
  const say = async (...lines: readonly string[]): Promise<void> => {
    for (const line of lines) await commands.perform(line);
  };
  return { commands, say, logged, results, asked, timers, edits };
};

test('E1: what was set is answered', async () => {
  const { say, results } = bench();
  await say('C set [General]:Test=1', 'C get [General]:Test');
  assert.deepEqual(results, ['1\n']);
});

test('what is said while the configuration is read again counts after it', async () => {
  let end: () => void = () => {};
  const { commands, results } = bench(() => new Promise((resolve) => (end = resolve)));
  const reloading = commands.reinitialize();
  const line = commands.perform('C get [General]:Retransmits');
  await nextTurn();
  assert.deepEqual(results, []);
  end();
  await Promise.all([reloading, line]);
  assert.deepEqual(results, ['3\n']);
  await commands.perform('C get [General]:Retransmits');
  assert.equal(results.length, 2);
});

test('a tag that was set is checked, one that stayed as it was is not', async () => {
  const { say, edits } = bench();
  await say('C set [General]:Test=1', 'C set [General]:Test=2', 'C set [General]:Test=3 force');
  assert.deepEqual(edits, ['General Test', 'General Test']);
});

test('E2: a second set without force is refused with the original’s line', async () => {
  const { say, results, logged } = bench();
  await say('C set [General]:Test=1', 'C set [General]:Test=2', 'C get [General]:Test');
  assert.deepEqual(logged, ['conf_set_now: duplicate tag [General]:Test, ignoring...']);
  assert.deepEqual(results, ['1\n']);
});

test('E3: force replaces', async () => {
  const { say, results, logged } = bench();
  await say('C set [General]:Test=1', 'C set [General]:Test=2 force', 'C get [General]:Test');
  assert.deepEqual(results, ['2\n']);
  assert.deepEqual(logged, []);
});

test('E4 and E5: lists grow by new members, shrink by name, and vanish when empty', async () => {
  const { say, results } = bench();
  await say('C add [L]:X=a', 'C add [L]:X=b', 'C add [L]:X=a', 'C get [L]:X');
  await say('C rmv [L]:X=a', 'C get [L]:X', 'C rmv [L]:X=b', 'C get [L]:X');
  assert.deepEqual(results, ['a,b\n', 'b\n', '']);
});

test('rm and rms remove a tag and a section, silently where there is none', async () => {
  const { say, results, logged } = bench();
  await say('C set [s]:a=1', 'C set [s]:b=2', 'C rm [s]:a', 'C get [s]:a', 'C get [s]:b');
  await say('C rms [s]', 'C get [s]:b', 'C rm [s]:a', 'C rms [absent]');
  assert.deepEqual(results, ['', '2\n', '']);
  assert.deepEqual(logged, []);
});

test('E10, E11 and E12: malformed lines are answered by the log and do nothing', async () => {
  const { say, results, logged, asked } = bench();
  await say('C foo', 'Z', 'Q x', 'C get foo');
  assert.deepEqual(logged, [
    'ui_config: command "C foo" malformed',
    "ui_handle_messages: unrecognized command: 'Z'",
    'ui_shutdown_daemon: command "Q x" malformed',
    'ui_config: command "C get foo" malformed',
  ]);
  assert.deepEqual([results, asked], [[], []]);
});

test('E15: deleting an SA that is not there is a log line', async () => {
  const { say, logged } = bench();
  await say('d 00 -');
  assert.deepEqual(logged, ['ui_delete: command "d 00 -" found no SA']);
});

test('d names an SA by cookies and message id', async () => {
  const { say, logged, asked } = bench();
  await say(`d ${COOKIES} -`, `d ${COOKIES.toUpperCase()} 0000ABCD`);
  assert.deepEqual(asked, [
    { kind: 'deleteSa', cookies: COOKIES, messageId: 0 },
    { kind: 'deleteSa', cookies: COOKIES, messageId: 0xabcd },
  ]);
  assert.deepEqual(logged, []);
});

test('d with the message id of no SA finds none', async () => {
  const { say, logged, asked } = bench();
  await say(`d ${COOKIES} 1`);
  assert.deepEqual(logged, [`ui_delete: command "d ${COOKIES} 1" found no SA`]);
  assert.deepEqual(asked, []);
});

test('c, t, T, S and Q reach those who do it', async () => {
  const { say, asked, results, logged } = bench();
  await say('c IPsec-conn', 't IPsec-conn', 't main 192.0.2.1', 'T', 'S', 'Q');
  assert.deepEqual(asked, [
    { kind: 'connect', name: 'IPsec-conn' },
    { kind: 'teardown', phase: 2, target: { kind: 'name', name: 'IPsec-conn' } },
    { kind: 'teardown', phase: 1, target: { kind: 'address', address: '192.0.2.1' } },
    { kind: 'teardownAll' },
    'shutdown',
  ]);
  assert.deepEqual(results, ['SAs']);
  assert.deepEqual(logged, ['ui_shutdown_daemon: received shutdown command']);
});

test('E6 to E9: values that nobody wrote are answered from the generated ones', async () => {
  const { say, results } = bench();
  await say('C get [LIFE_MAIN_MODE]:LIFE_DURATION', 'C get [3DES-SHA-GRP2-RSA_SIG]:GROUP_DESCRIPTION');
  await say('C get [QM-ESP-AES-SHA2-256-PFS-GRP14-XF]:GROUP_DESCRIPTION', 'C get [QM-ESP-AES-128-SHA-SUITE]:Protocols');
  assert.deepEqual(results, ['3600,60:86400\n', 'MODP_1024\n', 'MODP_2048\n', 'QM-ESP-AES-128-SHA\n']);
});

test('edits of the lists of connections rebuild them once, five seconds after the last', async () => {
  const { say, asked, timers } = bench();
  await say('C set [Phase 2]:Connections=a', 'C add [phase 2]:passive-connections=b', 'C rmv [PHASE 2]:CONNECTIONS=a');
  assert.deepEqual(
    timers.map(({ milliseconds, cancelled }) => [milliseconds, cancelled]),
    [
      [5000, true],
      [5000, true],
      [5000, false],
    ],
  );
  assert.deepEqual(asked, []);
  timers[2]?.callback();
  assert.deepEqual(asked, [{ kind: 'reconfigured' }]);
});

test('other edits, rm and rms rebuild nothing', async () => {
  const { say, timers } = bench();
  await say(
    'C set [Phase 1]:Connections=a',
    'C set [Phase 2]:Other=a',
    'C rm [Phase 2]:Connections',
    'C rms [Phase 2]',
  );
  assert.deepEqual(timers, []);
});

test('closing forgets the rebuild', async () => {
  const { commands, say, timers } = bench();
  await say('C add [Phase 2]:Connections=a');
  commands.close();
  assert.equal(timers[0]?.cancelled, true);
});

test('E13 and E14: D answers with the lines of the original', async () => {
  const { say, logged } = bench();
  await say('D 11 5', 'D 3 40', 'D 3 40', 'D 3 x', 'D 3 -1');
  assert.deepEqual(logged, [
    'log_debug_cmd: invalid debugging class 11',
    'log_debug_cmd: log level changed from 0 to 40 for class 3',
    'log_debug_cmd: log level unchanged for class 3',
    'ui_debug: command "D 3 x" malformed',
    'log_debug_cmd: invalid debugging level -1 for class 3',
  ]);
});

test('D A sets all classes, D T silences them and brings them back', async () => {
  const { say, logged } = bench();
  await say('D A 7', 'D T', 'D T');
  const lines = (from: number, to: number) =>
    Array.from({ length: 11 }, (_, i) => `log_debug_cmd: log level changed from ${from} to ${to} for class ${i}`);
  assert.deepEqual(logged, [...lines(0, 7), ...lines(7, 0), ...lines(0, 7)]);
});

test('r asks for the report', async () => {
  const { say, asked, logged } = bench();
  await say('r');
  assert.deepEqual([asked, logged], [['report'], []]);
});

test('p on starts a capture, with or without a file name, p off ends it', async () => {
  const { say, logged, asked } = bench();
  await say('p on', 'p on=/run/x.pcap', 'p off');
  assert.deepEqual([asked, logged], [['capture undefined', 'capture /run/x.pcap', 'capture ends'], []]);
});

test('fifo-clients ipsecctl-delete: teardown and removal of what was never there are silent', async () => {
  const { say, logged } = bench();
  await say(
    't from-a-to-b',
    'C rmv [Phase 2]:Connections=from-a-to-b',
    'C rms [from-a-to-b]',
    'C rms [phase2-from-a-to-b]',
  );
  assert.deepEqual(logged, []);
});

test('R and M reach those who do it; other modes are malformed', async () => {
  const { say, asked, logged } = bench();
  await say('R', 'M passive', 'M active', 'M foo', 'M');
  assert.deepEqual(asked, ['reinitialize', 'passive', 'active']);
  assert.deepEqual(logged, ['ui_setmode: command "M foo" malformed', 'ui_setmode: command "M" malformed']);
});

test('a transaction is made at its commit, in the order of its lines, with one rebuild of the connections', async () => {
  const { say, results, logged, asked, timers } = bench();
  await say('C set [L]:X=old', 'C begin', 'C set [L]:X=new force', 'C add [L]:Y=a', 'C add [L]:Y=b');
  await say('C add [Phase 2]:Connections=one', 'C get [L]:X', 'C commit', 'C get [L]:X', 'C get [L]:Y');
  assert.deepEqual(results, ['old\n', 'new\n', 'a,b\n']);
  assert.deepEqual(logged, ['ui_config: transaction applied, edits: 4']);
  const rebuilds = timers.filter(({ milliseconds, cancelled }) => milliseconds === 5000 && !cancelled);
  for (const { callback } of rebuilds) callback();
  assert.deepEqual(asked, [{ kind: 'reconfigured' }]);
});

test('an aborted transaction changes nothing', async () => {
  const { say, results, logged } = bench();
  await say('C set [L]:X=old', 'C begin', 'C rms [L]', 'C abort', 'C get [L]:X');
  assert.deepEqual(results, ['old\n']);
  assert.deepEqual(logged, ['ui_config: transaction dropped (C abort), edits: 1']);
});

test('a line that cannot be understood refuses the whole transaction and is named, its secret is not', async () => {
  const { say, commands, results, logged } = bench();
  await say('C begin', 'C set [L]:X=1', 'C set peer:Authentication=mekmitasdigoat', 'C foo', 'C commit');
  await say('C get [L]:X');
  commands.refuse('contains a NUL byte');
  assert.deepEqual(results, ['']);
  assert.deepEqual(logged, [
    'ui_config: command "C set peer:Authentication=***" malformed',
    'ui_config: command "C foo" malformed',
    'ui_config: transaction refused, nothing of it is applied: ui_config: command "C set peer:Authentication=***" malformed',
    'ui_handler: command refused: the line contains a NUL byte',
  ]);
  await say('C begin');
  commands.refuse('is not UTF-8 text');
  await say('C commit');
  assert.equal(
    logged.at(-1),
    'ui_config: transaction refused, nothing of it is applied: a line of it is not UTF-8 text',
  );
});

test('begin, commit and abort out of order get a line each and change nothing', async () => {
  const { say, logged, results } = bench();
  await say('C commit', 'C abort', 'C begin', 'C set [L]:X=1', 'C begin', 'C commit', 'C get [L]:X');
  assert.deepEqual(logged, [
    'ui_config: command "C commit" refused: no transaction is open',
    'ui_config: command "C abort" refused: no transaction is open',
    'ui_config: command "C begin" refused: a transaction is open already',
    'ui_config: transaction applied, edits: 1',
  ]);
  assert.deepEqual(results, ['1\n']);
});

test('a transaction that nobody goes on with is dropped after a minute, and each edit begins that minute anew', async () => {
  const { say, logged, timers, results } = bench();
  await say('C begin', 'C set [L]:X=1');
  const waiting = timers.filter(({ cancelled }) => !cancelled);
  assert.deepEqual(
    waiting.map(({ milliseconds }) => milliseconds),
    [60_000],
  );
  waiting[0]?.callback();
  await say('C commit', 'C get [L]:X');
  assert.deepEqual(logged, [
    'ui_config: transaction dropped (no edit for 60 seconds, and no C commit), edits: 1',
    'ui_config: command "C commit" refused: no transaction is open',
  ]);
  assert.deepEqual(results, ['']);
});

test('a reload and the end of the daemon drop an open transaction', async () => {
  for (const end of ['R', 'SIGHUP', 'close'] as const) {
    const { say, commands, logged, asked } = bench();
    await say('C begin', 'C set [L]:X=1');
    if (end === 'R') await say('R');
    else if (end === 'SIGHUP') await commands.reinitialize();
    else commands.close();
    assert.match(
      logged.join(),
      /^ui_config: transaction dropped \(the (configuration is read again|daemon ends)\), edits: 1$/,
    );
    assert.deepEqual(asked, end === 'close' ? [] : ['reinitialize']);
  }
});

test('edits in a transaction leave what they would have left without it', async () => {
  const word = fc.constantFrom('a', 'b', 'c');
  const edit = fc
    .tuple(fc.constantFrom('set', 'add', 'rmv', 'rm', 'rms'), word, word, word, fc.boolean())
    .map(([verb, section, tag, value, force]) => {
      if (verb === 'rms') return `C rms [${section}]`;
      if (verb === 'rm') return `C rm [${section}]:${tag}`;
      return `C ${verb} [${section}]:${tag}=${value}${force && verb === 'set' ? ' force' : ''}`;
    });
  const questions = ['a', 'b', 'c'].flatMap((s) => ['a', 'b', 'c'].map((t) => `C get [${s}]:${t}`));
  await fc.assert(
    fc.asyncProperty(fc.array(edit), async (edits) => {
      const [direct, collected] = [bench(), bench()];
      await direct.say(...edits, ...questions);
      await collected.say('C begin', ...edits, 'C commit', ...questions);
      assert.deepEqual(collected.results, direct.results);
    }),
  );
});
