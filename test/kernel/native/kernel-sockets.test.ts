import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KernelSocketEvents } from '../../../src/kernel/kernel-socket.ts';
import { AddressFamily, OptionLevel, SocketOption, SocketType } from '../../../src/kernel/linux-sockets.ts';
import { openPfKeySocket, openXfrmSocket } from '../../../src/kernel/native/kernel-sockets.ts';
import { NativeSocket } from '../../../src/kernel/native/native-socket.ts';
import type { PacketBatch } from '../../../src/kernel/native/packet-batch.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import { NEEDS_ADDON } from '../../helpers/native.ts';

/** A netlink request with a body of four bytes or more. */
const request = (type: number, flags: number, body: Uint8Array): Uint8Array => {
  const message = new Uint8Array(16 + body.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, 77, true);
  message.set(body, 16);
  return message;
};

const FLAG_REQUEST = 1;
const ALL_GROUPS = 0xff;
const GETSADINFO = 0x23;
const NETLINK_ROUTE = 0;
const NO_SUCH_TYPE = 0xffff;

const silent: KernelSocketEvents = {
  message: () => assert.fail('a message'),
  overrun: () => assert.fail('an overrun'),
  failed: (error) => assert.fail(error),
};

/** What this kernel or user does not allow is a reason to skip. */
const refusal = (call: () => unknown): string | undefined => {
  try {
    call();
    return undefined;
  } catch (fault) {
    if (fault instanceof SystemError) return fault.message;
    throw fault;
  }
};

/** Broadcasts are for privileged users only. */
const NO_XFRM = refusal(() => openXfrmSocket(ALL_GROUPS)(silent).close());

describe('sockets to the kernel', NEEDS_ADDON, () => {
  it('answers an XFRM request with one whole message', { skip: NO_XFRM ?? false }, async () => {
    const bytes = await new Promise<Uint8Array>((resolve) => {
      const socket = openXfrmSocket(ALL_GROUPS)({
        ...silent,
        message: (message) => {
          resolve(message);
          socket.close();
          socket.close();
        },
      });
      socket.send(request(GETSADINFO, FLAG_REQUEST, new Uint8Array(4)));
    });
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    assert.deepEqual(
      [view.getUint32(0, true), view.getUint16(4, true), view.getUint32(8, true)],
      [bytes.length, 0x22, 77],
    );
  });

  it('tells an overrun, and what came before it', async () => {
    const socket = NativeSocket.open({ family: AddressFamily.NETLINK, type: SocketType.RAW, protocol: NETLINK_ROUTE });
    socket.setInteger(OptionLevel.SOCKET, SocketOption.RCVBUF, 1);
    // Each is answered with an error, until there is no room for answers.
    const unknown = request(NO_SUCH_TYPE, FLAG_REQUEST, new Uint8Array(4));
    for (let i = 0; i < 200; i++) refusal(() => socket.send(unknown));
    const events: string[] = [];
    await new Promise<void>((resolve) => {
      const note = (event: string): void => {
        events.push(event);
        if (events.length === 2) resolve();
      };
      const onBatch = ({ count }: PacketBatch): void => note(count < 200 ? 'some' : 'all');
      socket.startReading(
        { maxSize: 4096, batch: 64 },
        { onBatch, onError: ({ code }, isOver) => note(`${code} ${isOver}`) },
      );
    });
    socket.close();
    assert.deepEqual(events, ['ENOBUFS false', 'some']);
  });

  it('names the errno of a message that the kernel does not take', { skip: NO_XFRM ?? false }, () => {
    const socket = openXfrmSocket(0)(silent);
    assert.throws(() => socket.send(new Uint8Array(1 << 18)), /^SystemError: E[A-Z]+: /);
    socket.close();
    assert.throws(() => socket.send(new Uint8Array(16)), /^SystemError: EBADF: /);
  });

  it('answers a PF_KEY request with one whole message, or says that this kernel has no PF_KEY', async () => {
    const register = Uint8Array.of(2, 7, 0, 3, 2, 0, 0, 0, 77, 0, 0, 0, 0, 0, 0, 0);
    let fault: string | undefined;
    const answer = new Promise<Uint8Array>((resolve) => {
      fault = refusal(() => {
        const socket = openPfKeySocket({
          ...silent,
          message: (message) => {
            resolve(message);
            socket.close();
          },
        });
        socket.send(register);
      });
    });
    if (fault !== undefined) {
      assert.match(fault, /^EAFNOSUPPORT: |^EPERM: /);
      return;
    }
    const bytes = await answer;
    assert.deepEqual([...bytes.subarray(0, 4)], [2, 7, 0, 3]);
    assert.equal(new DataView(bytes.buffer, bytes.byteOffset).getUint16(4, true) * 8, bytes.length);
  });
});
