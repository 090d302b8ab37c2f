import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveGeneral } from '../../../src/shared/config/resolve-general.ts';
import { ConfigurationStore } from '../../../src/shared/config/store.ts';
import { ConfigError } from '../../../src/shared/errors.ts';
import { DEFAULT_TRUST_SETTINGS } from '../../../src/shared/x509/trust-store.ts';
import { storeOf } from './store-of.ts';

test('without configuration the defaults of isakmpd.conf(5) hold', () => {
  const { policy, daemon, credentials, findings } = resolveGeneral(new ConfigurationStore());
  const { connectionlessSuites, ...others } = policy;
  assert.equal(connectionlessSuites.length, 4);
  assert.deepEqual(others, {
    retransmits: 3,
    exchangeMaxTimeSeconds: 120,
    fragmentSize: 1280,
    identitySecrets: new Map(),
  });
  assert.deepEqual(daemon, {
    checkIntervalSeconds: 60,
    deadPeerSeconds: 0,
    keepaliveSeconds: 20,
    acquireOnly: false,
    blockOnExit: false,
    sharedSadb: false,
    kernel: 'auto',
    deleteSas: true,
    listenOn: undefined,
    logLevels: [],
    verbose: false,
    renegotiateOnHup: false,
  });
  assert.deepEqual(credentials, {
    privateKey: '/etc/isakmpd/private/local.key',
    privateKeyDirectory: '/etc/isakmpd/private/',
    publicKeyDirectory: '/etc/isakmpd/pubkeys/',
    authorityDirectory: '/etc/isakmpd/ca/',
    certificateDirectory: '/etc/isakmpd/certs/',
    revocationListDirectory: '/etc/isakmpd/crls/',
    policyFile: '/etc/isakmpd/isakmpd.policy',
    keynoteDirectory: '/etc/isakmpd/keynote/',
    settings: DEFAULT_TRUST_SETTINGS,
  });
  assert.deepEqual(findings, []);
});

test('every setting is read', () => {
  const store = storeOf(`[General]
Retransmits=5
Exchange-max-time=30
Check-interval=10
NAT-T-Keepalive=7
DPD-check-interval=30
Acquire-Only=Defined
Block-on-exit=yes
Shared-SADB=
Kernel=XFRM
Delete-SAs=no
Listen-on=10.0.0.1,2001:DB8::1
Loglevel=A=10,6=50
Logverbose=Defined
Renegotiate-on-HUP=
`);
  const { policy, daemon } = resolveGeneral(store);
  assert.deepEqual([policy.retransmits, policy.exchangeMaxTimeSeconds], [5, 30]);
  assert.deepEqual(daemon, {
    checkIntervalSeconds: 10,
    deadPeerSeconds: 30,
    keepaliveSeconds: 7,
    acquireOnly: true,
    blockOnExit: true,
    sharedSadb: true,
    kernel: 'xfrm',
    deleteSas: false,
    listenOn: ['10.0.0.1', '2001:db8::1'],
    logLevels: [
      { logClass: 'all', level: 10 },
      { logClass: 6, level: 50 },
    ],
    verbose: true,
    renegotiateOnHup: true,
  });
});

test('a wrong value is refused with section, tag, value and what would be right', () => {
  const store = storeOf('[General]\nRetransmits=many\n');
  assert.throws(
    () => resolveGeneral(store),
    new ConfigError('[General]:Retransmits cannot be "many": it is a number from 0 to 100', {
      section: 'General',
      tag: 'Retransmits',
    }),
  );
});

test('sections named after an identity hold its secret, under the text of the identity', () => {
  const store = storeOf(`[Foo@Example.net]
Authentication=a
[2001:DB8:0::1]
Authentication=0x0102
[peer]
Phase=1
Authentication=c
[gw.example.net]
Authentication=0x1
`);
  const { policy, findings } = resolveGeneral(store);
  assert.deepEqual(
    policy.identitySecrets,
    new Map([
      ['foo@example.net', Uint8Array.of(97)],
      ['2001:db8::1', Uint8Array.of(1, 2)],
    ]),
  );
  assert.deepEqual(
    findings.map(({ text }) => text.slice(0, 50)),
    [
      '[Foo@Example.net]:Authentication is worth 4 bits a',
      '[2001:DB8:0::1]:Authentication is worth 14 bits at',
      '[gw.example.net]:Authentication cannot be this: it',
    ],
  );
});

test('without connection sections peers get Default-phase-2-suites, if a policy is asked and the kernel can do them', () => {
  type Answer = readonly [suites: readonly string[], findings: readonly string[]];
  const namesOf = (...settings: readonly (readonly [tag: string, value: string])[]): Answer => {
    const store = new ConfigurationStore();
    for (const [tag, value] of settings) store.set('General', tag, value, true);
    const { policy, findings } = resolveGeneral(store);
    return [policy.connectionlessSuites.map(({ name }) => name), findings.map(({ text }) => text)];
  };
  const [modern] = namesOf();
  assert.ok(modern.includes('QM-ESP-AESGCM-128-PFS-GRP14-SUITE'), String(modern));
  assert.deepEqual(namesOf(['Legacy-defaults', 'yes']), [['QM-ESP-3DES-SHA-PFS-SUITE'], []]);
  assert.deepEqual(namesOf(['Default-phase-2-suites', 'QM-ESP-AES-256-SHA2-256-SUITE']), [
    ['QM-ESP-AES-256-SHA2-256-SUITE'],
    [],
  ]);
  assert.deepEqual(namesOf(['Use-Keynote', 'no']), [[], []]);
  const [none, [finding]] = namesOf(['Default-phase-2-suites', 'QM-ESP-DES-MD5-SUITE']);
  assert.deepEqual(none, []);
  assert.match(finding ?? '', /lists nothing that can be used: .*; peers get nothing without a connection section/);
});
