import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { nativeAddon } from '../../../src/kernel/native/native.ts';
import type { PacketBatch } from '../../../src/kernel/native/packet-batch.ts';
import { packSocketAddress } from '../../../src/kernel/sockaddr.ts';
import type { SystemError } from '../../../src/shared/errors.ts';
import { ip, NEEDS_ADDON, openDevice, udp } from '../../helpers/native.ts';

const ADDRESS = Uint8Array.of(198, 18, 77, 1);
const NEIGHBOUR = Uint8Array.of(198, 18, 77, 2);

describe('files and devices of the addon', NEEDS_ADDON, () => {
  it('makes a FIFO with its mode, over nothing that is there, a link included', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'isakmpd-native-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'fifo');
    nativeAddon().createFifo(path, 0o600);
    const facts = lstatSync(path);
    assert.deepEqual([facts.isFIFO(), facts.mode & 0o777], [true, 0o600]);
    symlinkSync(join(folder, 'target'), join(folder, 'link'));
    for (const name of ['fifo', 'link']) {
      assert.throws(() => nativeAddon().createFifo(join(folder, name), 0o600), { code: 'EEXIST', syscall: 'mkfifo' });
    }
    assert.ok(!existsSync(join(folder, 'target')));
  });

  it('knows interfaces by name and by number', () => {
    const { interfaceIndex, interfaceName } = nativeAddon();
    assert.equal(interfaceName(interfaceIndex('lo')), 'lo');
    assert.equal(interfaceIndex('no-such-if'), 0);
    assert.equal(interfaceName(2 ** 31 - 1), undefined);
  });

  it('opens a TUN device, which goes when it is closed', (t) => {
    const device = openDevice(t, 'tun', '198.18.77.1/30');
    if (device === undefined) return;
    const name = device.interfaceName ?? assert.fail();
    assert.match(name, /^isaktest\d+$/);
    assert.ok(nativeAddon().interfaceIndex(name) > 0);
    assert.throws(() => device.localName(), { code: 'ENOTSOCK' });
    device.close();
    assert.equal(nativeAddon().interfaceIndex(name), 0);
  });

  it('carries packets through a TUN device, until its interface is removed', async (t) => {
    const device = openDevice(t, 'tun', '198.18.77.1/30');
    if (device === undefined) return;
    const name = device.interfaceName ?? assert.fail();
    const socket = udp();
    t.after(() => socket.close());
    socket.bind(packSocketAddress({ address: ADDRESS, port: 0, scope: 0 }));
    const echoed = new Promise<Uint8Array>((resolve) => {
      socket.startReading(
        { maxSize: 64, batch: 1 },
        { onBatch: (batch) => resolve(batch.bytes(0)), onError: (error) => assert.fail(error) },
      );
    });
    const over = new Promise<string | undefined>((resolve) => {
      const onBatch = (batch: PacketBatch): void => {
        for (let i = 0; i < batch.count; i++) if (isUdp(batch.bytes(i))) device.send(returned(batch.bytes(i)));
      };
      const onError = ({ code }: SystemError, isOver: boolean): void => resolve(isOver ? code : assert.fail(code));
      device.startReading({ maxSize: 2048, batch: 64 }, { onBatch, onError });
    });
    socket.send(Uint8Array.of(1, 2, 3), packSocketAddress({ address: NEIGHBOUR, port: 9, scope: 0 }));
    assert.deepEqual([...(await echoed)], [1, 2, 3]);
    ip('link', 'del', name);
    assert.equal(await over, 'EBADFD');
  });
});

const isUdp = (packet: Uint8Array): boolean => packet[0] === 0x45 && packet[9] === 17;

/** The packet back: addresses and ports change places, so that every checksum stays right. */
const returned = (packet: Uint8Array): Uint8Array => {
  const back = packet.slice();
  back.set(packet.subarray(16, 20), 12);
  back.set(packet.subarray(12, 16), 16);
  back.set(packet.subarray(22, 24), 20);
  back.set(packet.subarray(20, 22), 22);
  return back;
};
