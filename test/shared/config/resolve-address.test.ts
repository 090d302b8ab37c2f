import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResolvedConfiguration } from '../../../src/shared/config/resolved.ts';
import { identityText } from '../../../src/shared/policy/identity.ts';
import { interfaces } from '../../helpers/interfaces.ts';
import { EXAMPLE, refusal, resolved, storeOf } from './store-of.ts';

const HOST = interfaces(
  {
    lo: ['127.0.0.1/255.0.0.0', '::1'],
    eth0: ['10.1.0.2', '10.1.0.7', 'fe80::2%eth0', '2001:db8::2'],
    eth1: ['192.168.2.1', 'fe80::3%eth1'],
  },
  'eth0',
  'eth1',
);

const storeWith = (changes: readonly (readonly [string, string, string])[]) => {
  const store = storeOf(EXAMPLE);
  store.addressBook.setInterfaces(HOST);
  for (const [section, tag, value] of changes) store.set(section, tag, value, true);
  return store;
};

const localIdOf = (...changes: readonly (readonly [string, string, string])[]): string => {
  const { localId } = resolved(storeWith([['west', 'ID', 'me'], ...changes]), 'west').policy;
  return localId === undefined ? 'none' : identityText(localId);
};

test('an interface in an ID section is its first address of the family', () => {
  assert.equal(localIdOf(['me', 'ID-type', 'IPV4_ADDR'], ['me', 'Address', 'eth0']), '10.1.0.2');
});

test('of IPv6 addresses the one that is not link-local is preferred', () => {
  assert.equal(localIdOf(['me', 'ID-type', 'IPV6_ADDR'], ['me', 'Address', 'eth0']), '2001:db8::2');
  assert.equal(localIdOf(['me', 'ID-type', 'IPV6_ADDR'], ['me', 'Address', 'eth1']), 'fe80::3');
});

test('default is the interface of the default route of that family', () => {
  assert.equal(localIdOf(['me', 'ID-type', 'IPV4_ADDR'], ['me', 'Address', 'default']), '10.1.0.2');
  assert.equal(localIdOf(['me', 'ID-type', 'IPV6_ADDR'], ['me', 'Address', 'default']), 'fe80::3');
});

test('Network and Netmask of an interface are those of its first address', () => {
  const { policy } = resolved(
    storeWith([
      ['net-east', 'Network', 'eth1'],
      ['net-east', 'Netmask', 'eth1'],
    ]),
    'west',
  );
  const [connection] = policy.connections;
  assert.ok(connection?.localId !== undefined);
  assert.equal(identityText(connection.localId), '192.168.2.0/255.255.255.0');
});

test('Local-address is of the family of the peer’s address', () => {
  const localAddressOf = (address: string): string | undefined =>
    resolved(
      storeWith([
        ['west', 'Address', address],
        ['west', 'Local-address', 'eth0'],
      ]),
      'west',
    ).policy.localAddress;
  assert.equal(localAddressOf('10.1.0.1'), '10.1.0.2');
  assert.equal(localAddressOf('2001:db8::1'), '2001:db8::2');
});

const REFUSALS: readonly (readonly [string, RegExp, ...(readonly [string, string, string])[]])[] = [
  [
    'an interface that is not there',
    /\[west\]:Local-address cannot be "eth9": .*no such interface/,
    ['west', 'Local-address', 'eth9'],
  ],
  [
    'an interface without an address of the family',
    /\[me\]:Address means the interface lo0, which has no IPv4 address now/,
    ['west', 'ID', 'me'],
    ['me', 'ID-type', 'IPV4_ADDR'],
    ['me', 'Address', 'lo0'],
  ],
  ['figures that are no address', /\[west\]:Address cannot be "10\.1\.0\.300"/, ['west', 'Address', '10.1.0.300']],
  ['a name that none can have', /\[west\]:Address cannot be "a b"/, ['west', 'Address', 'a b']],
];
for (const [what, expected, ...changes] of REFUSALS) {
  test(`${what} is refused`, () => {
    const store = storeWith(changes);
    store.addressBook.setInterfaces(interfaces({ lo0: ['::1'], eth0: ['10.1.0.2'] }));
    assert.match(refusal(store, 'west'), expected);
  });
}

test('a host is no address until it is resolved, and the answer counts for those who name it alone', () => {
  const store = storeWith([['west', 'Address', 'gate.example.net']]);
  const configuration = new ResolvedConfiguration(store);
  const addressNow = (): string | undefined => {
    const outcome = configuration.peer('west');
    return 'policy' in outcome ? outcome.policy.address : outcome.error.message;
  };
  assert.equal(addressNow(), undefined);
  assert.deepEqual(resolved(store, 'west').warnings, [], 'nobody has asked yet');
  store.addressBook.setHost('gate.example.net', { kind: 'failed', reason: 'no such host' });
  assert.deepEqual(configuration.takeChangedPeers(), ['west']);
  assert.deepEqual(resolved(store, 'west').warnings, [
    '[west]:Address names the host gate.example.net, which has no address: no such host; it is looked up again at the next attempt',
  ]);
  assert.equal(addressNow(), undefined);
  store.addressBook.setHost('gate.example.net', { kind: 'addresses', addresses: ['10.1.0.9'] });
  assert.equal(addressNow(), '10.1.0.9');
  store.addressBook.setHost('other.example.net', { kind: 'addresses', addresses: ['10.1.0.9'] });
  configuration.takeChangedPeers();
  store.addressBook.setHost('other.example.net', { kind: 'addresses', addresses: ['10.1.0.8'] });
  assert.deepEqual(configuration.takeChangedPeers(), []);
});

test('an interface that changes touches only the peers that name it', () => {
  const store = storeWith([
    ['west', 'Local-address', 'eth0'],
    ['other', 'Phase', '1'],
    ['other', 'Address', '10.9.9.9'],
    ['other', 'Authentication', 'x'],
    ['third', 'Phase', '1'],
    ['third', 'Local-address', 'default'],
    ['third', 'Authentication', 'x'],
  ]);
  const configuration = new ResolvedConfiguration(store);
  const resolveAll = (): void => {
    for (const peer of ['west', 'other', 'third']) assert.ok('policy' in configuration.peer(peer), peer);
    configuration.takeChangedPeers();
  };
  resolveAll();
  store.addressBook.setInterfaces(interfaces({ eth0: ['10.1.0.2'], eth1: ['192.168.2.9'] }, 'eth1'));
  assert.deepEqual(configuration.takeChangedPeers(), ['west', 'third']);
  resolveAll();
  store.addressBook.setInterfaces(interfaces({ eth0: ['10.1.0.2'], eth1: ['192.168.2.10'] }, 'eth1'));
  assert.deepEqual(configuration.takeChangedPeers(), ['third'], 'default follows the addresses of its interface');
});

test('protocols and services of the system’s tables are known by name', () => {
  const store = storeWith([
    ['net-east', 'Protocol', 'HOPOPT-X'],
    ['net-east', 'Port', 'bgpd'],
    ['west', 'Port', 'ike-alt'],
  ]);
  const tables = [
    '# protocols\nhopopt-x\t200\tHOPX # comment\n',
    'bgpd  2605/tcp  # x\nother 70000/udp\nike 5500/udp ike-alt\n',
  ] as const;
  assert.match(refusal(store, 'west'), /\[west\]:Port cannot be "ike-alt": there is no service of this name/);
  store.addressBook.setNumbers(...tables);
  const { policy } = resolved(store, 'west');
  assert.equal(policy.port, 5500);
  assert.deepEqual([policy.connections[0]?.localId?.protocol, policy.connections[0]?.localId?.port], [200, 2605]);
});
