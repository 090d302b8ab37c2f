import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayListen, parsePort } from '../../../src/shared/cli/port.ts';

const SERVICES = `# services
isakmp		500/tcp
isakmp		500/udp		ike	# key exchange
ipsec-nat-t	4500/udp			# ike over nat
web		8080/tcp
ntp		123/udp
`;

const ACCEPTED: readonly (readonly [string, number])[] = [
  ['500', 500],
  ['0x1f4', 500],
  ['0X1F4', 500],
  ['0764', 500],
  ['1024', 1024],
  ['65535', 65_535],
  ['isakmp', 500],
  ['ike', 500],
  ['ipsec-nat-t', 4500],
];

for (const [text, port] of ACCEPTED) {
  test(`"${text}" is port ${port}`, () => {
    assert.deepEqual(parsePort(text, SERVICES), { kind: 'port', port });
  });
}

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['0', /between 1 and 65535/],
  ['65536', /between 1 and 65535/],
  ['99999999999999999999', /between 1 and 65535/],
  ['4', /neither 500 nor 1024/],
  ['1023', /neither 500 nor 1024/],
  ['ntp', /neither 500 nor 1024/],
  ['08', /neither a number nor/],
  ['-1', /neither a number nor/],
  ['+500', /neither a number nor/],
  [' 500', /neither a number nor/],
  ['500x', /neither a number nor/],
  ['0x', /neither a number nor/],
  ['web', /neither a number nor/],
  ['ISAKMP', /neither a number nor/],
  ['#', /neither a number nor/],
];

for (const [text, reason] of REFUSED) {
  test(`"${text}" is no port for the daemon`, () => {
    const result = parsePort(text, SERVICES);
    assert.match(result.kind === 'refused' ? result.reason : '', reason);
  });
}

test('only port 500 and unprivileged ports may be listened on', () => {
  assert.deepEqual([0, 499, 500, 501, 1023, 1024, 4500, 65_535, 65_536].filter(mayListen), [500, 1024, 4500, 65_535]);
});
