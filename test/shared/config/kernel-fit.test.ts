/** What the kernel in use cannot do is left out where it is configured, with the reason; the rest goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KernelFit } from '../../../src/shared/config/kernel-fit.ts';
import { ResolvedConfiguration } from '../../../src/shared/config/resolved.ts';
import { AuthenticationAlgorithm, EncapsulationMode, EspTransform } from '../../../src/shared/constants/ipsec-doi.ts';
import { storeOf } from './store-of.ts';

/** As PF_KEY on Linux: no AEAD. */
const PFKEY: KernelFit = {
  name: 'pfkey',
  espTransforms: new Set([EspTransform['3DES'], EspTransform.AES]),
  ahTransforms: new Set(),
  authentications: new Set([AuthenticationAlgorithm.HMAC_SHA, AuthenticationAlgorithm.HMAC_SHA2_256]),
  encapsulations: new Set(Object.values(EncapsulationMode)),
  onlySha2Truncation96: true,
};
const configured = (suites: string, flags = ''): ResolvedConfiguration =>
  new ResolvedConfiguration(
    storeOf(`
[Phase 1]
192.0.2.1=west
[Phase 2]
Connections=tunnel
[west]
Phase=1
Address=192.0.2.1
Authentication=mekmitasdigoat
${flags}
[tunnel]
Phase=2
ISAKMP-peer=west
Configuration=quick
[quick]
EXCHANGE_TYPE=QUICK_MODE
Suites=${suites}
`),
  );
/** Names of the suites that remain, and what was said. */
const outcome = (configuration: ResolvedConfiguration) => {
  const resolved = configuration.peer('west');
  assert.ok(!('error' in resolved));
  return {
    suites: resolved.policy.connections.flatMap((connection) => connection.suites.map(({ name }) => name)),
    texts: resolved.findings.map(({ text }) => text).join('\n'),
  };
};

test('a suite that the kernel lacks is left out, the others of the connection remain', () => {
  const configuration = configured('QM-ESP-AESGCM-256-PFS-GRP14-SUITE,QM-ESP-AES-SHA-PFS-GRP14-SUITE');
  assert.equal(outcome(configuration).suites.length, 2);
  configuration.limitTo(PFKEY);
  assert.deepEqual(configuration.takeChangedPeers(), ['west'], 'lanes hear of it');
  const { suites, texts } = outcome(configuration);
  assert.deepEqual(suites, ['QM-ESP-AES-SHA-PFS-GRP14-SUITE']);
  assert.match(texts, /pfkey does not have AES_GCM_16 on this machine.*left out of \[quick\]:Suites/);
});

test('a connection without another suite is not used, its peer goes on', () => {
  const configuration = configured('QM-ESP-AES-SHA2-512-PFS-GRP14-SUITE');
  configuration.limitTo(PFKEY);
  const { suites, texts } = outcome(configuration);
  assert.deepEqual(suites, []);
  assert.match(texts, /connection tunnel is not used: .*pfkey does not have HMAC_SHA2_512 on this machine/);
});

test('transport mode is left out where the kernel has tunnel mode only', () => {
  const { TUNNEL, UDP_ENCAP_TUNNEL } = EncapsulationMode;
  const tunnelsOnly = { ...PFKEY, name: 'userland', encapsulations: new Set<number>([TUNNEL, UDP_ENCAP_TUNNEL]) };
  const [tunnel, transport] = ['QM-ESP-AES-SHA-PFS-GRP14-SUITE', 'QM-ESP-TRP-AES-SHA-PFS-GRP14-SUITE'];
  const mixed = configured(`${transport},${tunnel}`);
  mixed.limitTo(PFKEY);
  assert.deepEqual(outcome(mixed).suites, [transport, tunnel]);
  mixed.limitTo(tunnelsOnly);
  assert.deepEqual(outcome(mixed).suites, [tunnel]);
  const reason =
    /\[QM-ESP-TRP-AES-SHA-PFS-GRP14-XF\] cannot be used: userland does not have TRANSPORT mode, .*Kernel=xfrm/;
  assert.match(outcome(mixed).texts, reason);
  const alone = configured(transport);
  alone.limitTo(tunnelsOnly);
  assert.deepEqual(outcome(alone).suites, []);
  assert.match(outcome(alone).texts, /connection tunnel is not used: .*userland does not have TRANSPORT mode/);
});

test('road warriors without a section get no transport mode either where the kernel has none', () => {
  const { TUNNEL } = EncapsulationMode;
  const [tunnel, transport] = ['QM-ESP-AES-SHA2-256-SUITE', 'QM-ESP-TRP-AES-SHA2-256-SUITE'];
  const suitesOf = (encapsulations: ReadonlySet<number>): readonly string[] => {
    const store = storeOf(`[General]\nDefault-phase-2-suites=${transport},${tunnel}\n`);
    const configuration = new ResolvedConfiguration(store);
    configuration.limitTo({ ...PFKEY, onlySha2Truncation96: false, encapsulations });
    return configuration.general().policy.connectionlessSuites.map(({ name }) => name);
  };
  assert.deepEqual(suitesOf(PFKEY.encapsulations), [transport, tunnel]);
  assert.deepEqual(suitesOf(new Set([TUNNEL])), [tunnel]);
});

test('HMAC-SHA2-256 that is truncated to 96 bits is for peers of which the configuration says that they do so', () => {
  const suite = 'QM-ESP-AES-SHA2-256-PFS-GRP14-SUITE';
  const refused = configured(suite);
  refused.limitTo(PFKEY);
  assert.deepEqual(outcome(refused).suites, []);
  assert.match(outcome(refused).texts, /truncates HMAC_SHA2_256 to 96 bits.*Flags=sha2-96/);
  const allowed = configured(suite, 'Flags=sha2-96');
  allowed.limitTo(PFKEY);
  assert.deepEqual(outcome(allowed).suites, [suite]);
  const resolved = allowed.peer('west');
  assert.equal('policy' in resolved && resolved.policy.sha2Truncation96, true);
  const right = configured(suite);
  right.limitTo({ ...PFKEY, onlySha2Truncation96: false });
  assert.deepEqual(outcome(right).suites, [suite]);
});

test('peers that share a suite are told apart by their flags', () => {
  const peer = (name: string, address: string, flags: string): string =>
    `[${name}]\nPhase=1\nAddress=${address}\nAuthentication=mekmitasdigoat\n${flags}\n[net-${name}]\nPhase=2\nISAKMP-peer=${name}\nConfiguration=quick\n`;
  const configuration = new ResolvedConfiguration(
    storeOf(
      `[Phase 2]\nConnections=net-a,net-b,net-c,net-d\n[quick]\nEXCHANGE_TYPE=QUICK_MODE\nSuites=QM-ESP-AES-SHA2-256-PFS-GRP14-SUITE\n${peer('a', '192.0.2.1', 'Flags=sha2-96')}${peer('b', '192.0.2.2', '')}${peer('c', '192.0.2.3', 'Flags=sha2-96')}${peer('d', '192.0.2.4', '')}`,
    ),
  );
  configuration.limitTo(PFKEY);
  const counts = ['a', 'b', 'c', 'd'].map((name) => {
    const resolved = configuration.peer(name);
    return 'policy' in resolved ? resolved.policy.connections.length : -1;
  });
  assert.deepEqual(counts, [1, 0, 1, 0]);
});
