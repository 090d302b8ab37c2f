/** As root of a virtual machine of its own: this flushes SAs and policies. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { KernelBackend } from '../../../src/kernel/backend.ts';
import {
  AhTransform,
  AuthenticationAlgorithm,
  EspTransform,
  ProtocolId,
} from '../../../src/shared/constants/ipsec-doi.ts';
import { installPair, PfKeyVm } from '../../helpers/pfkey-vm.ts';
import { idOf } from '../../helpers/sample-flows.ts';
import {
  contextOf,
  flowOf,
  flushAll,
  makeNetwork,
  ping,
  removeNetwork,
  saOf,
  tunnelPeer,
} from '../../helpers/vm-network.ts';

let vm: PfKeyVm;
let backend: KernelBackend;

before(makeNetwork);
after(removeNetwork);

beforeEach(async () => {
  flushAll();
  vm = new PfKeyVm();
  backend = await vm.open();
});
afterEach(() => backend.close());

describe('SAs by PF_KEY on a Linux kernel', { concurrency: false }, () => {
  it('knows what the kernel can', () => {
    const { espTransforms, ahTransforms, authentications, onlySha2Truncation96 } = backend.capabilities;
    for (const transform of [EspTransform.AES, EspTransform['3DES'], EspTransform.NULL, EspTransform.AES_CTR]) {
      assert.ok(espTransforms.has(transform), `ESP transform ${transform}`);
    }
    assert.ok(!espTransforms.has(EspTransform.AES_GCM_16));
    assert.ok(ahTransforms.has(AhTransform.SHA));
    assert.ok(authentications.has(AuthenticationAlgorithm.HMAC_SHA2_512));
    assert.ok(onlySha2Truncation96);
  });

  it('adds, asks about and deletes SAs; a taken SPI and a missing SA are told', async () => {
    for (const sa of [saOf('in', 0x1001), saOf('out', 0x1002)]) {
      await backend.addSa(sa, contextOf());
      const { bytes, packets, addedAt, usedAt } = await backend.querySa(idOf(sa));
      assert.deepEqual({ bytes, packets, usedAt }, { bytes: 0, packets: 0, usedAt: 0 });
      assert.ok(Math.abs(addedAt - Date.now() / 1000) < 60);
      await assert.rejects(backend.addSa(sa, contextOf()), { reason: 'exists' });
      await backend.deleteSa(idOf(sa));
      await assert.rejects(backend.deleteSa(idOf(sa)), { reason: 'missing' });
      await assert.rejects(backend.querySa(idOf(sa)), { reason: 'missing' });
    }
  });

  it('installs every algorithm it says it has', async () => {
    const { espTransforms, ahTransforms, authentications } = backend.capabilities;
    const keyBytes = new Map<number, number>([
      [EspTransform.DES, 8],
      [EspTransform['3DES'], 24],
      [EspTransform.NULL, 0],
      [EspTransform.AES_CTR, 20],
    ]);
    const hashBytes = new Map<number, number>([
      [AuthenticationAlgorithm.HMAC_SHA, 20],
      [AuthenticationAlgorithm.HMAC_SHA2_256, 32],
      [AuthenticationAlgorithm.HMAC_SHA2_384, 48],
      [AuthenticationAlgorithm.HMAC_SHA2_512, 64],
      [AuthenticationAlgorithm.HMAC_RIPEMD, 20],
    ]);
    const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i + 1);
    const context = contextOf({ sha2Truncation96: true });
    let spi = 0x2000;
    for (const transformId of espTransforms) {
      const encryptionKey = bytesOf(keyBytes.get(transformId) ?? 16);
      await backend.addSa(saOf('out', ++spi, { transformId, encryptionKey }), context);
    }
    for (const authentication of authentications) {
      const authenticationKey = bytesOf(hashBytes.get(authentication) ?? 16);
      await backend.addSa(saOf('in', ++spi, { authentication, authenticationKey }), context);
    }
    for (const transformId of ahTransforms) {
      const authentication = transformId === AhTransform.RIPEMD ? 8 : transformId - 1;
      const authenticationKey = bytesOf(hashBytes.get(transformId >= 5 ? transformId : authentication) ?? 16);
      await backend.addSa(
        saOf('out', ++spi, { protocolId: ProtocolId.IPSEC_AH, transformId, authenticationKey }),
        context,
      );
    }
    const { sas } = await backend.listOwn();
    assert.equal(sas.length, espTransforms.size + authentications.size + ahTransforms.size);
  });

  it('tells of soft and hard lifetimes', async () => {
    tunnelPeer();
    await backend.putFlow(flowOf(7));
    const life = { softSeconds: 3000, hardSeconds: 3600, softBytes: 300, hardBytes: 1000 };
    const [, out] = await installPair(backend, 0x5001, contextOf({ life }));
    await ping(15);
    const found = [await vm.expires.next(), await vm.expires.next(), await vm.expires.next()];
    const ofOut = found.filter(({ id }) => id.spi === out.spi);
    assert.deepEqual(
      ofOut.map(({ id, isHard }) => ({ ...id, isHard })),
      [
        { ...idOf(out), isHard: false },
        { ...idOf(out), isHard: true },
      ],
    );
    assert.ok((ofOut[0]?.usage.bytes ?? 0) > 300 && (ofOut[1]?.usage.bytes ?? 0) > 1000);
    await assert.rejects(backend.querySa(idOf(out)), { reason: 'missing' });
  });

  it('keeps thousands of SAs apart', async () => {
    const sas = Array.from({ length: 2000 }, (_, i) => saOf(i % 2 === 0 ? 'in' : 'out', 0x10000 + i));
    await Promise.all(sas.map((sa, i) => backend.addSa(sa, contextOf({ reqid: 1000 + (i % 500) }))));
    assert.equal((await backend.listOwn()).sas.length, 2000);
    await backend.purgeOwn();
    assert.equal((await backend.listOwn()).sas.length, 0);
  });
});
