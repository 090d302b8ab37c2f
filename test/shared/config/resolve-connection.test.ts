import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attemptPeer } from '../../../src/shared/config/resolve-peer.ts';
import type { ConfigurationStore } from '../../../src/shared/config/store.ts';
import {
  AuthenticationAlgorithm,
  EncapsulationMode,
  EspTransform,
  IdType,
  ProtocolId,
} from '../../../src/shared/constants/ipsec-doi.ts';
import { GroupDescription, LifeType } from '../../../src/shared/constants/oakley.ts';
import { NO_ROUTE } from '../../../src/shared/flow.ts';
import { identityText } from '../../../src/shared/policy/identity.ts';
import type { ConnectionPolicy } from '../../../src/shared/policy/peer-policy.ts';
import { EXAMPLE, resolved, storeOf } from './store-of.ts';

const edited = (...edits: readonly (readonly [string, string, string])[]): ConfigurationStore => {
  const store = storeOf(EXAMPLE);
  for (const [section, tag, value] of edits) store.set(section, tag, value, true);
  return store;
};
const connectionsOf = (store: ConfigurationStore): readonly ConnectionPolicy[] =>
  resolved(store, 'west').policy.connections;
const only = (store: ConfigurationStore): ConnectionPolicy => {
  const [connection, second] = connectionsOf(store);
  assert.ok(connection !== undefined && second === undefined);
  return connection;
};

test('a connection section becomes selectors and suites', () => {
  const { localId, remoteId, ...rest } = only(storeOf(EXAMPLE));
  assert.equal(localId && identityText(localId), '192.168.2.0/255.255.255.0');
  assert.equal(remoteId && identityText(remoteId), '192.168.1.0/255.255.255.0');
  assert.deepEqual(rest, {
    name: 'east-west',
    natId: undefined,
    onDemand: false,
    activeOnly: false,
    route: NO_ROUTE,
    suitesTag: '[quick-mode]:Suites',
    suites: [
      {
        name: 'QM-ESP-AES-SHA2-256-PFS-GRP14-SUITE',
        protocols: [
          {
            name: 'QM-ESP-AES-SHA2-256-PFS-GRP14',
            protocolId: ProtocolId.IPSEC_ESP,
            replayWindow: 64,
            transforms: [
              {
                name: 'QM-ESP-AES-SHA2-256-PFS-GRP14-XF',
                transformId: EspTransform.AES,
                encapsulation: EncapsulationMode.TUNNEL,
                authentication: AuthenticationAlgorithm.HMAC_SHA2_256,
                group: GroupDescription.MODP_2048,
                keyLength: { offered: 128, least: 128, most: 256 },
                lifetimes: [{ type: LifeType.SECONDS, duration: { offered: 1200, least: 60, most: 86400 } }],
              },
            ],
          },
        ],
      },
    ],
  });
});

test('protocol and port by number and by name', () => {
  const { localId, remoteId } = only(
    edited(
      ['net-east', 'Protocol', 'tcp'],
      ['net-east', 'Port', 'ssh'],
      ['net-west', 'Protocol', '6'],
      ['net-west', 'Port', '2022'],
    ),
  );
  assert.deepEqual([localId?.protocol, localId?.port, remoteId?.protocol, remoteId?.port], [6, 22, 6, 2022]);
});

test('a port without protocol has no effect, and that is told', () => {
  const store = edited(['net-east', 'Port', '22']);
  assert.equal(only(store).localId?.port, 0);
  assert.match(resolved(store, 'west').warnings.join(), /^\[net-east\]:Port has no effect without Protocol/);
});

test('host bits of a network are kept for the sake of peers that compare bytes', () => {
  const { localId } = only(edited(['net-east', 'Network', '192.168.2.7']));
  assert.equal(localId && identityText(localId), '192.168.2.7/255.255.255.0');
});

test('P6: a connection without Remote-ID takes any remote selector', () => {
  const store = storeOf(EXAMPLE);
  store.remove('east-west', 'Remote-ID');
  const { localId, remoteId } = only(store);
  assert.ok(localId !== undefined && remoteId === undefined);
});

test('a connection without IDs is between the two addresses', () => {
  const store = storeOf(EXAMPLE);
  store.remove('east-west', 'Remote-ID');
  store.remove('east-west', 'Local-ID');
  const { localId, remoteId } = only(store);
  assert.deepEqual([localId, remoteId], [undefined, undefined]);
});

test('NAT-ID and Active-only', () => {
  const { natId, activeOnly } = only(
    edited(
      ['east-west', 'NAT-ID', 'nat'],
      ['east-west', 'Flags', 'active-only'],
      ['nat', 'ID-type', 'IPV4_ADDR'],
      ['nat', 'Address', '172.16.0.1'],
    ),
  );
  assert.deepEqual([natId?.type, natId && identityText(natId), activeOnly], [IdType.IPV4_ADDR, '172.16.0.1', true]);
});

test('route-based: the mark with its mask, the number of the interface', () => {
  const { route } = only(edited(['east-west', 'Mark', '0x10/0xff'], ['east-west', 'Interface-id', '42']));
  assert.deepEqual(route, { mark: 0x10, markMask: 0xff, interfaceId: 42 });
  assert.deepEqual(only(edited(['east-west', 'Mark', '7'])).route, { mark: 7, markMask: 0xffff_ffff, interfaceId: 0 });
  const impossible = edited(['east-west', 'Mark', '0x100/0xff']);
  assert.deepEqual(connectionsOf(impossible), []);
  assert.match(resolved(impossible, 'west').warnings.join(), /\[east-west\]:Mark cannot be "0x100\/0xff"/);
});

test('without Configuration the default suites are used, all with PFS in group 14', () => {
  const store = storeOf(EXAMPLE);
  store.remove('east-west', 'Configuration');
  const { suites } = only(store);
  assert.deepEqual(
    suites.map(({ name }) => name),
    ['AESGCM-256', 'AESGCM-128', 'AES-256-SHA2-256', 'AES-128-SHA2-256'].map(
      (what) => `QM-ESP-${what}-PFS-GRP14-SUITE`,
    ),
  );
  for (const { protocols } of suites) assert.equal(protocols[0]?.transforms[0]?.group, GroupDescription.MODP_2048);
});

test('default suites can be configured and the original ones restored', () => {
  const store = edited(['General', 'Legacy-defaults', 'yes']);
  store.remove('east-west', 'Configuration');
  assert.equal(only(store).suites[0]?.name, 'QM-ESP-3DES-SHA-PFS-SUITE');
  store.set('General', 'Default-phase-2-suites', 'QM-ESP-AESGCM-128-SUITE', true);
  assert.equal(only(store).suites[0]?.name, 'QM-ESP-AESGCM-128-SUITE');
});

test('a suite of two protocols keeps both', () => {
  const { suites } = only(
    edited(['quick-mode', 'Suites', 'both'], ['both', 'Protocols', 'QM-AH-SHA2-256,QM-ESP-AES-SHA2-256']),
  );
  assert.deepEqual(
    suites[0]?.protocols.map(({ protocolId }) => protocolId),
    [ProtocolId.IPSEC_AH, ProtocolId.IPSEC_ESP],
  );
});

test('P25, CVE-2006-4436: ReplayWindow is honoured, but never below 32', () => {
  const windowOf = (size: string): number | undefined =>
    only(edited(['QM-ESP-AES-SHA2-256-PFS-GRP14', 'ReplayWindow', size])).suites[0]?.protocols[0]?.replayWindow;
  assert.deepEqual(['128', '16', '0'].map(windowOf), [128, 32, 32]);
});

const XF = 'QM-ESP-AES-SHA2-256-PFS-GRP14-XF';
const PROTOCOL = 'QM-ESP-AES-SHA2-256-PFS-GRP14';
const LEFT_OUT: readonly (readonly [string, RegExp, ...(readonly [string, string, string])[]])[] = [
  [
    'a phase that is not 2',
    /\[east-west\]:Phase cannot be "1": a connection section has Phase=2/,
    ['east-west', 'Phase', '1'],
  ],
  [
    'IPv4 and IPv6',
    /\[east-west\] mixes IPv4 and IPv6/,
    ['net-east', 'ID-type', 'IPV6_ADDR'],
    ['net-east', 'Address', '::1'],
  ],
  [
    'CVE-2023-38711: a name as selector',
    /"FQDN": a connection is selected by IPV4_ADDR/,
    ['net-east', 'ID-type', 'FQDN'],
  ],
  [
    'a mask with holes',
    /Netmask cannot be "255.0.255.0": its ones have to come before its zeros/,
    ['net-east', 'Netmask', '255.0.255.0'],
  ],
  [
    'a missing ID section',
    /\[nowhere\]:ID-type is missing: there is no such section/,
    ['east-west', 'Local-ID', 'nowhere'],
  ],
  ['packet tags', /\[east-west\]:PF-Tag is not supported yet/, ['east-west', 'PF-Tag', 'x']],
  ['interfaces', /\[east-west\]:Interface is not supported yet/, ['east-west', 'Interface', 'sec1']],
  ['mode config', /\[east-west\]:Flags ikecfg is not supported yet/, ['east-west', 'Flags', 'ikecfg']],
  [
    'another exchange',
    /\[quick-mode\]:EXCHANGE_TYPE cannot be "ID_PROT": a connection needs QUICK_MODE/,
    ['quick-mode', 'EXCHANGE_TYPE', 'ID_PROT'],
  ],
  ['another DOI', /\[quick-mode\]:DOI cannot be "ISAKMP"/, ['quick-mode', 'DOI', 'ISAKMP']],
  ['no suites', /\[nowhere\]:Suites is missing: there is no such section/, ['east-west', 'Configuration', 'nowhere']],
  [
    'a suite that does not exist',
    /\[nosuite\]:Protocols is missing: there is no such section/,
    ['quick-mode', 'Suites', 'nosuite'],
  ],
  ['compression', /"IPCOMP": compression is not supported yet/, [PROTOCOL, 'PROTOCOL_ID', 'IPCOMP']],
  ['ISAKMP as a protocol', /"ISAKMP": a suite is of IPSEC_ESP and IPSEC_AH/, [PROTOCOL, 'PROTOCOL_ID', 'ISAKMP']],
  [
    'an encapsulation that is negotiated',
    /"UDP_ENCAP_TUNNEL": write TUNNEL or TRANSPORT/,
    [XF, 'ENCAPSULATION_MODE', 'UDP_ENCAP_TUNNEL'],
  ],
  ['RC4', /"RC4": it is broken/, [XF, 'TRANSFORM_ID', 'RC4']],
  ['DES-MAC', /"DES_MAC": it is broken/, [XF, 'AUTHENTICATION_ALGORITHM', 'DES_MAC']],
  [
    'single DES',
    /"DES": it is too weak, only \[west\]:Legacy-crypto=yes allows it/,
    [XF, 'TRANSFORM_ID', 'DES'],
    [XF, 'KEY_LENGTH', '64'],
  ],
  [
    'ESP without authentication',
    /ESP without authentication protects nothing; it is too weak, only \[west\]:Legacy-crypto=yes/,
    ['quick-mode', 'Suites', 'QM-ESP-AES-SUITE'],
  ],
  [
    'CVE-2024-3652: GMAC with authentication',
    /AUTHENTICATION_ALGORITHM cannot be "HMAC_SHA2_256": AES_GMAC authenticates by itself/,
    [XF, 'TRANSFORM_ID', 'AES_GMAC'],
  ],
  [
    'NULL without authentication',
    /makes no IPsec SA: its cipher needs an AUTHENTICATION_ALGORITHM/,
    ['quick-mode', 'Suites', 'QM-ESP-NULL-SUITE'],
  ],
  ['an odd key length', /makes no IPsec SA: its cipher takes no key of 100 bits/, [XF, 'KEY_LENGTH', '100']],
  [
    'AH that contradicts itself',
    /AH needs the AUTHENTICATION_ALGORITHM that goes with its TRANSFORM_ID/,
    ['quick-mode', 'Suites', 'QM-AH-SHA-SUITE'],
    ['QM-AH-SHA-XF', 'AUTHENTICATION_ALGORITHM', 'HMAC_MD5'],
  ],
  ['key rounds', /KEY_ROUNDS is not supported yet/, [XF, 'KEY_ROUNDS', '8']],
];
for (const [what, expected, ...edits] of LEFT_OUT) {
  test(`left out with a warning: ${what}`, () => {
    const { policy, warnings } = resolved(edited(...edits), 'west');
    assert.deepEqual(policy.connections, []);
    assert.equal(warnings.length, 1, warnings.join('\n'));
    assert.match(warnings[0] ?? '', expected);
    assert.match(warnings[0] ?? '', /^connection east-west is not used: /);
  });
}

test('left out with a warning: Remote-ID without Local-ID', () => {
  const store = storeOf(EXAMPLE);
  store.remove('east-west', 'Local-ID');
  assert.match(resolved(store, 'west').warnings.join(), /\[east-west\]:Local-ID is missing: Remote-ID and NAT-ID mean/);
});

test('a broken connection leaves the others of its peer alone', () => {
  const store = edited(
    ['Phase 2', 'Connections', 'east-west,broken'],
    ['broken', 'Phase', '2'],
    ['broken', 'ISAKMP-peer', 'west'],
    ['broken', 'Local-ID', 'x'],
  );
  assert.equal(only(store).name, 'east-west');
});

test('a suite that cannot be used is left out while others remain', () => {
  const store = edited(['quick-mode', 'Suites', 'nosuite,QM-ESP-AESGCM-256-SUITE']);
  assert.deepEqual(
    only(store).suites.map(({ name }) => name),
    ['QM-ESP-AESGCM-256-SUITE'],
  );
  assert.match(resolved(store, 'west').warnings.join(), /left out of \[quick-mode\]:Suites/);
});

test('half a suite is no suite', () => {
  const store = edited(['quick-mode', 'Suites', 'both'], ['both', 'Protocols', 'QM-AH-SHA2-256,nothing']);
  assert.deepEqual(connectionsOf(store), []);
});

test('Legacy-crypto=yes lets single DES and unauthenticated ESP through', () => {
  const store = edited(
    ['west', 'Legacy-crypto', 'yes'],
    ['quick-mode', 'Suites', 'QM-ESP-AES-SUITE,des'],
    ['des', 'Protocols', 'des-p'],
    ['des-p', 'PROTOCOL_ID', 'IPSEC_ESP'],
    ['des-p', 'Transforms', 'des-xf'],
    ['des-xf', 'TRANSFORM_ID', 'DES'],
    ['des-xf', 'AUTHENTICATION_ALGORITHM', 'HMAC_MD5'],
  );
  assert.equal(only(store).suites.length, 2);
  assert.match(resolved(store, 'west').warnings.join(), /ESP without authentication, DES, HMAC_MD5/);
});

test('an ESP cipher with one key length takes no KEY_LENGTH', () => {
  const store = edited(['quick-mode', 'Suites', 'QM-ESP-3DES-SHA-SUITE'], ['QM-ESP-3DES-SHA-XF', 'KEY_LENGTH', '192']);
  assert.equal(only(store).suites[0]?.protocols[0]?.transforms[0]?.keyLength, undefined);
  assert.match(resolved(store, 'west').warnings[0] ?? '', /KEY_LENGTH has no effect/);
});

test('a connection that [Phase 2] does not list is not used', () => {
  const store = storeOf(EXAMPLE);
  store.removeValue('Phase 2', 'Connections', 'east-west');
  assert.deepEqual(connectionsOf(store), []);
});

test('a passive connection is used, and one that FIFO c named', () => {
  const store = storeOf(EXAMPLE);
  store.removeValue('Phase 2', 'Connections', 'east-west');
  const outcome = attemptPeer(store, 'west', new Set(['east-west']));
  assert.ok('policy' in outcome && outcome.policy.connections.length === 1);
  store.add('Phase 2', 'passive-connections', 'EAST-west');
  assert.equal(only(store).name, 'east-west');
});

test('QM ID spoofing: a peer gets its own connections only', () => {
  const store = edited(
    ['Phase 2', 'Connections', 'east-west,other'],
    ['other', 'Phase', '2'],
    ['other', 'ISAKMP-peer', 'somebody'],
  );
  assert.equal(only(store).name, 'east-west');
});

/** Connections of one peer by their selectors: [name, remote, protocol, port]. */
const withRemotes = (rows: readonly (readonly [string, string, string?, string?])[]): ConfigurationStore => {
  const store = storeOf(EXAMPLE);
  store.removeSection('Phase 2');
  for (const [name, remote, protocol, port] of rows) {
    store.add('Phase 2', 'Connections', name);
    for (const tag of ['Phase', 'ISAKMP-peer', 'Configuration', 'Local-ID']) {
      store.set(name, tag, store.get('east-west', tag) ?? '', true);
    }
    const [network = '', mask = ''] = remote.split('/');
    store.set(name, 'Remote-ID', `to-${name}`, true);
    store.set(`to-${name}`, 'ID-type', 'IPV4_ADDR_SUBNET', true);
    store.set(`to-${name}`, 'Network', network, true);
    store.set(`to-${name}`, 'Netmask', mask, true);
    if (protocol !== undefined) store.set(`to-${name}`, 'Protocol', protocol, true);
    if (port !== undefined) store.set(`to-${name}`, 'Port', port, true);
  }
  return store;
};

test('the most specific selectors come first', () => {
  const store = withRemotes([
    ['any', '0.0.0.0/0.0.0.0'],
    ['net', '10.0.0.0/255.0.0.0'],
    ['tcp', '10.1.0.0/255.255.0.0', 'tcp'],
    ['plain', '10.1.0.0/255.255.0.0'],
    ['ssh', '10.1.0.0/255.255.0.0', 'tcp', '22'],
    ['host', '10.1.1.1/255.255.255.255'],
    ['road', '0.0.0.0/0.0.0.0'],
    ['between', '0.0.0.0/0.0.0.0'],
  ]);
  store.remove('road', 'Remote-ID');
  store.remove('between', 'Remote-ID');
  store.remove('between', 'Local-ID');
  assert.deepEqual(
    connectionsOf(store).map(({ name }) => name),
    ['between', 'host', 'ssh', 'tcp', 'plain', 'net', 'any', 'road'],
  );
});

test('connections that hide each other are told', () => {
  const store = withRemotes([
    ['one', '10.1.1.1/255.255.255.0'],
    ['two', '10.1.1.0/255.255.255.0'],
    ['three', '10.1.1.0/255.255.255.0', 'udp'],
  ]);
  assert.deepEqual(resolved(store, 'west').warnings, [
    '[two] has the same selectors as [one], which is the one the peer gets',
  ]);
});
