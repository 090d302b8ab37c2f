import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EspTransform } from '../../../src/shared/constants/ipsec-doi.ts';
import { createOpener, createSealer } from '../../../src/shared/esp/create-transform.ts';
import { pooledFill } from '../../../src/shared/esp/iv-pool.ts';
import {
  largestInner,
  NextHeader,
  OpenedPacket,
  openPacket,
  sealedSize,
  sealPacket,
  sequenceOf,
  spiOf,
} from '../../../src/shared/esp/packet.ts';
import { type EspSuite, espSuite, isAuthenticated } from '../../../src/shared/esp/suite.ts';
import type { Opener, Sealer } from '../../../src/shared/esp/transform.ts';
import { ESP_SUITES, isAvailable, type NamedSuite } from '../../helpers/esp-suites.ts';
import { ipPacket } from '../../helpers/ip-packets.ts';
import { Prng } from '../../helpers/prng.ts';

const SPI = 0xdeadbeef;

const random = pooledFill(randomFillSync);

const pairOf = ({ suite }: NamedSuite, seed = 1): { readonly sealer: Sealer; readonly opener: Opener } => {
  const prng = new Prng(seed);
  const [key, authentication] = [prng.bytes(suite.keySize + suite.saltSize), prng.bytes(suite.hmacKeySize)];
  return { sealer: createSealer(suite, key, authentication, random), opener: createOpener(suite, key, authentication) };
};

const seal = (suite: EspSuite, sealer: Sealer, sequence: number, text: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(sealedSize(suite, text.length) + 7);
  const end = sealPacket(suite, sealer, SPI, sequence, text, bytes, 3);
  assert.equal(end, bytes.length - 4);
  return bytes.slice(3, end);
};

const open = (suite: EspSuite, opener: Opener, packet: Uint8Array): Uint8Array | string => {
  const bytes = packet.slice();
  const opened = new OpenedPacket();
  const verdict = openPacket(suite, opener, bytes, 0, bytes.length, opened);
  return verdict === 'opened' ? bytes.slice(opened.start, opened.end) : verdict;
};

const PING = ipPacket({
  source: '10.1.0.1',
  destination: '10.2.0.1',
  payload: new TextEncoder().encode('hello world'),
});

describe('ESP packets', () => {
  const legacy = ESP_SUITES.filter((named) => named.isLegacy);
  const suites = ESP_SUITES.filter((named) => !named.isLegacy || isAvailable(named));

  it('has every suite that quick mode agrees on, but for ciphers that need the legacy provider', () => {
    assert.equal(ESP_SUITES.length, 93);
    for (const named of ESP_SUITES) if (!named.isLegacy) assert.ok(isAvailable(named), named.name);
    assert.equal(legacy.length, 21);
  });

  for (const named of suites) {
    const { name, suite } = named;
    it(`${name}: what is sealed is opened again, packet after packet, lost and reordered ones included`, () => {
      const { sealer, opener } = pairOf(named);
      const prng = new Prng(named.keyLength);
      const texts = Array.from({ length: 20 }, (_, index) => {
        const text = prng.bytes(1 + index * 13);
        text[0] = index % 2 === 0 ? 0x45 : 0x60;
        return text;
      });
      const packets = texts.map((text, index) => seal(suite, sealer, index + 1, text));
      for (const index of [0, 1, 5, 4, 4, 19, 7, 18, 2]) {
        const packet = packets[index] ?? new Uint8Array(0);
        assert.equal(spiOf(packet, 0, packet.length), SPI);
        assert.equal(sequenceOf(packet, 0), index + 1);
        assert.deepEqual(open(suite, opener, packet), texts[index]);
      }
    });

    if (isAuthenticated(suite)) {
      it(`${name}: no byte of a packet can be changed, none be cut off, none be added`, () => {
        const { sealer, opener } = pairOf(named);
        const packet = seal(suite, sealer, 1, PING);
        for (let at = 0; at < packet.length; at++) {
          const changed = packet.slice();
          changed[at] = (changed[at] ?? 0) ^ (1 << (at & 7));
          assert.equal(open(suite, opener, changed), 'forged', `byte ${at}`);
        }
        for (let size = 0; size < packet.length; size++) {
          assert.equal(open(suite, opener, packet.slice(0, size)), 'forged', `${size} bytes`);
        }
        for (let more = 1; more < 20; more++) {
          const longer = new Uint8Array(packet.length + more);
          longer.set(packet);
          assert.equal(open(suite, opener, longer), 'forged', `${more} bytes more`);
        }
        assert.deepEqual(open(suite, opener, packet), PING);
      });
    }
  }

  it('never seals two equal packets alike, and never with an IV that was there before', () => {
    for (const named of suites.filter(({ suite }) => suite.ivSize > 0)) {
      const { sealer } = pairOf(named);
      const ivs = new Set<string>();
      for (let sequence = 1; sequence <= 200; sequence++) {
        const packet = seal(named.suite, sealer, sequence, PING);
        ivs.add(Buffer.from(packet.subarray(8, 8 + named.suite.ivSize)).toString('hex'));
      }
      assert.equal(ivs.size, 200, named.name);
    }
  });

  it('writes the IV of counter modes from the sequence number', () => {
    for (const named of suites.filter(({ suite }) => ['ctr', 'gcm', 'gmac'].includes(suite.mode))) {
      const packet = seal(named.suite, pairOf(named).sealer, 0xfffffffe, PING);
      assert.equal(Buffer.from(packet.subarray(8, 16)).toString('hex'), '00000000fffffffe');
    }
  });

  it('tells how large a packet becomes, and what fits into a size', () => {
    for (const { suite, name } of ESP_SUITES) {
      for (let size = 100; size < 180; size++) {
        const inner = largestInner(suite, size);
        assert.ok(sealedSize(suite, inner) <= size, name);
        assert.ok(sealedSize(suite, inner + 1) > size, name);
      }
    }
  });

  it('names the family in the next header and pads with 1, 2, 3', () => {
    const named = ESP_SUITES.find(({ name }) => name === 'null-0-sha1');
    assert.ok(named !== undefined);
    const { sealer, opener } = pairOf(named);
    const six = ipPacket({ source: 'fd00::1', destination: 'fd00::2', payload: new Uint8Array(3) });
    const packet = seal(named.suite, sealer, 1, six);
    assert.deepEqual([...packet.slice(8 + six.length, -12)], [1, 2, 3, 3, NextHeader.IPV6]);
    const opened = new OpenedPacket();
    assert.equal(openPacket(named.suite, opener, packet, 0, packet.length, opened), 'opened');
    assert.equal(opened.nextHeader, NextHeader.IPV6);
  });

  it('drops authentic packets whose padding is none', () => {
    const named = ESP_SUITES.find(({ name }) => name === 'null-0-sha1');
    assert.ok(named !== undefined);
    const { sealer, opener } = pairOf(named);
    const cases: readonly (readonly [number[], string])[] = [
      [[1, 2, 2, 4], 'opened'],
      [[1, 3, 2, 4], 'malformed'],
      [[0, 0, 200, 4], 'malformed'],
      [[0, 0, 0, 59], 'opened'],
    ];
    for (const [trailer, verdict] of cases) {
      const bytes = new Uint8Array(8 + 4 + 12);
      bytes.set(trailer, 8);
      sealer.seal(bytes, 0, 12);
      assert.equal(openPacket(named.suite, opener, bytes, 0, 24, new OpenedPacket()), verdict, trailer.join());
    }
  });

  it('never throws, whatever comes', () => {
    const pairs = suites.map((named) => ({ named, ...pairOf(named) }));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(pairs.length - 1), (bytes, index) => {
        const pair = pairs[index];
        if (pair === undefined) return;
        const verdict = openPacket(pair.named.suite, pair.opener, bytes, 0, bytes.length, new OpenedPacket());
        if (isAuthenticated(pair.named.suite)) assert.equal(verdict, 'forged');
      }),
      { numRuns: 2000 },
    );
  });

  it('has no suite for what quick mode never agrees on', () => {
    assert.equal(espSuite(EspTransform.NULL, 0, 0, false), undefined);
    assert.equal(espSuite(EspTransform.AES_CTR, 128, 0, false), undefined);
    assert.equal(espSuite(EspTransform.AES_GCM_16, 128, 2, false), undefined);
    assert.equal(espSuite(EspTransform.AES, 64, 2, false), undefined);
    assert.equal(espSuite(EspTransform.IDEA, 0, 2, false), undefined);
  });
});
