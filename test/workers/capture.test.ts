/** What a lane hands out for a capture, and when it does not. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import type { PeerPolicy } from '../../src/shared/policy/peer-policy.ts';
import { KeySlab } from '../../src/shared/sa-table/key-slab.ts';
import { HEADER_SIZE } from '../../src/shared/wire/message.ts';
import { type Kind, type LaneHost, type LanePair, lanePair } from '../helpers/lane-pair.ts';

const withCapture = (withKeys = false, changes: Partial<PeerPolicy> = {}): LanePair => {
  const world = lanePair(changes);
  for (const host of world.hosts) host.tell({ kind: 'capture', isOn: true, withKeys });
  return world;
};

const negotiate = (world: LanePair): void => {
  world.start();
  world.pass(40_000);
  world.quick();
  world.pass(40_000);
};

it('a lane hands out nothing unless a capture runs', () => {
  const world = lanePair();
  negotiate(world);
  assert.ok(world.left.all('phase2Established').length === 1);
  assert.deepEqual(world.left.all('captured').concat(world.right.all('captured')), []);
  world.left.tell({ kind: 'capture', isOn: true, withKeys: false });
  world.left.tell({ kind: 'capture', isOn: false, withKeys: false });
  world.quick(3);
  world.pass(40_000);
  assert.deepEqual(world.left.all('captured'), []);
});

it('every message is handed out once, though each is sent twice, and both sides read the same', () => {
  const world = withCapture();
  world.bend = (_from, bytes) => [bytes, bytes];
  negotiate(world);
  const [left, right] = world.hosts.map((host) => host.all('captured'));
  assert.equal(left?.length, 9);
  assert.equal(right?.length, 9);
  for (const [index, ours] of (left ?? []).entries()) {
    const theirs: Kind<'captured'> | undefined = right?.[index];
    if (theirs === undefined) assert.fail('the other side has fewer');
    assert.notEqual(ours.isSent, theirs.isSent);
    // The sender's copy is without padding.
    const sent: Kind<'captured'> = ours.isSent ? ours : theirs;
    const received: Kind<'captured'> = ours.isSent ? theirs : ours;
    assert.deepEqual(received.bytes.slice(HEADER_SIZE, sent.bytes.length), sent.bytes.slice(HEADER_SIZE));
  }
});

it('a message that nobody answers is handed out once for all its transmissions', () => {
  const world = withCapture();
  world.bend = () => [];
  world.start();
  world.pass(60_000);
  assert.ok(world.left.all('send').length > 1);
  assert.equal(world.left.all('captured').length, 1);
});

it('a message that is refused is not handed out', () => {
  const world = withCapture();
  world.bend = (_from, bytes, index) => {
    if (index !== 4) return [bytes];
    const forged = bytes.slice();
    forged[HEADER_SIZE + 20] = (forged[HEADER_SIZE + 20] ?? 0) ^ 1;
    return [forged];
  };
  world.start();
  world.pass(1_000);
  const received = world.right.all('captured').filter(({ isSent }) => !isSent);
  assert.equal(received.length, 2);
});

/** Cookie and key of each ISAKMP SA whose key was handed out, in hex. */
const keysOf = (host: LaneHost): readonly string[] =>
  host
    .all('captureKey')
    .map(({ initiatorCookie, key }) =>
      [initiatorCookie, key].map((bytes) => Buffer.from(bytes).toString('hex')).join(),
    );

/** The same of the established ones, from the slab. */
const storedKeysOf = (host: LaneHost): readonly string[] => {
  const slab = new KeySlab(host.slabBuffer);
  return [...host.table.own()].map(({ row }) => {
    const key = slab.read(row.slabSlot)?.encryptionKey ?? assert.fail('no key is kept');
    return [row.initiatorCookie, key].map((bytes) => Buffer.from(bytes).toString('hex')).join();
  });
};

it('a capture without keys gets none', () => {
  const world = withCapture(false);
  negotiate(world);
  assert.ok(world.left.all('captured').length > 0);
  assert.deepEqual(world.hosts.flatMap(keysOf), []);
});

for (const [name, exchangeType] of [
  ['main mode', ExchangeType.ID_PROT],
  ['aggressive mode', ExchangeType.AGGRESSIVE],
] as const) {
  it(`a capture with keys gets the one of each ISAKMP SA once from either side, ${name}`, () => {
    const world = withCapture(true, { exchangeType });
    world.bend = (_from, bytes) => [bytes, bytes];
    negotiate(world);
    const [left = [], right = []] = world.hosts.map(keysOf);
    assert.equal(left.length, 1);
    assert.deepEqual(left, right);
    assert.deepEqual(left, storedKeysOf(world.left));
  });
}

it('what is handed out is a copy: the SA goes on when it is erased', () => {
  const world = withCapture(true);
  world.start();
  for (const host of world.hosts) for (const { key } of host.all('captureKey')) key.fill(0);
  world.quick();
  assert.equal(world.left.all('phase2Established').length, 1);
});

it('the keys of ISAKMP SAs that are there already come when the capture is switched on, and none when it is off', () => {
  const world = lanePair();
  world.start();
  world.left.tell({ kind: 'capture', isOn: true, withKeys: true });
  assert.deepEqual(keysOf(world.left), storedKeysOf(world.left));
  world.left.tell({ kind: 'capture', isOn: false, withKeys: false });
  world.start(3);
  assert.equal(keysOf(world.left).length, 1);
  assert.equal(storedKeysOf(world.left).length, 2);
});

it('a key comes before its phase 1 is authenticated, so that a wrong secret can be looked into', () => {
  const world = withCapture(true);
  world.right.tell({ kind: 'peer', policy: { ...world.right.policy, preSharedKey: Uint8Array.of(1) } });
  world.start();
  assert.deepEqual(
    world.hosts.flatMap((host) => host.all('phase1Established')),
    [],
  );
  const [left, right] = world.hosts.map(keysOf);
  assert.equal(left?.length, 1);
  assert.equal(right?.length, 1);
  assert.notDeepEqual(left, right);
});

it('a half-open ISAKMP SA without key has none to hand out', () => {
  const world = lanePair();
  world.bend = () => [];
  world.start();
  world.left.tell({ kind: 'capture', isOn: true, withKeys: true });
  assert.deepEqual(keysOf(world.left), []);
});
