import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkFile } from '../../../src/shared/config/check-file.ts';
import { generatedNames, generatedSection } from '../../../src/shared/config/generated-names.ts';
import { interfaces } from '../../helpers/interfaces.ts';
import { sharedPath } from '../../helpers/shared-folder.ts';
import { EXAMPLE } from './store-of.ts';

const told = (text: string): readonly string[] =>
  checkFile(text).problems.map(({ line, severity, text: said }) => `${line} ${severity} ${said}`);

/** A second peer with a connection whose two ends are the given nets. */
const another = (local: string, remote: string): string => `
[Phase 2]
Passive-connections=	other
[third]
Phase=			1
Address=		10.1.0.3
Configuration=		main-mode
Authentication=		another secret of two
[other]
Phase=			2
ISAKMP-peer=		third
Configuration=		quick-mode
Local-ID=		${local}
Remote-ID=		${remote}
[net-third]
ID-type=		IPV4_ADDR_SUBNET
Network=		192.168.1.128
Netmask=		255.255.255.128
`;

test('CVE-2018-5389: a secret that can be guessed is told, and not repeated', () => {
  const lines = told(EXAMPLE.replace(/Authentication=.*/, 'Authentication=\t\tsesame'));
  assert.deepEqual(lines, [
    '13 warning [west]:Authentication is worth 28 bits at most and can be guessed: take 20 random letters and digits or more, for instance of openssl rand -hex 20',
  ]);
});

test('what is odd about a peer is told beside what keeps it from use', () => {
  const odd = EXAMPLE.replace('[west]\n', '[west]\nFlags=\tfast\n');
  const flags = /\[west\]:Flags knows no "fast"/;
  assert.match(told(odd).join('\n'), flags);
  const refused = told(odd.replace(/EXCHANGE_TYPE=.*/, 'EXCHANGE_TYPE=\tID_PROTT'));
  assert.match(refused.join('\n'), flags);
  assert.equal(new Set(refused).size, refused.length, 'nothing twice');
});

test('a sound configuration is told nothing', () => {
  assert.deepEqual(told(EXAMPLE), []);
});

test('names of hosts are told, of peers and in Listen-on, each once', () => {
  const text = EXAMPLE.replace(/^Address=\t.*/m, 'Address=\tgate.example.net').replace(
    '[General]\n',
    '[General]\nListen-on=lo, 192.0.2.1, gate.example.net, us.example.net\n',
  );
  const { hosts } = checkFile(text, (book) => book.setInterfaces(interfaces({ lo: ['127.0.0.1'] })));
  assert.deepEqual(hosts, ['gate.example.net', 'us.example.net']);
  assert.deepEqual(checkFile(EXAMPLE).hosts, []);
});

test('connections of two peers with the same selectors are told', () => {
  const lines = told(`${EXAMPLE}${another('net-east', 'net-west')}`);
  assert.match(
    lines[0] ?? '',
    /warning \[other\] has the same selectors as \[east-west\] of peer west: only one of them/,
  );
  assert.match(lines[1] ?? '', /warning \[net-third\] is named by no other section/);
  assert.equal(lines.length, 2);
});

test('a net inside the net of another peer is told', () => {
  const lines = told(`${EXAMPLE}${another('net-east', 'net-third')}`);
  assert.deepEqual(lines, [
    '43 warning [other] overlaps with [east-west] of peer west: the more specific one gets the traffic',
  ]);
});

test('nets that are apart are told nothing', () => {
  assert.deepEqual(told(`${EXAMPLE}${another('net-third', 'net-east').replace('192.168.1.128', '192.168.3.128')}`), []);
});

test('a connection of a missing peer is told where it names it, with the peer that was probably meant', () => {
  const lines = told(EXAMPLE.replace('ISAKMP-peer=		west', 'ISAKMP-peer=		wast'));
  assert.ok(
    lines.includes('19 error [east-west]:ISAKMP-peer names "wast", but there is no such section: did you mean west?'),
    lines.join('\n'),
  );
});

test('an unknown suite is told with the nearest generated one', () => {
  const lines = told(EXAMPLE.replace('QM-ESP-AES-SHA2-256-PFS-GRP14-SUITE', 'QM-ESP-AES-SHA256-PFS-GRP14-SUITE'));
  assert.match(lines[0] ?? '', /did you mean QM-ESP-AES-SHA2-256-PFS-GRP14-SUITE\?$/);
});

test('a connection of a peer that cannot be used is checked by itself', () => {
  const lines = told(EXAMPLE.replace(/Authentication=.*\n/, '').replace('255.255.255.0', '255.0.255.0'));
  assert.match(lines.join('\n'), /error \[west\]:Authentication is missing/);
  assert.match(lines.join('\n'), /error \[net-east\]:Netmask cannot be "255\.0\.255\.0"/);
});

test('every generated name that can be suggested exists', () => {
  for (const phase of [1, 2] as const) {
    const names = generatedNames(phase);
    assert.ok(names.length > 1000);
    for (const name of names) assert.notEqual(generatedSection(name.toLowerCase()), undefined, name);
  }
});

test('every configuration of the vectors is checked, and every problem has a line', (t) => {
  const folder = sharedPath('vectors', 'configs');
  if (folder === undefined) return t.skip('shared/vectors is absent');
  const files = readdirSync(folder).filter((name) => name.endsWith('.conf'));
  for (const file of files) {
    const { problems } = checkFile(readFileSync(join(folder, file), 'utf8'));
    for (const { line, text } of problems) assert.ok(line > 0, `${file}: ${text}`);
    t.diagnostic(`${file}: ${problems.map(({ severity }) => severity).join(' ')}`);
  }
  assert.ok(files.length > 0);
});

test('any text is checked without throwing, in the order of its lines', () => {
  const piece = fc.oneof(
    fc.constantFrom('[a]\n', '[b]\n', '[General]\n', '[Phase 1]\n', '[Phase 2]\n', '\n', '=', 'Phase=1\n', 'Phase=2\n'),
    fc.constantFrom('ISAKMP-peer=a\n', 'Connections=a,b\n', 'Default=b\n', 'ID=a\n', 'ID-type=FQDN\n', 'Name=a\n'),
    fc.constantFrom('Local-ID=b\n', 'Authentication=x\n', 'Transforms=a,AES-SHA,\n', 'Suites=b\n', '10.0.0.1=a\n'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const lines = checkFile(pieces.join('')).problems.map(({ line }) => line);
      assert.deepEqual(
        lines,
        [...lines].sort((a, b) => a - b),
      );
    }),
  );
});
