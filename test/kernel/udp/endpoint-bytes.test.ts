import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { toEndpoint, toSocketAddress } from '../../../src/kernel/udp/endpoint-bytes.ts';
import { addressFromBytes } from '../../../src/shared/address.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import { NEEDS_ADDON } from '../../helpers/native.ts';

describe('endpoints as socket addresses', NEEDS_ADDON, () => {
  it('are read back as they were written', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    );
    fc.assert(
      fc.property(bytes, fc.nat(0xffff), (address, port) => {
        const endpoint = { address: addressFromBytes(address).text, port };
        assert.deepEqual(toEndpoint(toSocketAddress(endpoint)), endpoint);
      }),
    );
  });

  it('keep the zone of a link-local address, by name or number', () => {
    const endpoint = { address: 'fe80::1%lo', port: 500 };
    assert.deepEqual(toEndpoint(toSocketAddress(endpoint)), endpoint);
    assert.deepEqual(toEndpoint(toSocketAddress({ address: 'fe80::1%1', port: 500 })), endpoint);
    // An interface that is gone by now.
    const gone = { address: 'fe80::1%99999999', port: 500 };
    assert.deepEqual(toEndpoint(toSocketAddress(gone)), gone);
  });

  it('are refused with the reason where they are none', () => {
    for (const [address, port, code] of [
      ['host.example', 1, 'EINVAL'],
      ['127.0.0.1', 65_536, 'EINVAL'],
      ['127.0.0.1', -1, 'EINVAL'],
      ['fe80::1%nowhere', 1, 'EADDRNOTAVAIL'],
      ['fe80::1%0', 1, 'EADDRNOTAVAIL'],
    ] as const) {
      assert.throws(
        () => toSocketAddress({ address, port }),
        (fault) => fault instanceof SystemError && fault.code === code && fault.message.startsWith(`${code}: `),
      );
    }
  });

  it('are none in bytes of another family', () => {
    assert.equal(toEndpoint(new Uint8Array(16)), undefined);
    assert.equal(toEndpoint(new Uint8Array(0)), undefined);
  });
});
