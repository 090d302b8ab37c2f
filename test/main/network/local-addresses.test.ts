import assert from 'node:assert/strict';
import { it } from 'node:test';
import { LocalAddresses } from '../../../src/main/network/local-addresses.ts';
import { peerPolicy } from '../../helpers/lane-pair.ts';

const setUp = (answers: ReadonlyMap<string, string>) => {
  const asked: string[] = [];
  const at = { now: 0, most: 0 };
  const addresses = new LocalAddresses({
    port: 500,
    localAddressFor: async (remote) => {
      asked.push(remote);
      at.most = Math.max(at.most, ++at.now);
      await Promise.resolve();
      at.now--;
      return answers.get(remote);
    },
  });
  return { addresses, asked, at };
};

const REMOTE = '192.0.2.9';
const peer = peerPolicy({ address: REMOTE, port: 501 });

it('knows the path to a peer once it has learned our address for it, and asks once', async () => {
  const { addresses, asked } = setUp(new Map([[REMOTE, '192.0.2.1']]));
  await addresses.learn([peer, peer]);
  await addresses.learn([peer]);
  assert.deepEqual(addresses.pathTo(peer), {
    local: { address: '192.0.2.1', port: 500 },
    remote: { address: REMOTE, port: 501 },
    encapsulated: false,
  });
  assert.deepEqual(asked, [REMOTE]);
});

it('goes by Local-address without asking, and knows no path to a peer without address', async () => {
  const { addresses, asked } = setUp(new Map());
  const nailed = peerPolicy({ address: REMOTE, localAddress: '192.0.2.5' });
  const unknown = peerPolicy({ address: undefined });
  await addresses.learn([nailed, unknown]);
  assert.equal(addresses.pathTo(nailed)?.local.address, '192.0.2.5');
  assert.equal(addresses.pathTo(unknown), undefined);
  assert.deepEqual(asked, []);
});

it('asks for a path that is wanted before it is known, and has it for the next attempt', async () => {
  const { addresses } = setUp(new Map([[REMOTE, '192.0.2.1']]));
  assert.equal(addresses.pathTo(peer), undefined);
  await addresses.learn([peer]);
  assert.equal(addresses.pathTo(peer)?.local.address, '192.0.2.1');
});

it('asks again where there was no answer', async () => {
  const answers = new Map<string, string>();
  const { addresses } = setUp(answers);
  await addresses.learn([peer]);
  assert.equal(addresses.pathTo(peer), undefined);
  answers.set(REMOTE, '192.0.2.1');
  await addresses.learn([peer]);
  assert.equal(addresses.pathTo(peer)?.local.address, '192.0.2.1');
});

it('asks for thousands of peers a few at a time', async () => {
  const { addresses, asked, at } = setUp(new Map());
  await addresses.learn(Array.from({ length: 3000 }, (_, i) => peerPolicy({ address: `10.0.${i >> 8}.${i & 255}` })));
  assert.equal(asked.length, 3000);
  assert.ok(at.most <= 64, `${at.most} at a time`);
});
