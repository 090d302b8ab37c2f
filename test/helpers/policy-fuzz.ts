/** Mutated policy files, read as the daemon reads its own, and asked by a peer with a passphrase and by one with a key and credentials. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import type { Authenticated } from '../../src/shared/credentials/authenticated.ts';
import { parseAssertions } from '../../src/shared/keynote/assertion.ts';
import { identityFromText } from '../../src/shared/policy/identity.ts';
import type { QuickModeAction } from '../../src/shared/policy-check/action.ts';
import { createPolicyCheck } from '../../src/shared/policy-check/policy-check.ts';
import { rsaKey } from './credential-keys.ts';
import { credential, principal } from './keynote-credentials.ts';
import { mutated } from './keynote-fuzz.ts';
import { PATH } from './lane-pair.ts';
import type { Prng } from './prng.ts';

/** One mutant a call; says what the two peers got. Throws where anything but an answer comes of it. `others`: where pieces of mutants come from. */
export const policyFuzz = (others: readonly string[]): ((random: Prng) => string) => {
  const example = readFileSync('config/isakmpd.policy.example', 'latin1').replaceAll(
    'rsa-hex:KEY-OF-THE-ADMINISTRATOR',
    principal(rsaKey('admin')),
  );
  const byKey: Authenticated = {
    kind: 'publicKey',
    key: rsaKey('branch').publicKey.export({ type: 'spki', format: 'der' }),
    chain: [],
    rawKeyOf: undefined,
    keynote: [credential('admin', principal(rsaKey('branch')), 'remote_id == "branch.example.org"')],
  };
  return (random) => {
    const text = mutated([example], random, [example, ...others]);
    const { assertions, faults } = parseAssertions(text);
    for (const { text: words } of faults) assert.match(words, /^[ -~]+$/);
    const check = createPolicyCheck(text);
    const answers = [BY_PASSPHRASE, byKey].map((who) => check.permission(who, ACTION));
    for (const { decision } of answers) assert.match(decision, /^[ -~]+$/);
    const permitted = answers.filter(({ isPermitted }) => isPermitted).length;
    assert.ok(permitted === 0 || assertions.length > 0);
    return `${faults.length === 0 ? 'read' : 'read in part'}, ${permitted} of 2 permitted`;
  };
};

const BY_PASSPHRASE: Authenticated = { kind: 'passphrase', secret: Buffer.from('mekmitasdigoat') };

const ACTION: QuickModeAction = {
  isInitiator: false,
  exchangeType: ExchangeType.ID_PROT,
  group: 14,
  remoteId: identityFromText('branch.example.org'),
  path: PATH,
  selectors: {
    local: identityFromText('10.1.0.0/255.255.0.0'),
    remote: identityFromText('10.2.0.0/255.255.0.0'),
  },
  choice: {
    protocols: [
      {
        ...{ protocolId: 3, transformId: 12, authentication: 5, encapsulation: 1, keyLength: 256 },
        ...{ replayWindow: 32, peerSpi: 0x1000 },
      },
    ],
    group: 14,
    lifetimes: { seconds: 3600, kilobytes: 0, shortened: false },
  },
  at: Date.UTC(2026, 10, 26),
};
