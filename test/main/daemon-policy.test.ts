/** Two daemons with a policy: what it permits by passphrase, and what it refuses, with the reason in the log. */
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Daemon, until } from '../../loadtest/daemon.ts';
import { freePorts, spawnDaemon, startPair, testFolder } from '../helpers/daemon-process.ts';

const WORDS = ['-d', '-v', '-n', '-4'];

const PERMITS = `KeyNote-Version: 2
Authorizer: "POLICY"
Licensees: "passphrase:a secret of tests"
Conditions: app_domain == "IPsec policy" && esp_present == "yes" && esp_enc_alg == "aes" &&
  remote_filter == "010.011.002.000-010.011.002.255" -> "true";
`;

/** The same for what the left side may have. */
const PERMITS_LEFT = PERMITS.replaceAll('010.011.002.', '010.011.001.');

/** Writes a policy, and answers its path. */
const policy = (folder: string, text: string, name = 'isakmpd.policy'): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, 0o600);
  return path;
};

interface Bench {
  /** Has the policy of the test; begins the quick mode, or answers. */
  readonly left: Daemon;
  readonly right: Daemon;
  readonly rewrite: (text: string) => void;
}

/** Both ask a policy: the right one permits the tunnel. */
const started = async (t: TestContext, text: string): Promise<Bench> => {
  const folder = testFolder(t);
  const path = policy(folder, text);
  const permitting = policy(folder, PERMITS_LEFT, 'right.policy');
  const general = { left: `Policy-file=${path}`, right: `Policy-file=${permitting}` };
  const [left, right] = await startPair(t, undefined, { words: WORDS, general });
  return { left, right, rewrite: (next) => void policy(folder, next) };
};

test('a tunnel is permitted by passphrase, whoever begins', async (t) => {
  const { left } = await started(t, PERMITS.replace('remote_filter == "010.011.002', 'remote_filter != "010.099.002'));
  await left.saw('policy: 1 assertions of');
  left.command('c tunnel');
  await left.saw('isakmpd: quick mode done');
  assert.equal(left.count('refused'), 0);
});

for (const [what, change, why] of [
  ['another passphrase', ['a secret of tests', 'another secret'], /nothing licenses who asks/],
  ['another cipher', ['esp_enc_alg == "aes"', 'esp_enc_alg == "3des"'], /esp_enc_alg/],
  ['another network', ['010.011.002.255', '010.011.003.255'], /remote_filter/],
] as const) {
  test(`${what} is refused as initiator and as responder, and the log says why`, async (t) => {
    const { left, right } = await started(t, PERMITS.replace(change[0], change[1]));
    left.command('c tunnel');
    await left.saw('quick mode refused by the policy');
    assert.match(left.log.find((line) => line.includes('refused by the policy')) ?? '', why);
    assert.equal(left.count('a secret of tests'), 0, 'the secret is not in it');
    right.command('c tunnel');
    await until('the second refusal', () => left.count('refused by the policy') >= 2 || undefined);
    assert.equal(left.count('isakmpd: quick mode done'), 0);
  });
}

test('a reload takes the policy over for the next quick mode, and a broken one leaves the old one', async (t) => {
  const { left, rewrite } = await started(t, PERMITS.replace('"aes"', '"3des"'));
  left.command('c tunnel');
  await left.saw('quick mode refused by the policy');
  rewrite('Authorizer: "POLICY"\nConditions: esp_present == ;\n');
  left.command('R');
  await left.saw('the policy stays as it was');
  rewrite(PERMITS);
  left.command('R');
  await until('another policy', () => left.count('assertions of') >= 2 || undefined);
  left.command('c tunnel');
  await left.saw('isakmpd: quick mode done');
});

test('without a policy, or with one that is open to others or permits nothing, the daemon does not start', async (t) => {
  const folder = testFolder(t);
  for (const [text, mode, why] of [
    [undefined, 0, /is not there: write a policy/],
    [PERMITS, 0o644, /isakmpd\.policy/],
    ['Authorizer: "somebody"\n', 0o600, /no assertion with Authorizer: "POLICY"/],
    ['Authorizer: "POLICY\n', 0o600, /line 1.*no assertion with Authorizer: "POLICY"/],
  ] as const) {
    const path = join(folder, 'isakmpd.policy');
    if (text !== undefined) writeFileSync(path, text);
    if (text !== undefined) chmodSync(path, mode);
    const ports = await freePorts(['127.0.0.1']);
    const configuration = `[General]\nListen-on=127.0.0.1\nPolicy-file=${path}\n`;
    const daemon = spawnDaemon(t, { name: `alone${mode}${text?.length}`, folder, configuration, ports, words: WORDS });
    assert.equal(await daemon.ended, 1);
    assert.match(daemon.log.join('\n'), why);
  }
});
