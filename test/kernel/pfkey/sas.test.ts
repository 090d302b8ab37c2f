import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { KernelBackend } from '../../../src/kernel/backend.ts';
import { MessageType } from '../../../src/kernel/pfkey/constants.ts';
import type { Extension } from '../../../src/kernel/pfkey/extension.ts';
import { AuthenticationAlgorithm, EspTransform, ProtocolId } from '../../../src/shared/constants/ipsec-doi.ts';
import { NO_ROUTE } from '../../../src/shared/flow.ts';
import { contextOf, HERE, PEER, PfKeyBed, saOf } from '../../helpers/pfkey-bed.ts';
import { idOf } from '../../helpers/sample-flows.ts';

let bed: PfKeyBed;
let backend: KernelBackend;

beforeEach(async () => {
  bed = new PfKeyBed();
  backend = await bed.open();
  bed.kernel.logged();
});

describe('SAs by PF_KEY', () => {
  it('are reserved and filled when inbound, added when outbound', async () => {
    await backend.addSa(saOf('in', 0x100), contextOf());
    await backend.addSa(saOf('out', 0x200), contextOf());
    assert.deepEqual(bed.kernel.logged(), ['GETSPI', 'UPDATE', 'ADD']);
    const usage = { bytes: 252, packets: 3, addedAt: 1_700_000_000, usedAt: 1_700_000_009 };
    assert.deepEqual(await backend.querySa(idOf(saOf('in', 0x100))), usage);
    await backend.deleteSa(idOf(saOf('out', 0x200)));
    assert.deepEqual([...bed.kernel.sas.keys()], [`3 ${0x100} 192,0,2,1`]);
  });

  it('answer the ACQUIRE that asked for them', async () => {
    await backend.addSa(saOf('out', 0x200), contextOf({ acquire: 6 }));
    assert.deepEqual(bed.kernel.socket.sent.map(({ sequence }) => sequence).slice(-1), [6]);
  });

  it('have soft and hard limits, and end softly before their sequence numbers do', async () => {
    await backend.addSa(saOf('out', 0x200), contextOf());
    const sent = bed.kernel.socket.sent.at(-1)?.extensions.filter(({ type }) => type === 3 || type === 4);
    assert.deepEqual(sent, [
      { type: 3, allocations: 0, bytes: 0n, addTime: 100n, useTime: 0n },
      { type: 4, allocations: 0xe0000000, bytes: 0n, addTime: 90n, useTime: 0n },
    ]);
  });

  it('with a taken SPI are refused, and the other SA stays', async () => {
    await backend.addSa(saOf('in', 0x100), contextOf());
    await assert.rejects(backend.addSa(saOf('in', 0x100), contextOf()), { reason: 'exists' });
    assert.deepEqual(bed.kernel.logged(), ['GETSPI', 'UPDATE', 'GETSPI']);
    assert.equal((await backend.listOwn()).sas.length, 1);
  });

  it('that the kernel refuses leave nothing reserved', async () => {
    bed.kernel.refusals.set(MessageType.UPDATE, 22);
    await assert.rejects(backend.addSa(saOf('in', 0x100), contextOf()), { reason: 'unsupported' });
    assert.equal(bed.kernel.sas.size, 0);
  });

  for (const [what, sa, context, message] of [
    ['AEAD', { transformId: EspTransform.AES_GCM_16, authentication: 0 }, {}, /no ESP transform 20/],
    ['an unknown hash', { authentication: AuthenticationAlgorithm.KPDK }, {}, /no authentication algorithm 4/],
    ['a hash that the kernel lacks', { authentication: AuthenticationAlgorithm.HMAC_MD5 }, {}, /the kernel has no/],
    ['a short key', { encryptionKey: new Uint8Array(8) }, {}, /takes keys of 128 to 256 bits, not 64/],
    [
      'SHA2-256 with 128 bits',
      { authentication: AuthenticationAlgorithm.HMAC_SHA2_256, authenticationKey: new Uint8Array(32) },
      {},
      /truncates HMAC-SHA2-256 to 96 bits.*Flags=sha2-96/,
    ],
    ['compression', { protocolId: ProtocolId.IPCOMP }, {}, /neither AH nor ESP/],
    ['a route', {}, { route: { ...NO_ROUTE, interfaceId: 5 } }, /route-based tunnels need Kernel=xfrm/],
  ] as const) {
    it(`with ${what} are unsupported, and the kernel is not asked`, async () => {
      const added = backend.addSa(saOf('out', 0x200, sa), contextOf(context));
      await assert.rejects(added, { name: 'SystemError', reason: 'unsupported', message });
      assert.deepEqual(bed.kernel.logged(), []);
    });
  }

  it('with SHA2-256 are added for a peer that truncates as Linux does', async () => {
    const sha2 = { authentication: AuthenticationAlgorithm.HMAC_SHA2_256, authenticationKey: new Uint8Array(32) };
    await backend.addSa(saOf('out', 0x200, sha2), contextOf({ sha2Truncation96: true }));
    assert.equal(bed.kernel.sas.size, 1);
  });

  it('are there though the answer was lost', async () => {
    for (const type of [MessageType.GETSPI, MessageType.UPDATE, MessageType.ADD]) bed.kernel.losses.set(type, 1);
    await bed.withTime(backend.addSa(saOf('in', 0x100), contextOf()));
    await bed.withTime(backend.addSa(saOf('out', 0x200), contextOf()));
    assert.equal(bed.kernel.sas.size, 2);
    bed.kernel.losses.set(MessageType.DELETE, 1);
    await bed.withTime(backend.deleteSa(idOf(saOf('in', 0x100))));
    assert.equal(bed.kernel.sas.size, 1);
  });

  it('are refused where the answer was lost and the SA is not theirs', async () => {
    await backend.addSa(saOf('in', 0x100), contextOf({ reqid: 7 }));
    await backend.addSa(saOf('out', 0x200), contextOf({ reqid: 7 }));
    for (const type of [MessageType.GETSPI, MessageType.ADD]) bed.kernel.losses.set(type, 1);
    await assert.rejects(bed.withTime(backend.addSa(saOf('in', 0x100), contextOf())), { reason: 'exists' });
    await assert.rejects(bed.withTime(backend.addSa(saOf('out', 0x200), contextOf())), { reason: 'failed' });
  });

  it('that are only reserved are none', async () => {
    bed.kernel.refusals.set(MessageType.UPDATE, 12);
    bed.kernel.refusals.set(MessageType.DELETE, 12);
    await assert.rejects(backend.addSa(saOf('in', 0x100), contextOf()), { reason: 'failed' });
    await assert.rejects(backend.querySa(idOf(saOf('in', 0x100))), { reason: 'missing' });
    await assert.rejects(backend.querySa(idOf(saOf('in', 0x101))), { reason: 'missing' });
  });
});

describe('an SA whose peer moves', () => {
  const udp = { source: 4500, destination: 4500 };

  it('to another port is updated with keys that are none', async () => {
    const sa = saOf('out', 0x200);
    await backend.addSa(sa, contextOf({ udp }));
    const [before] = bed.kernel.sas.values();
    bed.kernel.logged();
    const moved = await backend.moveSa(idOf(sa), { address: HERE, port: 4500 }, { address: PEER, port: 1024 });
    assert.deepEqual(moved, idOf(sa));
    assert.deepEqual(bed.kernel.logged(), ['GET', 'UPDATE']);
    const update = bed.kernel.socket.sent.at(-1);
    const keys = update?.extensions.filter((one) => one.type === 8 || one.type === 9) ?? [];
    assert.deepEqual(
      keys.map(({ bits, key }) => [bits, key.length]),
      [
        [160, 20],
        [128, 16],
      ],
    );
    assert.ok(keys.every(({ key }) => new Set(key).size > 2));
    const limits = (extensions: readonly Extension[] = []): readonly Extension[] =>
      extensions.filter(({ type }) => type === 3 || type === 4);
    assert.deepEqual(limits(update?.extensions), limits(before?.extensions));
    const [after] = bed.kernel.sas.values();
    assert.deepEqual(
      after?.extensions.filter(({ type }) => type === 22),
      [{ type: 22, port: 1024 }],
    );
  });

  it('to another port is updated though an answer was lost', async () => {
    const sa = saOf('out', 0x200);
    await backend.addSa(sa, contextOf({ udp }));
    bed.kernel.losses.set(MessageType.UPDATE, 1);
    await bed.withTime(backend.moveSa(idOf(sa), udpAt(HERE), { address: PEER, port: 1024 }));
    const [after] = bed.kernel.sas.values();
    assert.deepEqual(
      after?.extensions.filter(({ type }) => type === 22),
      [{ type: 22, port: 1024 }],
    );
  });

  it('to another address is migrated, and has a new name', async () => {
    const sa = saOf('out', 0x200);
    await backend.addSa(sa, contextOf({ udp }));
    bed.kernel.logged();
    const moved = await backend.moveSa(
      idOf(sa),
      { address: HERE, port: 4500 },
      { address: '198.51.100.9', port: 1024 },
    );
    assert.deepEqual(moved, { ...idOf(sa), destination: '198.51.100.9' });
    assert.deepEqual(bed.kernel.logged(), ['GET', 'X_SPDUPDATE', 'X_MIGRATE', 'GET', 'X_SPDDELETE', 'UPDATE']);
    assert.equal(bed.kernel.policies.size, 0);
    await backend.querySa(moved);
    await assert.rejects(backend.moveSa(idOf(sa), udpAt(HERE), udpAt(PEER)), { reason: 'missing' });
  });

  it('stays where it is on a kernel that cannot do that', async () => {
    const sa = saOf('in', 0x100);
    await backend.addSa(sa, contextOf());
    bed.kernel.refusals.set(MessageType.X_MIGRATE, 92);
    const move = backend.moveSa(idOf(sa), udpAt('198.51.100.9'), udpAt(HERE));
    await assert.rejects(move, { reason: 'unsupported' });
    assert.equal(bed.kernel.policies.size, 0);
    await backend.querySa(idOf(sa));
  });

  const udpAt = (address: string): { address: string; port: number } => ({ address, port: 4500 });
});
