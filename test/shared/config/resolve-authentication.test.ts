/** Which transforms a peer gets, by how the two sides can prove who they are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusal, resolved, west } from './store-of.ts';

test('without Configuration and without a pre-shared key modern transforms for signatures are used', () => {
  const store = west();
  store.remove('west', 'Configuration');
  store.remove('west', 'Authentication');
  const { policy, warnings } = resolved(store, 'west');
  assert.deepEqual(
    policy.transforms.map(({ name }) => name),
    ['AES-256-SHA2-256-GRP14-RSA_SIG', 'AES-128-SHA2-256-GRP14-RSA_SIG', 'AES-256-SHA2-256-GRP19-RSA_SIG'],
  );
  assert.deepEqual([policy.preSharedKey, warnings], [undefined, []]);
});

test('with Legacy-defaults the only transform is for signatures', () => {
  const store = west(['General', 'Legacy-defaults', 'yes']);
  store.remove('west', 'Configuration');
  const { policy } = resolved(store, 'west');
  assert.deepEqual(
    policy.transforms.map(({ name }) => name),
    ['3DES-SHA-RSA_SIG'],
  );
});

test('signatures need no pre-shared key; transforms that need one are left out without it, with a warning', () => {
  const store = west(['main-mode', 'Transforms', 'AES-SHA2-256-GRP14-RSA_SIG,AES-SHA2-256-GRP14']);
  store.remove('west', 'Authentication');
  const { policy, warnings } = resolved(store, 'west');
  assert.deepEqual(
    policy.transforms.map(({ name }) => name),
    ['AES-SHA2-256-GRP14-RSA_SIG'],
  );
  assert.deepEqual(warnings, [
    '[west]:Authentication is missing: without a pre-shared key AES-SHA2-256-GRP14 cannot be used',
  ]);
});

test('ECDSA is named with its curve', () => {
  const method = (name: string) => ['AES-256-SHA2-256-GRP14', 'AUTHENTICATION_METHOD', name] as const;
  assert.equal(resolved(west(method('ECDSA_384')), 'west').policy.transforms[0]?.authentication, 10);
  assert.match(refusal(west(method('ECDSA_SIG')), 'west'), /ECDSA_SIG": it is ECDSA_256, ECDSA_384 or ECDSA_521/);
});
