import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { defaultInterface4, defaultInterface6 } from '../../src/shared/default-route.ts';

const HEAD = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';
const route4 = (name: string, destination: string, flags: string, metric: number, mask = '00000000'): string =>
  `${name}\t${destination}\t010200C0\t${flags}\t0\t0\t${metric}\t${mask}\t0\t0\t0   \n`;
const ZERO = '0'.repeat(32);
const route6 = (destination: string, length: string, metric: string, flags: string, name: string): string =>
  `${destination} ${length} ${ZERO} 00 ${ZERO} ${metric} 00000001 00000000 ${flags}     ${name}\n`;

test('the IPv4 default route with the lowest metric counts', () => {
  const text = `${HEAD}${route4('wlan0', '00000000', '0003', 600)}${route4('eth0', '00000000', '0003', 100)}${route4('lo', '0000007F', '0001', 0, '000000FF')}`;
  assert.equal(defaultInterface4(text), 'eth0');
});

test('a half of all addresses and a route that rejects are no default route', () => {
  const text = `${HEAD}${route4('tun0', '00000000', '0003', 0, '00000080')}${route4('eth0', '00000000', '0201', 0)}`;
  assert.equal(defaultInterface4(text), undefined);
});

test('the IPv6 default route is found, the rejecting one of lo is not', () => {
  const text = [
    route6('fd000000000000000000000000000000', '40', '00000100', '00000001', 'eth1'),
    route6(ZERO, '00', 'ffffffff', '00200200', 'lo'),
    route6(ZERO, '00', '00000400', '00000003', 'eth0'),
    route6(ZERO, '80', '00000000', '00000001', 'eth2'),
  ];
  assert.equal(defaultInterface6(text.join('')), 'eth0');
  assert.equal(defaultInterface6(text.slice(0, 2).join('')), undefined);
});

test('any text is read without throwing', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300, unit: fc.constantFrom('0', 'f', ' ', '\n', '\t', 'x') }), (text) => {
      defaultInterface4(text);
      defaultInterface6(text);
    }),
  );
});
