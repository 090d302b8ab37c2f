import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { it } from 'node:test';
import fc from 'fast-check';
import { packSocketAddress, unpackSocketAddress } from '../../src/kernel/sockaddr.ts';
import { InvariantError } from '../../src/shared/errors.ts';

const PLAIN = { noNullPrototype: true };

const BYTES = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });

it('reads back what it writes', () => {
  const v4 = fc.record({ address: BYTES(4), port: fc.nat(0xffff), scope: fc.constant(0) }, PLAIN);
  const v6 = fc.record({ address: BYTES(16), port: fc.nat(0xffff), scope: fc.nat(0xffffffff) }, PLAIN);
  fc.assert(
    fc.property(fc.oneof(v4, v6), (address) => {
      assert.deepEqual(unpackSocketAddress(packSocketAddress(address)), address);
    }),
  );
});

it('lays them out as Linux does', {
  skip: endianness() === 'BE' && 'the bytes are those of a little-endian machine',
}, () => {
  const v4 = packSocketAddress({ address: Uint8Array.of(192, 0, 2, 1), port: 500, scope: 0 });
  assert.equal(Buffer.from(v4).toString('hex'), '020001f4c00002010000000000000000');
  const linkLocal = Uint8Array.from({ length: 16 }, (_, i) => [0xfe, 0x80][i] ?? (i === 15 ? 1 : 0));
  const v6 = packSocketAddress({ address: linkLocal, port: 4500, scope: 3 });
  assert.equal(Buffer.from(v6).toString('hex'), '0a00119400000000fe80000000000000000000000000000103000000');
});

it('knows no other family, and no address that was cut', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const found = unpackSocketAddress(bytes);
      assert.ok(found === undefined || bytes.length >= (found.address.length === 4 ? 8 : 28));
    }),
  );
  assert.equal(unpackSocketAddress(Uint8Array.of(16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)), undefined);
});

it('packs no port beyond 65535 and no address of another length', () => {
  for (const [length, port] of [
    [4, 65_536],
    [4, -1],
    [4, 1.5],
    [5, 1],
  ] as const) {
    assert.throws(() => packSocketAddress({ address: new Uint8Array(length), port, scope: 0 }), InvariantError);
  }
});
