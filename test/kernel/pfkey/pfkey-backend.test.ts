import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import type { KernelBackend } from '../../../src/kernel/backend.ts';
import { MessageType, SaState } from '../../../src/kernel/pfkey/constants.ts';
import type { Extension } from '../../../src/kernel/pfkey/extension.ts';
import {
  AhTransform,
  AuthenticationAlgorithm,
  EspTransform,
  ProtocolId,
} from '../../../src/shared/constants/ipsec-doi.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import { addressExtension, contextOf, flowOf, HERE, PEER, PfKeyBed, saFields, saOf } from '../../helpers/pfkey-bed.ts';
import { settled } from '../../helpers/pfkey-socket.ts';
import { idOf } from '../../helpers/sample-flows.ts';

let bed: PfKeyBed;
let backend: KernelBackend;

beforeEach(async () => {
  bed = new PfKeyBed();
  backend = await bed.open();
  bed.kernel.logged();
});

describe('the PF_KEY backend at its start', () => {
  it('takes what it knows of the algorithms that the kernel has', async () => {
    const { espTransforms, ahTransforms, authentications, ...rest } = backend.capabilities;
    assert.deepEqual([...espTransforms], [EspTransform.NULL, EspTransform.AES]);
    assert.deepEqual([...ahTransforms], [AhTransform.SHA, AhTransform.SHA2_256]);
    assert.deepEqual([...authentications], [AuthenticationAlgorithm.HMAC_SHA, AuthenticationAlgorithm.HMAC_SHA2_256]);
    assert.equal(rest.onlySha2Truncation96, true);
    assert.equal(rest.lastUse, false);
    assert.equal(rest.routes, false);
  });

  it('asks for the algorithms once: a kernel may look for modules for seconds', async () => {
    const fresh = new PfKeyBed();
    await fresh.open();
    assert.deepEqual(fresh.kernel.logged(), ['REGISTER']);
  });

  it('refuses reqids that Linux would not keep', async () => {
    for (const reqids of [
      { first: 0x3ff0, count: 17 },
      { first: 0, count: 5 },
    ]) {
      await assert.rejects(bed.open({ reqids }), {
        name: 'SystemError',
        message: /only those of 1 to 16383$/,
      });
    }
  });

  it('closes its socket where the kernel does not register it', async () => {
    bed.kernel.refusals.set(MessageType.REGISTER, 22);
    await assert.rejects(bed.open(), { message: 'PF_KEY REGISTER: EINVAL' });
    assert.ok(bed.kernel.socket.isClosed);
    assert.deepEqual(bed.told, []);
  });
});

describe('upcalls of PF_KEY', () => {
  it('name the flow that a packet met, though its answer came in the same batch', async () => {
    bed.kernel.socket.onSent = () => {};
    const put = backend.putFlow(flowOf(3));
    await settled();
    const question = bed.kernel.socket.sent.at(-1);
    assert.ok(question);
    bed.kernel.socket.answer(
      question,
      question.extensions.map((one) => (one.type === 18 ? { ...one, id: 81 } : one)),
    );
    bed.acquire(2, 81);
    bed.acquire(3, 89);
    const plain = { reqid: 0, source: HERE, destination: PEER, policy: undefined, packet: undefined };
    assert.deepEqual(bed.told, [
      { sequence: 2, flow: 3, ...plain },
      { sequence: 3, flow: undefined, ...plain },
    ]);
    const isRefused = assert.rejects(put, { message: 'PF_KEY: closed' });
    await backend.close();
    await isRefused;
    assert.equal(bed.told.length, 2);
  });

  it('tell of lifetimes of our SAs only', async () => {
    const sa = saOf('out', 0x200);
    await backend.addSa(sa, contextOf());
    bed.expire(sa, 4);
    bed.expire(sa, 3, 7);
    bed.expire({ ...sa, spi: 0x999 }, 3, 1001, 0);
    bed.expire(sa, 3);
    const usage = { bytes: 420, packets: 5, addedAt: 9, usedAt: 10 };
    assert.deepEqual(bed.told, [
      { id: idOf(sa), isHard: false, usage },
      { id: idOf(sa), isHard: true, usage },
    ]);
  });

  it('may come before the answer that says the SA is there, or in place of it', async () => {
    const sa = saOf('out', 0x200);
    for (const losses of [0, 1]) {
      bed.kernel.losses.set(MessageType.ADD, losses);
      const added = backend.addSa(sa, contextOf());
      bed.expire(sa, 4);
      await bed.withTime(added);
      await backend.deleteSa(idOf(sa));
    }
    assert.deepEqual(
      bed.told.map((one) => 'isHard' in one && one.id),
      [idOf(sa), idOf(sa)],
    );
  });

  it('tell once that a peer is elsewhere', async () => {
    const sa = saOf('in', 0x100);
    await backend.addSa(sa, contextOf({ udp: { source: 4500, destination: 4500 } }));
    const mapping = (from: string, to: string, port: number): void => {
      const ports: readonly Extension[] = [
        { type: 21, port: 4500 },
        { type: 22, port },
      ];
      const extensions = [saFields(sa.spi), addressExtension(5, from), addressExtension(6, to), ...ports];
      bed.kernel.socket.say({ type: MessageType.X_NAT_T_NEW_MAPPING, extensions });
    };
    mapping(PEER, PEER, 4501);
    mapping(PEER, PEER, 4501);
    mapping(PEER, '198.51.100.9', 4501);
    mapping('203.0.113.77', PEER, 4501);
    const [id, here] = [idOf(sa), { address: HERE, port: 4500 }];
    const places = [
      { address: PEER, port: 4501 },
      { address: '198.51.100.9', port: 4501 },
    ];
    assert.deepEqual(
      bed.told,
      places.map((source) => ({ id, source })),
    );
    await backend.moveSa(id, { address: PEER, port: 4502 }, here);
    mapping(PEER, PEER, 4502);
    assert.equal(bed.told.length, 2);
    mapping(PEER, PEER, 4501);
    assert.equal(bed.told.length, 3);
  });

  it('that were lost are made up for: SAs that are gone are bed.told', async () => {
    const [gone, there] = [saOf('out', 0x200), saOf('in', 0x100)];
    for (const sa of [gone, there]) await backend.addSa(sa, contextOf());
    bed.kernel.sas.delete(`3 ${gone.spi} ${PEER.replaceAll('.', ',')}`);
    bed.kernel.socket.events.overrun();
    bed.kernel.socket.events.overrun();
    for (let i = 0; i < 6; i++) await settled();
    assert.deepEqual(bed.told, [{ lost: [idOf(gone)] }]);
    assert.equal(bed.kernel.sas.size, 1);
  });

  it('of whatever bytes do no harm', async () => {
    const sa = saOf('in', 0x100);
    await backend.addSa(sa, contextOf());
    const types = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 18, 19, 23, 24];
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.constantFrom(0, 4242, 5),
        fc.array(fc.tuple(fc.nat(27), fc.nat(5), fc.uint8Array({ maxLength: 60 })), { maxLength: 6 }),
        (type, pid, parts) => {
          const extensions = parts.map(([number, words, bytes]): Extension => {
            const body = new Uint8Array(4 + words * 8);
            body.set(bytes.subarray(0, body.length));
            return { type: 'other', number, body };
          });
          bed.kernel.socket.say({ type, pid, sequence: 0x40000003, extensions });
        },
      ),
    );
    await settled();
    await backend.querySa(idOf(sa));
  });

  it('end with the socket', () => {
    const error = new SystemError('EIO: recvmsg', 'EIO');
    bed.kernel.socket.events.failed(error);
    assert.deepEqual(bed.told, [error]);
  });
});

describe('what is ours in the kernel', () => {
  it('is listed and purged by its reqid, reserved SAs too', async () => {
    await backend.addSa(saOf('in', 0x100), contextOf());
    await backend.addSa(
      saOf('out', 0x200, { protocolId: ProtocolId.IPSEC_AH, transformId: AhTransform.SHA }),
      contextOf(),
    );
    await backend.addSa(saOf('out', 0x300), contextOf({ reqid: 7 }));
    bed.kernel.refusals.set(MessageType.UPDATE, 12);
    bed.kernel.refusals.set(MessageType.DELETE, 12);
    await assert.rejects(backend.addSa(saOf('in', 0x400), contextOf()), { reason: 'failed' });
    bed.kernel.refusals.clear();
    const { sas } = await backend.listOwn();
    assert.deepEqual(sas, [
      { id: { protocolId: ProtocolId.IPSEC_ESP, spi: 0x100, destination: HERE }, source: PEER, reqid: 1001 },
      { id: { protocolId: ProtocolId.IPSEC_AH, spi: 0x200, destination: PEER }, source: HERE, reqid: 1001 },
    ]);
    const states = [...bed.kernel.sas.values()].map(
      ({ extensions }) => extensions.find((one) => one.type === 1)?.state,
    );
    assert.deepEqual(states, [SaState.MATURE, SaState.MATURE, SaState.MATURE, SaState.LARVAL]);
    await backend.purgeOwn();
    assert.deepEqual([...bed.kernel.sas.keys()], [`3 ${0x300} 198,51,100,2`]);
  });

  it('is adopted from a predecessor: upcalls name it', async () => {
    const sa = saOf('in', 0x100);
    await backend.addSa(sa, contextOf({ udp: { source: 4500, destination: 4500 } }));
    const next = await bed.open();
    await next.listOwn();
    bed.kernel.sas.clear();
    bed.kernel.socket.events.overrun();
    for (let i = 0; i < 6; i++) await settled();
    assert.deepEqual(bed.told, [{ lost: [idOf(sa)] }]);
  });
});
