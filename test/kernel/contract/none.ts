/** What of the contract applies where nothing is kept: whatever it says it can do is accepted, and nothing of that is there afterwards. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createNoneBackend } from '../../../src/kernel/none/none-backend.ts';
import { ProtocolId } from '../../../src/shared/constants/ipsec-doi.ts';
import { backOf } from './traffic.ts';
import { flowOf, idOf, net, type SaWish, saOf } from './wishes.ts';

const KEPT = { sas: [], policies: [] };

export const testNone = (): void => {
  describe('none keeps the contract of kernel backends, and nothing else', () => {
    const backend = createNoneBackend();

    it('accepts every algorithm and mode that it says it has, moves and deletes the SAs', async () => {
      const { espTransforms, ahTransforms, authentications, encapsulations } = backend.capabilities;
      const [esp, ah] = [[...espTransforms], [...ahTransforms]];
      const changes = [
        ...esp.map((transformId) => ({ transformId })),
        ...[...authentications].map((authentication) => ({ authentication })),
        ...[...encapsulations].map((encapsulation) => ({ encapsulation })),
        ...ah.map((transformId) => ({ transformId, protocolId: ProtocolId.IPSEC_AH })),
      ];
      assert.ok(esp.length > 5 && ah.length > 5 && authentications.size > 5 && encapsulations.size > 3);
      const wish: SaWish = { spi: 0x6000 };
      for (const change of changes) {
        const [sa, context] = saOf('out', wish);
        await backend.addSa({ ...sa, ...change }, context);
        const [inbound, inboundContext] = saOf('in', backOf(wish));
        await backend.addSa({ ...inbound, ...change }, inboundContext);
      }
      const [ours, moved] = [
        { address: '10.9.0.1', port: 0 },
        { address: '10.9.0.3', port: 0 },
      ];
      const name = await backend.moveSa(idOf(wish), ours, moved);
      assert.deepEqual(name, { ...idOf(wish), destination: '10.9.0.3' });
      assert.deepEqual(await backend.querySa(name), { bytes: 0, packets: 0, addedAt: 0, usedAt: 0 });
      assert.deepEqual(await backend.listOwn(), KEPT);
      await backend.deleteSa(name);
    });

    it('accepts flows, replaces and deletes them, purges and closes, as often as one likes', async () => {
      await backend.putFlow(flowOf());
      await backend.putFlow(flowOf({ reqid: 1002, remote: net('10.2.1.0', 24) }));
      assert.deepEqual(await backend.listOwn(), KEPT);
      await backend.deleteFlow(1);
      for (let i = 0; i < 2; i++) {
        await backend.purgeOwn();
        await backend.close();
      }
    });
  });
};
