/** What a lane hands out for a capture, and when it does not. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { HEADER_SIZE } from '../../src/shared/wire/message.ts';
import { type Kind, type LanePair, lanePair } from '../helpers/lane-pair.ts';

const withCapture = (): LanePair => {
  const world = lanePair();
  for (const host of world.hosts) host.tell({ kind: 'capture', isOn: true });
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
  world.left.tell({ kind: 'capture', isOn: true });
  world.left.tell({ kind: 'capture', isOn: false });
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
