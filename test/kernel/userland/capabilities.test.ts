import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { saOf } from '../../../loadtest/esp/gateways.ts';
import { KernelError, type SaContext } from '../../../src/kernel/backend.ts';
import { userlandCapabilities } from '../../../src/kernel/userland/capabilities.ts';
import { makeSa } from '../../../src/kernel/userland/make-sa.ts';
import {
  AuthenticationAlgorithm,
  EncapsulationMode,
  EspTransform,
  ProtocolId,
} from '../../../src/shared/constants/ipsec-doi.ts';
import type { IpsecSa } from '../../../src/shared/threads/contract.ts';

const [HERE, THERE] = [{ outer: '192.0.2.1' }, { outer: '192.0.2.2' }];

const made = (change: Partial<IpsecSa>, context: Partial<SaContext> = {}): ReturnType<typeof makeSa> => {
  const bare = saOf(HERE, THERE, 'in', { spi: 0x1001 });
  return makeSa({ ...bare.sa, ...change }, { ...bare.context, ...context }, 0);
};

const isUnsupported = (fault: unknown): boolean => fault instanceof KernelError && fault.reason === 'unsupported';

describe('what userland ESP can do', () => {
  it('is ESP in tunnel mode, with what OpenSSL has without its legacy provider', () => {
    const { espTransforms, ahTransforms, authentications, encapsulations } = userlandCapabilities();
    const { DES, '3DES': TRIPLE, NULL, AES, AES_CTR, AES_GCM_16, AES_GMAC } = EspTransform;
    assert.deepEqual(espTransforms, new Set([DES, TRIPLE, NULL, AES, AES_CTR, AES_GCM_16, AES_GMAC]));
    assert.equal(ahTransforms.size, 0);
    const { DES_MAC: _, KPDK: __, ...hashes } = AuthenticationAlgorithm;
    assert.deepEqual(authentications, new Set(Object.values(hashes)));
    const { TUNNEL, UDP_ENCAP_TUNNEL, UDP_ENCAP_TUNNEL_DRAFT } = EncapsulationMode;
    assert.deepEqual(encapsulations, new Set([TUNNEL, UDP_ENCAP_TUNNEL, UDP_ENCAP_TUNNEL_DRAFT]));
  });

  it('does not include AH, transport mode and ciphers that are not there', () => {
    assert.throws(() => made({ protocolId: ProtocolId.IPSEC_AH }), isUnsupported);
    assert.throws(() => made({ encapsulation: EncapsulationMode.TRANSPORT }), isUnsupported);
    assert.throws(() => made({ transformId: EspTransform.IDEA }), isUnsupported);
    const cast = { transformId: EspTransform.CAST, authentication: AuthenticationAlgorithm.HMAC_SHA, keyLength: 0 };
    const keys = { encryptionKey: new Uint8Array(16), authenticationKey: new Uint8Array(20) };
    assert.throws(() => made({ ...cast, ...keys }), isUnsupported);
  });

  it('includes replay protection that nobody can make smaller than 32 packets', () => {
    const highest = (replayWindow: number): boolean[] => {
      const sa = made({ replayWindow });
      assert.ok(sa.direction === 'in' && sa.window !== undefined);
      sa.window.accept(5000);
      return [4969, 4968, 4937, 4936, 905, 904].map((sequence) => sa.window?.isFresh(sequence) ?? true);
    };
    assert.deepEqual(highest(0), [true, false, false, false, false, false]);
    assert.deepEqual(highest(64), [true, true, true, false, false, false]);
    assert.deepEqual(highest(100_000), [true, true, true, true, true, false]);
  });

  it('tells no key when it refuses', () => {
    const wrong = new Uint8Array(3).fill(0xab);
    assert.throws(
      () => made({ encryptionKey: wrong }),
      (fault: Error) => !/ab|171/.test(fault.message),
    );
  });
});
