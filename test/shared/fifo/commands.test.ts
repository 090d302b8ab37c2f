import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Command, parseCommand } from '../../../src/shared/fifo/commands.ts';
import { sharedPath } from '../../helpers/shared-folder.ts';

/** [line, command], behaviour 2.2. */
const COMMANDS: readonly (readonly [string, Command])[] = [
  ['c IPsec-conn', { kind: 'connect', name: 'IPsec-conn' }],
  ['c \t from-10.13.0.0/16-to-10.10.8.0/21 ', { kind: 'connect', name: 'from-10.13.0.0/16-to-10.10.8.0/21' }],
  ['C get [General]:Test', { kind: 'get', section: 'General', tag: 'Test' }],
  ['C GET [Phase 1]:10.0.0.1', { kind: 'get', section: 'Phase 1', tag: '10.0.0.1' }],
  ['C set [General]:Test=1', { kind: 'set', section: 'General', tag: 'Test', value: '1', force: false }],
  ['C set [General]:Test=2 force', { kind: 'set', section: 'General', tag: 'Test', value: '2', force: true }],
  ['C set [General]:Test=2 anything', { kind: 'set', section: 'General', tag: 'Test', value: '2', force: true }],
  ['C set [s]:t=a=b', { kind: 'set', section: 's', tag: 't', value: 'a=b', force: false }],
  ['C set [a=97-b=97]:t=v', { kind: 'set', section: 'a=97-b=97', tag: 't', value: 'v', force: false }],
  ['C add [Phase 2]:Connections=x', { kind: 'add', section: 'Phase 2', tag: 'Connections', value: 'x' }],
  ['C add [L]:X=a force', { kind: 'add', section: 'L', tag: 'X', value: 'a' }],
  ['C rmv [L]:X=a', { kind: 'removeValue', section: 'L', tag: 'X', value: 'a' }],
  ['C rm [L]:X', { kind: 'remove', section: 'L', tag: 'X' }],
  ['C rms [Some section]', { kind: 'removeSection', section: 'Some section' }],
  ['d 00 -', { kind: 'deleteSa', cookies: '0'.repeat(32), messageId: 0 }],
  ['d AB 1f', { kind: 'deleteSa', cookies: `${'0'.repeat(30)}ab`, messageId: 0x1f }],
  [
    `d ${'0123456789abcdef'.repeat(2)} ffffffff`,
    { kind: 'deleteSa', cookies: '0123456789abcdef'.repeat(2), messageId: 0xffffffff },
  ],
  ['D 3 40', { kind: 'debugLevel', logClass: 3, level: 40 }],
  ['D A 99', { kind: 'debugLevel', logClass: 'all', level: 99 }],
  ['D T', { kind: 'debugToggle' }],
  ['M active', { kind: 'mode', mode: 'active' }],
  ['M passive', { kind: 'mode', mode: 'passive' }],
  ['p on', { kind: 'captureOn', path: undefined }],
  ['p ON=/var/run/x.pcap', { kind: 'captureOn', path: '/var/run/x.pcap' }],
  ['p off', { kind: 'captureOff' }],
  ['Q', { kind: 'shutdown' }],
  ['R', { kind: 'reinitialize' }],
  ['r', { kind: 'report' }],
  ['S', { kind: 'listSas' }],
  ['T', { kind: 'teardownAll' }],
  ['t conn', { kind: 'teardown', phase: 2, target: { kind: 'name', name: 'conn' } }],
  ['t quick conn', { kind: 'teardown', phase: 2, target: { kind: 'name', name: 'conn' } }],
  ['t main peer', { kind: 'teardown', phase: 1, target: { kind: 'name', name: 'peer' } }],
  ['t main main', { kind: 'teardown', phase: 1, target: { kind: 'name', name: 'main' } }],
  ['t main', { kind: 'teardown', phase: 2, target: { kind: 'name', name: 'main' } }],
  ['t quick', { kind: 'teardown', phase: 2, target: { kind: 'name', name: 'quick' } }],
  ['t 192.0.2.7', { kind: 'teardown', phase: 2, target: { kind: 'address', address: '192.0.2.7' } }],
  ['t main 2001:DB8:0::1', { kind: 'teardown', phase: 1, target: { kind: 'address', address: '2001:db8::1' } }],
];

for (const [line, command] of COMMANDS) {
  test(`"${line}" is understood`, () => assert.deepEqual(parseCommand(line), command));
}

/** [line, log line]. */
const MALFORMED: readonly (readonly [string, string])[] = [
  ['c', 'ui_connect: command "c" malformed'],
  ['C', 'ui_config: command "C" malformed'],
  ['C foo', 'ui_config: command "C foo" malformed'],
  ['C get', 'ui_config: command "C get" malformed'],
  ['C get General:Test', 'ui_config: command "C get General:Test" malformed'],
  ['C get []:Test', 'ui_config: command "C get []:Test" malformed'],
  ['C get [General] :Test', 'ui_config: command "C get [General] :Test" malformed'],
  ['C set [General]:Test', 'ui_config: command "C set [General]:Test" malformed'],
  ['C set [General]:Test=', 'ui_config: command "C set [General]:Test=" malformed'],
  ['C set [General]:=1', 'ui_config: command "C set [General]:=1" malformed'],
  ['C rms General', 'ui_config: command "C rms General" malformed'],
  ['d', 'ui_delete: command "d" malformed'],
  ['d 00', 'ui_delete: command "d 00" malformed'],
  ['d zz 00', 'ui_delete: command "d zz 00" has bad arguments'],
  ['d 00 xyz', 'ui_delete: command "d 00 xyz" has bad arguments'],
  [`d ${'0'.repeat(33)} -`, `ui_delete: command "d ${'0'.repeat(33)} -" has bad arguments`],
  ['D', 'ui_debug: command "D" malformed'],
  ['D x 5', 'ui_debug: command "D x 5" malformed'],
  ['M foo', 'ui_setmode: command "M foo" malformed'],
  ['p', 'ui_packetlog: command "p" malformed'],
  ['Q x', 'ui_shutdown_daemon: command "Q x" malformed'],
  ['t', 'ui_teardown: command "t" malformed'],
  ['Z', "ui_handle_messages: unrecognized command: 'Z'"],
  ['x y', "ui_handle_messages: unrecognized command: 'x'"],
  ['', "ui_handle_messages: unrecognized command: ''"],
  ['\u001b[2J', "ui_handle_messages: unrecognized command: '\\x1b'"],
];

for (const [line, text] of MALFORMED) {
  test(`${JSON.stringify(line)} is answered by the original's complaint`, () => {
    assert.deepEqual(parseCommand(line), { kind: 'malformed', text });
  });
}

test('words have no length limit', () => {
  const name = 'n'.repeat(5000);
  assert.deepEqual(parseCommand(`c ${name}`), { kind: 'connect', name });
});

test('a complaint does not repeat a pre-shared key', () => {
  const result = parseCommand('C set [peer-A] :Authentication=hunter2 force');
  assert.deepEqual(result, {
    kind: 'malformed',
    text: 'ui_config: command "C set [peer-A] :Authentication=***" malformed',
  });
});

test('every line is a command or malformed, never a fault', () => {
  const line = fc
    .tuple(fc.constantFrom(...'cCdDMpQRrStTx', ''), fc.string({ unit: 'binary' }))
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(line, (text) => {
      assert.equal(typeof parseCommand(text).kind, 'string');
    }),
  );
});

test('every line that ipsecctl writes is understood', (t) => {
  const path = sharedPath('vectors', 'ipsecctl-fifo', 'cases.json');
  if (path === undefined) return t.skip('shared/vectors is absent');
  const { cases }: { readonly cases: readonly { readonly kind: string; readonly expected?: string }[] } = JSON.parse(
    readFileSync(path, 'utf8'),
  );
  const lines = cases
    .filter(({ kind }) => kind === 'ike' || kind === 'ikedel')
    .flatMap(({ expected = '' }) => expected.split('\n'))
    .filter((line) => /^[Ct] /.test(line));
  assert.ok(lines.length > 1000, `only ${lines.length} lines`);
  assert.deepEqual(
    lines.filter((line) => parseCommand(line).kind === 'malformed'),
    [],
  );
});
