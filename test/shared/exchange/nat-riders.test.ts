/** NAT-D and NAT-OA from peers that lie, or count in another way than the RFC. The hashes are made here by node:crypto, as RFC 3947 §3.2 has them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { IdType } from '../../../src/shared/constants/ipsec-doi.ts';
import { ExchangeType } from '../../../src/shared/constants/isakmp.ts';
import { HashAlgorithm } from '../../../src/shared/constants/oakley.ts';
import { ProtocolError } from '../../../src/shared/errors.ts';
import { type Inbound, inbound } from '../../../src/shared/exchange/inbound.ts';
import { detectNat } from '../../../src/shared/exchange/riders/nat-detection.ts';
import { withoutNat } from '../../../src/shared/exchange/riders/nat-original.ts';
import type { Identity } from '../../../src/shared/policy/peer-policy.ts';
import type { NatTraversal, Path } from '../../../src/shared/threads/contract.ts';
import {
  HEADER_SIZE,
  type OutPayload,
  readHeader,
  readPayloads,
  writeMessage,
} from '../../../src/shared/wire/message.ts';
import { peerPolicy } from '../../helpers/lane-pair.ts';
import { Prng } from '../../helpers/prng.ts';

const COOKIES = { initiatorCookie: new Uint8Array(8).fill(0x11), responderCookie: new Uint8Array(8).fill(0x22) };
const OURS = Uint8Array.of(10, 0, 0, 1);
const THEIRS = Uint8Array.of(192, 0, 2, 9);
const PATH: Path = {
  local: { address: '10.0.0.1', port: 500 },
  remote: { address: '192.0.2.9', port: 500 },
  encapsulated: false,
};

/** As it is read off the wire. */
const received = (payloads: readonly OutPayload[]): Inbound => {
  const header = { ...COOKIES, exchangeType: ExchangeType.ID_PROT, flags: 0, messageId: 0 };
  const bytes = writeMessage(header, payloads);
  const read = readHeader(bytes);
  const chain = readPayloads(bytes, read.nextPayload, HEADER_SIZE, bytes.length);
  return inbound(read, bytes, chain.payloads, chain.end);
};

const natD = (...hashes: readonly Uint8Array[]): readonly OutPayload[] =>
  hashes.map((hash) => ({ kind: 'NAT_D', value: { hash } }));

const hashOf = (address: Uint8Array, port: number): Uint8Array =>
  new Uint8Array(
    createHash('sha256')
      .update(COOKIES.initiatorCookie)
      .update(COOKIES.responderCookie)
      .update(address)
      .update(Uint8Array.of(port >> 8, port & 0xff))
      .digest(),
  );

const detected = (natDetections: Inbound['natDetections'], path = PATH): NatTraversal | undefined => {
  const setup = { policy: peerPolicy(), path, encapsulationPort: 4500 };
  return detectNat({ setup, hash: HashAlgorithm.SHA2_256, header: COOKIES, dialect: 'rfc' }, { natDetections });
};

const found = (...hashes: readonly Uint8Array[]): NatTraversal | undefined =>
  detected(received(natD(...hashes)).natDetections);

const strange = (seed: number, size = 32): Uint8Array => new Prng(seed).bytes(size);
const [LOCAL, REMOTE] = [hashOf(OURS, 500), hashOf(THEIRS, 500)];
const BOTH_BEHIND = { isLocalBehind: true, isRemoteBehind: true, dialect: 'rfc' };

describe('NAT-D', () => {
  it('of both ends as they are means that there is no NAT, with the port of either kind of IKE', () => {
    assert.equal(found(LOCAL, REMOTE), undefined);
    assert.equal(found(hashOf(OURS, 4500), hashOf(THEIRS, 4500)), undefined);
    assert.deepEqual(found(LOCAL, hashOf(THEIRS, 501)), { ...BOTH_BEHIND, isLocalBehind: false });
    assert.deepEqual(found(hashOf(OURS, 501), REMOTE), { ...BOTH_BEHIND, isRemoteBehind: false });
  });

  it('that is missing, or comes alone, finds nothing out', () => {
    assert.equal(found(), undefined);
    assert.equal(found(LOCAL), undefined);
    assert.equal(found(strange(1)), undefined);
  });

  it('of an odd size is the hash of no address, and no part of a right one counts', () => {
    for (const size of [0, 1, 16, 20, 31, 33, 64, 1000]) {
      assert.deepEqual(found(strange(size, size), strange(size + 1, size)), BOTH_BEHIND, `${size} bytes`);
    }
    for (const cut of [0, 1, 31]) {
      assert.deepEqual(
        found(LOCAL.subarray(0, cut), REMOTE.subarray(0, cut)),
        BOTH_BEHIND,
        `${cut} bytes of a right one`,
      );
    }
    const longer = (hash: Uint8Array): Uint8Array => Uint8Array.of(...hash, 0);
    assert.deepEqual(found(longer(LOCAL), longer(REMOTE)), BOTH_BEHIND);
  });

  it('of many addresses has the peer at one of them, and in the first place only ours', () => {
    const others = Array.from({ length: 62 }, (_, i) => strange(i));
    assert.equal(found(LOCAL, ...others, REMOTE), undefined);
    assert.equal(found(LOCAL, REMOTE, ...others), undefined);
    assert.deepEqual(found(...others, LOCAL, REMOTE), { ...BOTH_BEHIND, isRemoteBehind: false });
    assert.deepEqual(found(REMOTE, LOCAL), BOTH_BEHIND);
  });

  it('in more payloads than a message may have is refused where it is read, before any hash is made', () => {
    for (const count of [65, 16_000]) {
      const many = Array.from({ length: count }, () => new Uint8Array(0));
      assert.throws(() => received(natD(...many)), ProtocolError, `${count} payloads`);
    }
  });

  it('of whatever bytes answers whether the right ones are there', () => {
    const hash = fc.oneof(fc.uint8Array({ maxLength: 70 }), fc.constantFrom(LOCAL, REMOTE, hashOf(THEIRS, 4500)));
    fc.assert(
      fc.property(fc.array(hash, { maxLength: 20 }), (hashes) => {
        const [first, ...rest] = hashes;
        const isAmong = (one: Uint8Array, ...right: readonly Uint8Array[]): boolean =>
          right.some((it) => Buffer.compare(it, one) === 0);
        const isLocalBehind = first !== undefined && !isAmong(first, LOCAL, hashOf(OURS, 4500));
        const isRemoteBehind = !rest.some((one) => isAmong(one, REMOTE, hashOf(THEIRS, 4500)));
        const isThere = rest.length > 0 && (isLocalBehind || isRemoteBehind);
        assert.deepEqual(found(...hashes), isThere ? { isLocalBehind, isRemoteBehind, dialect: 'rfc' } : undefined);
      }),
    );
  });
});

const ADDRESSES = ['192.0.2.9', '10.0.0.1', '10.5.0.1', '172.16.0.7', '203.0.113.77'].map((text) =>
  Uint8Array.from(text.split('.'), Number),
);
const NAT: NatTraversal = { isLocalBehind: true, isRemoteBehind: true, dialect: 'rfc' };

const host = (data: Uint8Array, change: Partial<Identity> = {}): Identity => ({
  ...{ type: IdType.IPV4_ADDR, protocol: 17, port: 1701, data },
  ...change,
});

const natOriginals = (...addresses: readonly Uint8Array[]): Inbound['natOriginals'] =>
  received(
    addresses.map((address) => ({
      kind: 'NAT_OA',
      value: { idType: address.length === 4 ? IdType.IPV4_ADDR : IdType.IPV6_ADDR, address },
    })),
  ).natOriginals;

const [SENDER, US, INSIDE, OTHER, VICTIM] = ADDRESSES;

describe('NAT-OA', () => {
  assert.ok(
    SENDER !== undefined && US !== undefined && INSIDE !== undefined && OTHER !== undefined && VICTIM !== undefined,
  );

  it('makes the inside address of the initiator the one that its packets come from, with its protocol and port', () => {
    const asked = { remote: host(INSIDE), local: host(OTHER) };
    const told = withoutNat({ nat: NAT, path: PATH }, asked, { natOriginals: natOriginals(INSIDE, OTHER) });
    assert.deepEqual(told, { remote: host(SENDER), local: host(US) });
  });

  it('that names somebody else gives the liar its own address, not that of another (QM ID spoofing)', () => {
    const asked = { remote: host(VICTIM), local: host(VICTIM) };
    const told = withoutNat({ nat: NAT, path: PATH }, asked, { natOriginals: natOriginals(VICTIM, VICTIM) });
    assert.deepEqual(told, { remote: host(SENDER), local: host(US) });
  });

  it('changes nothing where there is no NAT, one is missing, or what is asked for is not what it names', () => {
    const asked = { remote: host(INSIDE), local: host(US) };
    const pair = natOriginals(INSIDE, US);
    assert.equal(withoutNat({ nat: undefined, path: PATH }, asked, { natOriginals: pair }), asked);
    for (const few of [natOriginals(), natOriginals(INSIDE)]) {
      assert.equal(withoutNat({ nat: NAT, path: PATH }, asked, { natOriginals: few }), asked);
    }
    const v6 = Uint8Array.of(...INSIDE, ...new Uint8Array(12));
    for (const lie of [natOriginals(VICTIM, US), natOriginals(OTHER, US), natOriginals(v6, US)]) {
      assert.deepEqual(withoutNat({ nat: NAT, path: PATH }, asked, { natOriginals: lie }), asked);
    }
  });

  it('never yields more than was asked for, but the address of the sender and our own (QM ID spoofing)', () => {
    const address = fc.constantFrom(...ADDRESSES);
    const place = fc.record({ protocol: fc.constantFrom(0, 6, 17), port: fc.constantFrom(0, 500, 1701) });
    const data = fc.oneof(
      address,
      fc.tuple(address, address).map(([a, b]) => Uint8Array.of(...a, ...b)),
    );
    const type = fc.constantFrom(...Object.values(IdType));
    const identity = fc.record({ type, data, place }).map(({ place: { protocol, port }, ...rest }) => ({
      ...{ protocol, port },
      ...rest,
    }));
    const anyOriginals = fc.array(fc.oneof(address, fc.uint8Array({ minLength: 16, maxLength: 16 })), { maxLength: 5 });
    fc.assert(
      fc.property(identity, identity, anyOriginals, (remote, local, originals) => {
        const told = withoutNat(
          { nat: NAT, path: PATH },
          { remote, local },
          { natOriginals: natOriginals(...originals) },
        );
        for (const [got, asked, own] of [
          [told.remote, remote, SENDER],
          [told.local, local, US],
        ] as const) {
          if (got === asked) continue;
          const { protocol, port } = asked;
          assert.deepEqual(got, host(own, { protocol, port }));
          assert.ok(originals.some((one) => Buffer.compare(one, asked.data) === 0));
        }
      }),
    );
  });
});
