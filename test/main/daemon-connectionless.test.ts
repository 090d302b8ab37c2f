/** A gateway whose policy alone says what road warriors get, and daemons that call it; docs/adr/0016. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Daemon, until } from '../../loadtest/daemon.ts';
import { freePorts, spawnDaemon, testFolder } from '../helpers/daemon-process.ts';
import { statusSas } from '../helpers/status-sas.ts';

const GATEWAY = '127.0.0.1';
const SECRET = 'a secret of tests';
const TUNNEL = '[warriors]10.1.0.0/255.255.0.0-10.9.0.1';

/** Everybody who knows the secret may have any address of 10.9.0.0/24. */
const policyText = (network = '010.009.000.'): string => `Authorizer: "POLICY"
Licensees: "passphrase:${SECRET}"
Conditions: app_domain == "IPsec policy" && esp_present == "yes" && remote_filter ~= "^${network}" -> "true";
`;

const peerSection = (name: string, id: string, more = ''): string => `
[${name}]
Phase=1
ID=own-id
Authentication=${SECRET}
Configuration=main-mode
${more}
[own-id]
ID-type=FQDN
Name=${id}
[main-mode]
EXCHANGE_TYPE=ID_PROT
Transforms=AES-128-SHA2-256-GRP19
`;

const warriorText = (name: string, address: string, inner: string, port: number): string => `
[General]
Listen-on=${address}
[Phase 1]
${GATEWAY}=gateway
[Phase 2]
Passive-connections=to-office
${peerSection('gateway', `${name}.example.org`, `Address=${GATEWAY}\nPort=${port}`)}
[to-office]
Phase=2
ISAKMP-peer=gateway
Configuration=quick-mode
Local-ID=inner
Remote-ID=office
[quick-mode]
EXCHANGE_TYPE=QUICK_MODE
Suites=QM-ESP-AES-128-SHA2-256-SUITE
[inner]
ID-type=IPV4_ADDR
Address=${inner}
[office]
ID-type=IPV4_ADDR_SUBNET
Network=10.1.0.0
Netmask=255.255.0.0
`;

interface Bench {
  readonly gateway: Daemon;
  /** A warrior with an inner address, which asks for the office at once. */
  readonly call: (name: string, address: string, inner: string) => Promise<Daemon>;
  readonly rewritePolicy: (text: string) => void;
}

const started = async (t: TestContext, words: readonly string[] = []): Promise<Bench> => {
  const folder = testFolder(t);
  const ports = await freePorts([GATEWAY, '127.0.0.2', '127.0.0.3']);
  const policy = join(folder, 'isakmpd.policy');
  const rewritePolicy = (text: string): void => writeFileSync(policy, text, { mode: 0o600 });
  rewritePolicy(policyText());
  const general = `Listen-on=${GATEWAY}\nPolicy-file=${policy}\nDefault-phase-2-suites=QM-ESP-AES-128-SHA2-256-SUITE`;
  const configuration = `[General]\n${general}\n[Phase 1]\nDefault=warriors\n${peerSection('warriors', 'gateway.example.org')}`;
  const common = { folder, ports };
  const gateway = spawnDaemon(t, {
    ...{ ...common, name: 'gateway', configuration },
    words: ['-d', '-v', '-n', '-4', ...words],
  });
  await gateway.ready();
  const call = async (name: string, address: string, inner: string): Promise<Daemon> => {
    const warrior = spawnDaemon(t, { ...common, name, configuration: warriorText(name, address, inner, ports.ike) });
    await warrior.ready();
    warrior.command('c to-office');
    return warrior;
  };
  return { gateway, call, rewritePolicy };
};

const hasTunnels = (daemon: Daemon, count: number) =>
  until(`${count} quick modes of ${daemon.name}`, () => daemon.count('isakmpd: quick mode done') >= count || undefined);

test('a road warrior gets what the policy permits, S shows it, t takes it down', async (t) => {
  const { gateway, call } = await started(t);
  const alice = await call('alice', '127.0.0.2', '10.9.0.1');
  await Promise.all([hasTunnels(alice, 1), hasTunnels(gateway, 1)]);
  assert.ok((await gateway.ask('S')).includes(`SA name: ${TUNNEL} (Phase 2)`));
  alice.command('t to-office');
  await gateway.saw(`made us delete live SA ${TUNNEL} for proto 3`);
  alice.command('c to-office');
  await hasTunnels(gateway, 2);
  gateway.command(`t ${TUNNEL}`);
  await alice.saw('made us delete live SA to-office for proto 3');
  assert.ok(!(await gateway.ask('S')).includes('(Phase 2)'));
});

test('the status socket has a tunnel without a section under the name that S and t know, with who has it and between which networks', async (t) => {
  const { gateway, call } = await started(t);
  await call('alice', '127.0.0.2', '10.9.0.1');
  await hasTunnels(gateway, 1);
  const [sa, ...more] = (await statusSas(gateway.runDirectory)).filter(({ phase }) => phase === 2);
  assert.ok(sa !== undefined && more.length === 0);
  const { name, peer, role, state, remoteIdentity, localSelector, remoteSelector, hardExpiryAt } = sa;
  assert.deepEqual([name, peer, role, state], [TUNNEL, 'warriors', 'responder', 'established']);
  assert.deepEqual([remoteIdentity, sa.remote?.address], ['alice.example.org', '127.0.0.2']);
  assert.deepEqual([localSelector, remoteSelector], ['10.1.0.0/255.255.0.0', '10.9.0.1']);
  assert.ok(Date.parse(hardExpiryAt ?? '') > Date.parse(sa.establishedAt ?? ''));
});

test('P1: an address that another road warrior has is refused to the next one, and the log says whose it is', async (t) => {
  const { gateway, call } = await started(t);
  await call('alice', '127.0.0.2', '10.9.0.1');
  await hasTunnels(gateway, 1);
  const mallory = await call('mallory', '127.0.0.3', '10.9.0.1');
  await mallory.saw('INVALID_ID_INFORMATION');
  await gateway.saw('that is traffic of alice.example.org (peer warriors)');
  assert.equal(gateway.count('isakmpd: quick mode done'), 1);
});

test('a reload with another policy leaves the tunnel that is up, and refuses the next one', async (t) => {
  const { gateway, call, rewritePolicy } = await started(t);
  const alice = await call('alice', '127.0.0.2', '10.9.0.1');
  await Promise.all([hasTunnels(alice, 1), hasTunnels(gateway, 1)]);
  rewritePolicy(policyText('010.008.000.'));
  gateway.signal('SIGHUP');
  await until('the new policy', () => gateway.count('assertions of') >= 2 || undefined);
  assert.ok((await gateway.ask('S')).includes(`SA name: ${TUNNEL} (Phase 2)`));
  const bob = await call('bob', '127.0.0.3', '10.9.0.2');
  await bob.saw('INVALID_ID_INFORMATION');
  await gateway.saw('quick mode refused by the policy');
  assert.equal(gateway.count('isakmpd: quick mode done'), 1);
});

test('with -K nothing permits a tunnel without a connection section, and the log says so', async (t) => {
  const { gateway, call } = await started(t, ['-K']);
  const alice = await call('alice', '127.0.0.2', '10.9.0.1');
  await alice.saw('INVALID_ID_INFORMATION');
  await gateway.saw('no policy is asked (-K, Use-Keynote) that could permit it without a section');
  assert.equal(gateway.count('isakmpd: quick mode done'), 0);
});
