import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type ConfigurationSnapshot,
  type ReloadChanges,
  reloadChangesInSteps,
} from '../../../src/shared/config/reload-changes.ts';
import { resolvePeer } from '../../../src/shared/config/resolve-peer.ts';
import { reloadLines } from '../../../src/shared/log/reload-lines.ts';
import type { PeerPolicy } from '../../../src/shared/policy/peer-policy.ts';
import { atOnce } from '../../../src/shared/steps.ts';
import { storeOf } from './store-of.ts';

const reloadChanges = (before: ConfigurationSnapshot, after: ConfigurationSnapshot): ReloadChanges =>
  atOnce(reloadChangesInSteps(before, after));

const PEER = `[peer]
Phase=1
Address=192.0.2.9
Authentication=secret
`;
const policyOf = (change: (text: string) => string = (text) => text): PeerPolicy =>
  resolvePeer(storeOf(change(PEER)), 'peer').policy;

const snapshot = (
  peers: Readonly<Record<string, PeerPolicy | undefined>>,
  connections: readonly string[] = [],
  secrets: Readonly<Record<string, string>> = {},
): ConfigurationSnapshot => ({
  connections,
  peers: Object.keys(peers),
  policy: (name) => peers[name],
  identitySecrets: new Map(Object.entries(secrets).map(([identity, secret]) => [identity, Buffer.from(secret)])),
});

/** What a change of the peer section comes to. */
const changeOf = (change: (text: string) => string) =>
  reloadChanges(snapshot({ peer: policyOf() }), snapshot({ peer: policyOf(change) })).changedPeers;

test('the same, even made anew, is no change', () => {
  assert.deepEqual(
    changeOf((text) => text),
    [],
  );
});

const ADDED: readonly (readonly [string, string, boolean])[] = [
  ['Port=501', 'Address', true],
  ['Local-address=192.0.2.1', 'Local-address', true],
  ['Unique=never', 'other settings', false],
  ['Flags=delete-children', 'other settings', false],
  ['Check-suites=no', 'other settings', false],
];
for (const [line, what, isRenewed] of ADDED) {
  test(`${line} is a change of ${what}${isRenewed ? ', and phase 1 is made anew' : ''}`, () => {
    assert.deepEqual(
      changeOf((text) => `${text}${line}\n`),
      [{ name: 'peer', what: [what], isRenewed }],
    );
  });
}

test('another secret or identity has phase 1 made anew, and its value is told to nobody', () => {
  const changed = changeOf((text) =>
    text.replace('=secret', '=changed').concat('ID=us\n[us]\nID-type=FQDN\nName=a.example\n'),
  );
  assert.deepEqual(changed, [{ name: 'peer', what: ['Authentication', 'ID'], isRenewed: true }]);
  const text = JSON.stringify(reloadLines(reloadChanges(snapshot({}), snapshot({ peer: policyOf() }))));
  assert.ok(!text.includes('secret') && !text.includes('changed ('), text);
});

test('secrets of identities that are other ones, new or gone are told by identity, without their values', () => {
  const before = snapshot({}, [], { 'a@example': 'one', 'b@example': 'two', 'c@example': 'three' });
  const after = snapshot({}, [], { 'a@example': 'one', 'b@example': 'other', 'd@example': 'four' });
  const changes = reloadChanges(before, after);
  assert.deepEqual(changes.changedSecrets, ['b@example', 'c@example', 'd@example']);
  const lines = reloadLines(changes).map(({ text }) => text);
  assert.equal(
    lines[0],
    'reload: the secret of b@example changed: the SAs of peers that use it are negotiated anew now',
  );
  assert.doesNotMatch(lines.join(), /two|other|three|four/);
  assert.deepEqual(reloadChanges(before, before).changedSecrets, []);
});

test('other transforms count from the next negotiation', () => {
  const [change] = changeOf(
    (text) => `${text}Configuration=mm\n[mm]\nEXCHANGE_TYPE=ID_PROT\nTransforms=AES-256-SHA2-512-GRP19\n`,
  );
  assert.deepEqual(change, { name: 'peer', what: ['Configuration'], isRenewed: false });
});

test('a peer that can be used no longer, or at last, is told and not renewed', () => {
  const policy = policyOf();
  const of = (before: PeerPolicy | undefined, after: PeerPolicy | undefined) =>
    reloadChanges(snapshot({ peer: before }), snapshot({ peer: after })).changedPeers;
  assert.deepEqual(of(policy, undefined), [{ name: 'peer', what: ['cannot be used any more'], isRenewed: false }]);
  assert.deepEqual(of(undefined, policy), [{ name: 'peer', what: ['can be used now'], isRenewed: false }]);
  assert.deepEqual(of(undefined, undefined), []);
});

test('of any two lists every name is new, gone or neither, whatever its case', () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-c]{1,2}$/));
  fc.assert(
    fc.property(names, names, (before, after) => {
      const upper = after.map((name) => name.toUpperCase());
      const { newConnections, goneConnections } = reloadChanges(snapshot({}, before), snapshot({}, upper));
      assert.deepEqual(
        newConnections,
        upper.filter((name) => !before.includes(name.toLowerCase())),
      );
      assert.deepEqual(
        goneConnections,
        before.filter((name) => !after.includes(name)),
      );
    }),
  );
});

test('the log has one line for each thing that changed, but not thousands', () => {
  const many = Array.from({ length: 3000 }, (_, index) => `net-${index}`);
  const lines = reloadLines(reloadChanges(snapshot({}), snapshot({}, many))).map(({ text }) => text);
  assert.equal(lines.length, 22);
  assert.deepEqual(lines.slice(-3), [
    'reload: connection net-19 is new',
    'reload: 2980 more connections are new',
    'reload: peers: 0 changed, 0 new, 0 gone; connections: 3000 new, 0 gone',
  ]);
});
