import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type SegmentSocket, Segments } from '../../../src/kernel/userland/segments.ts';
import { SystemError } from '../../../src/shared/errors.ts';

const HERE = Uint8Array.of(1);
const THERE = Uint8Array.of(2);

/** Cuts as Linux does. `most`: the largest datagram that the path takes; the device may be one that cannot cut. */
class CuttingSocket implements SegmentSocket {
  readonly datagrams: (readonly [destination: number | undefined, bytes: readonly number[]])[] = [];
  calls = 0;
  most = 1500;
  isKnown = true;
  canCut = true;
  #size = 0;

  setSegmentSize(bytes: number): void {
    if (!this.isKnown) throw new SystemError('unknown option', 'ENOPROTOOPT');
    this.#size = bytes;
  }

  send(packet: Uint8Array, destination: Uint8Array): void {
    this.calls++;
    const size = this.#size === 0 ? packet.length : this.#size;
    if (Math.min(size, packet.length) > this.most) throw new SystemError('too long', 'EMSGSIZE');
    if (packet.length > size && !this.canCut) throw new SystemError('the device cannot', 'EIO');
    assert.ok(packet.length <= 65_507 && packet.length <= size * 64);
    for (let start = 0; start < packet.length; start += size) {
      this.datagrams.push([destination[0], [...packet.subarray(start, start + size)]]);
    }
  }
}

const segmentsOf = (socket: CuttingSocket): { readonly segments: Segments; readonly errors: SystemError[] } => {
  const errors: SystemError[] = [];
  return { segments: new Segments(socket, (error) => errors.push(error)), errors };
};

const filled = (size: number, value: number): Uint8Array => new Uint8Array(size).fill(value);

describe('segments of encapsulating sockets', () => {
  it('gives the system what follows each other in one call, the first packet alone', () => {
    const socket = new CuttingSocket();
    const { segments } = segmentsOf(socket);
    for (let i = 0; i < 20; i++) segments.send(filled(1400, i), HERE, true);
    assert.equal(socket.calls, 1);
    segments.flush();
    assert.equal(socket.calls, 2);
    assert.deepEqual(
      socket.datagrams.map(([, [value]]) => value),
      Array.from({ length: 20 }, (_, i) => i),
    );
  });

  it('changes no packet and no order, whatever comes, can be cut, or is refused', () => {
    const packet = fc.record({
      size: fc.constantFrom(1, 60, 1000, 1000, 1400, 1400, 1400),
      isHere: fc.boolean(),
      mayWait: fc.constantFrom(true, true, true, false),
      flush: fc.constantFrom(false, false, false, true),
    });
    const system = fc.record({ isKnown: fc.boolean(), canCut: fc.boolean() });
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 300 }), system, (packets, { isKnown, canCut }) => {
        const socket = Object.assign(new CuttingSocket(), { isKnown, canCut });
        const { segments, errors } = segmentsOf(socket);
        const expected = packets.map(({ size, isHere, mayWait, flush }, i) => {
          const bytes = filled(size, i);
          segments.send(bytes, isHere ? HERE : THERE, mayWait);
          if (flush) segments.flush();
          const sent = [isHere ? 1 : 2, [...bytes]];
          bytes.fill(0xff);
          return sent;
        });
        segments.flush();
        assert.deepEqual(socket.datagrams, expected);
        assert.deepEqual(errors, []);
      }),
    );
  });

  it('tries once only where the device cannot cut', () => {
    const socket = Object.assign(new CuttingSocket(), { canCut: false });
    const { segments } = segmentsOf(socket);
    for (let i = 0; i < 20; i++) {
      segments.send(filled(1400, i), HERE, true);
      if (i % 10 === 9) segments.flush();
    }
    assert.equal(socket.calls, 21);
  });

  it('throws what the system says of a packet that goes alone, and tells of those that waited while the path became narrower', () => {
    const socket = new CuttingSocket();
    const { segments, errors } = segmentsOf(socket);
    assert.throws(() => segments.send(filled(1501, 0), HERE, true), { code: 'EMSGSIZE' });
    for (let i = 0; i < 5; i++) segments.send(filled(1400, i), HERE, true);
    socket.most = 1300;
    segments.flush();
    assert.deepEqual([socket.datagrams.length, errors.map(({ code }) => code)], [1, Array(4).fill('EMSGSIZE')]);
    assert.throws(() => segments.send(filled(1400, 0), HERE, true), { code: 'EMSGSIZE' });
  });
});
