/** A daemon that uses another kernel interface than its predecessor, on a kernel that has both: run within a machine that is the tests' own. */
import assert from 'node:assert/strict';
import { release } from 'node:os';
import { after, before, describe, it } from 'node:test';
import type { KernelBackend } from '../../src/kernel/backend.ts';
import { openXfrmSocket } from '../../src/kernel/native/kernel-sockets.ts';
import { XFRM_GROUPS } from '../../src/kernel/xfrm/layout.ts';
import { openXfrmBackend } from '../../src/kernel/xfrm/xfrm-backend.ts';
import { EspTransform } from '../../src/shared/constants/ipsec-doi.ts';
import type { ReqidRange } from '../../src/shared/flow.ts';
import { PfKeyVm } from '../helpers/pfkey-vm.ts';
import { realTimers } from '../helpers/two-gates.ts';
import { contextOf, flowOf, ip, makeNetwork, policyCount, removeNetwork, saOf } from '../helpers/vm-network.ts';
import { Ear } from '../helpers/xfrm-world.ts';

const LARGE = { first: 2 ** 20, count: 2 ** 20 };
const SMALL = { first: 4096, count: 4096 };
const openXfrm = (range: ReqidRange, ...former: readonly ReqidRange[]): Promise<KernelBackend> =>
  openXfrmBackend({
    ...{ open: openXfrmSocket(XFRM_GROUPS), schedule: realTimers, upcalls: new Ear(), release: release() },
    ...{ range, former },
  });
const openPfKey = (reqids: ReqidRange, ...former: readonly ReqidRange[]): Promise<KernelBackend> =>
  new PfKeyVm().open({ reqids, former });

/** What PF_KEY has no name for. */
const GCM = {
  transformId: EspTransform.AES_GCM_16,
  keyLength: 128,
  authentication: 0,
  encryptionKey: Uint8Array.from({ length: 20 }, (_, i) => i + 1),
  authenticationKey: new Uint8Array(),
};

describe('what a daemon with the other kernel interface has left', () => {
  before(makeNetwork);
  after(removeNetwork);

  for (const [name, makeBefore, makeAfter, reqid, sa] of [
    ['XFRM, then PF_KEY', () => openXfrm(LARGE), () => openPfKey(SMALL, LARGE), LARGE.first + 5, GCM],
    ['PF_KEY, then XFRM', () => openPfKey(SMALL), () => openXfrm(LARGE, SMALL), SMALL.first + 5, {}],
  ] as const) {
    it(`is listed, taken over and removed: ${name}`, async () => {
      ip(
        'xfrm',
        'state',
        'add',
        'src',
        '10.9.0.1',
        'dst',
        '10.9.0.2',
        'proto',
        'esp',
        'spi',
        '0x900',
        'reqid',
        '7',
        ...FOREIGN,
      );
      const foreign = [ip('xfrm', 'state'), ip('xfrm', 'policy')];
      const first = await makeBefore();
      await first.addSa(saOf('in', 0x1001, sa), contextOf({ reqid }));
      await first.addSa(saOf('out', 0x2001, sa), contextOf({ reqid }));
      await first.putFlow(flowOf(1, { reqid }));
      await first.close();
      const second = await makeAfter();
      const { sas, policies } = await second.listOwn();
      assert.deepEqual(
        [sas.map(({ id }) => id.spi).sort(), policies.map((one) => one.reqid)],
        [[0x1001, 0x2001], [reqid]],
      );
      for (const { id } of sas) await second.deleteSa(id);
      const own = (reqid === SMALL.first + 5 ? LARGE : SMALL).first + 9;
      await second.putFlow(flowOf(4, { reqid: own }));
      assert.deepEqual(
        (await second.listOwn()).policies.map((one) => one.reqid),
        [own],
      );
      assert.equal(policyCount(), 3);
      await second.purgeOwn();
      assert.deepEqual([ip('xfrm', 'state'), ip('xfrm', 'policy')], foreign);
      await second.close();
      ip('xfrm', 'state', 'flush');
    });
  }
});

const FOREIGN = [
  'mode',
  'tunnel',
  'auth',
  'hmac(sha1)',
  `0x${'5a'.repeat(20)}`,
  'enc',
  'cbc(aes)',
  `0x${'6b'.repeat(16)}`,
];
