/** Appendix E of the behaviour document on the running program: what daemon-mode, daemon-background and report-file do not show already. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { type Daemon, until } from '../../loadtest/daemon.ts';
import { freePorts, startAlone, startPair } from '../helpers/daemon-process.ts';

/** The text of each log line from `from` on, without time and tag. */
const said = (daemon: Daemon, from: number): readonly string[] =>
  daemon.log.slice(from).map((line) => line.replace(/^\S+ Default /, ''));

test('E1 to E9: what C sets, adds and removes, and what nobody wrote, is answered by C get', async (t) => {
  const { daemon } = await startAlone(t);
  const from = daemon.log.length;
  const answers: readonly (readonly [commands: readonly string[], question: string, answer: string])[] = [
    [['C set [General]:Test=1'], '[General]:Test', '1\n'],
    [['C set [General]:Test=2'], '[General]:Test', '1\n'],
    [['C set [General]:Test=2 force'], '[General]:Test', '2\n'],
    [['C add [L]:X=a', 'C add [L]:X=b', 'C add [L]:X=a'], '[L]:X', 'a,b\n'],
    [['C rmv [L]:X=a'], '[L]:X', 'b\n'],
    [['C rmv [L]:X=b'], '[L]:X', ''],
    [[], '[LIFE_MAIN_MODE]:LIFE_DURATION', '3600,60:86400\n'],
    [[], '[3DES-SHA-GRP2-RSA_SIG]:GROUP_DESCRIPTION', 'MODP_1024\n'],
    [[], '[QM-ESP-AES-SHA2-256-PFS-GRP14-XF]:GROUP_DESCRIPTION', 'MODP_2048\n'],
    [[], '[QM-ESP-AES-128-SHA-SUITE]:Protocols', 'QM-ESP-AES-128-SHA\n'],
  ];
  for (const [commands, question, answer] of answers) {
    for (const command of commands) daemon.command(command);
    assert.equal(await daemon.ask(`C get ${question}`), answer, question);
  }
  assert.deepEqual(
    said(daemon, from).filter((line) => line.startsWith('conf_set_now')),
    ['conf_set_now: duplicate tag [General]:Test, ignoring...'],
  );
});

test('E10 to E15: what is wrong with a command is said in the words of the original, and the daemon lives', async (t) => {
  const { daemon } = await startAlone(t);
  const from = daemon.log.length;
  for (const line of ['C foo', 'Z', 'Q x', 'D 11 5', 'D 3 40', 'D 3 40', 'd 00 -']) daemon.command(line);
  assert.equal(await daemon.ask('S'), '');
  await daemon.saw('ui_delete: command "d 00 -" found no SA');
  const lines = said(daemon, from).filter((line) => !/^\S+ UI /.test(line));
  assert.deepEqual(lines, [
    'ui_config: command "C foo" malformed',
    "ui_handle_messages: unrecognized command: 'Z'",
    'ui_shutdown_daemon: command "Q x" malformed',
    'log_debug_cmd: invalid debugging class 11',
    'log_debug_cmd: log level changed from 0 to 40 for class 3',
    'log_debug_cmd: log level unchanged for class 3',
    'ui_delete: command "d 00 -" found no SA',
  ]);
});

test('E19: a silent peer gets the same packet again after growing pauses, then it is given up', async (t) => {
  const ports = await freePorts(['127.0.0.1', '127.0.0.2']);
  const peer = createSocket('udp4');
  t.after(() => peer.close());
  const received: { readonly bytes: Buffer; readonly at: number }[] = [];
  peer.on('message', (bytes) => received.push({ bytes, at: performance.now() }));
  peer.bind(ports.ike, '127.0.0.2');
  await once(peer, 'listening');
  const configuration = `Retransmits=1
Check-interval=1
[peer]
Phase=1
Address=127.0.0.2
Port=${ports.ike}
Authentication=secret
`;
  const { daemon } = await startAlone(t, configuration, { ports });
  daemon.command('c peer');
  const line = `transport_send_messages: giving up on exchange peer, no response from peer 127.0.0.2:${ports.ike}`;
  const givenUp = await daemon.saw(line);
  const [first, second, ...more] = received;
  assert.ok(first !== undefined && second !== undefined);
  assert.equal(more.length, 0);
  assert.deepEqual(second.bytes, first.bytes);
  assert.ok(givenUp - second.at > second.at - first.at, 'the second pause is the longer one');
  assert.equal(await daemon.ask('S'), '');
  t.diagnostic(
    `packets at 0 and ${Math.round(second.at - first.at)} ms, given up at ${Math.round(givenUp - first.at)} ms`,
  );
});

test('E20: with a wrong secret neither side completes, and the answering one says where to look', async (t) => {
  const pair = await startPair(t);
  const [left, right] = pair;
  right.command('C set [peer]:Authentication=another-secret force');
  await right.caughtUp();
  assert.equal(await right.ask('C get [peer]:Authentication'), 'another-secret\n');
  left.command('c tunnel');
  await right.saw('probably a wrong pre-shared key');
  const lines = said(right, 0);
  // Which of the two it is hangs on what the wrong key makes of the message.
  const garbled =
    /^message_parse_payloads: \S|^message_recv: invalid payload type \d+ in ISAKMP header \(check passphrases, if applicable and in Phase 1\)$/;
  assert.ok(
    lines.some((line) => garbled.test(line)),
    lines.join('\n'),
  );
  assert.ok(lines.some((line) => /^dropped message from 127\.0\.0\.1 port \d+ due to notification type /.test(line)));
  for (const daemon of pair) {
    assert.equal(daemon.count('phase 1 done'), 0);
    assert.doesNotMatch(await daemon.ask('S'), /Phase 2|Flags 0x0000000[13]/);
  }
});

test('E21: S of a daemon without SAs makes the result file empty', async (t) => {
  const { daemon } = await startAlone(t);
  assert.equal(await daemon.ask('S'), '');
});

test('E25: after the renewal of a connection, its old SA has the flag 0x08', async (t) => {
  const pair = await startPair(t, undefined, { general: 'Renegotiate-on-HUP=yes' });
  const [left] = pair;
  left.command('c tunnel');
  for (const daemon of pair) await daemon.saw('isakmpd: quick mode done');
  left.signal('SIGHUP');
  for (const daemon of pair) {
    await until('the second quick mode', () => daemon.count('isakmpd: quick mode done') > 1 || undefined);
  }
  const listing = await left.ask('S');
  const flags = [...listing.matchAll(/^SA name: tunnel \(Phase 2\)\n(?:.*\n)*?Flags (0x[0-9a-f]{8})$/gm)];
  assert.deepEqual(flags.map(([, value]) => value).sort(), ['0x00000003', '0x0000000b'], listing);
});
