import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProtocolId } from '../../../src/shared/constants/ipsec-doi.ts';
import {
  AuthenticationMethod,
  EncryptionAlgorithm,
  GroupDescription,
  HashAlgorithm,
  LifeType,
  OakleyAttribute,
} from '../../../src/shared/constants/oakley.ts';
import type { Phase1Transform } from '../../../src/shared/policy/peer-policy.ts';
import {
  choosePhase1,
  matchPhase1Answer,
  offeredWords,
  offerPhase1,
} from '../../../src/shared/policy/phase1-proposal.ts';
import { nearest } from '../../../src/shared/policy/transform-attributes.ts';
import type { Attribute, SecurityAssociation } from '../../../src/shared/wire/payloads.ts';
import { aes128Sha256 } from '../../helpers/lane-pair.ts';

const BASE = aes128Sha256(GroupDescription.MODP_2048);
const with_ = (changes: Partial<Phase1Transform>): Phase1Transform => ({ ...BASE, ...changes });
const life = (offered: number, least: number, most: number): Pick<Phase1Transform, 'lifetimes'> => ({
  lifetimes: [{ type: LifeType.SECONDS, duration: { offered, least, most } }],
});

const offer = (...transforms: readonly Phase1Transform[]): SecurityAssociation =>
  offerPhase1(transforms) ?? assert.fail('nothing to offer');

/** An offer of transforms that are lists of [type, value]. */
const raw = (...transforms: readonly (readonly Attribute[])[]): SecurityAssociation => ({
  doi: 1,
  situation: 1,
  proposals: [
    {
      proposalNumber: 1,
      protocolId: ProtocolId.ISAKMP,
      spi: new Uint8Array(0),
      transforms: transforms.map((attributes, transformNumber) => ({ transformNumber, transformId: 1, attributes })),
    },
  ],
});
const A = OakleyAttribute;
const good: readonly Attribute[] = [
  { type: A.ENCRYPTION_ALGORITHM, value: EncryptionAlgorithm.AES_CBC },
  { type: A.HASH_ALGORITHM, value: HashAlgorithm.SHA2_256 },
  { type: A.AUTHENTICATION_METHOD, value: AuthenticationMethod.PRE_SHARED },
  { type: A.GROUP_DESCRIPTION, value: GroupDescription.MODP_2048 },
  { type: A.KEY_LENGTH, value: 128 },
];

const choose = (sa: SecurityAssociation, accepted: readonly Phase1Transform[], legacyCrypto = false) =>
  choosePhase1(sa, { transforms: accepted, legacyCrypto }, new Set([AuthenticationMethod.PRE_SHARED]));
const chosen = (sa: SecurityAssociation, ...accepted: readonly Phase1Transform[]) => {
  const selection = choose(sa, accepted);
  return selection.kind === 'chosen' ? selection : undefined;
};
const refusal = (sa: SecurityAssociation, ...accepted: readonly Phase1Transform[]) => {
  const selection = choose(sa, accepted);
  return selection.kind === 'none' ? nearest(selection.comparisons)?.differences : assert.fail('it was accepted');
};

describe('the phase 1 offer', () => {
  it('has isakmpd’s numbers and order of attributes (behaviour 5.2)', () => {
    const { proposals } = offer(BASE, with_({ hash: HashAlgorithm.SHA }));
    assert.deepEqual(
      proposals.map(({ proposalNumber, protocolId, spi }) => [proposalNumber, protocolId, spi.length]),
      [[1, ProtocolId.ISAKMP, 0]],
    );
    assert.deepEqual(
      proposals[0]?.transforms.map(({ transformNumber }) => transformNumber),
      [0, 1],
    );
    assert.deepEqual(
      proposals[0]?.transforms[0]?.attributes.map(({ type }) => type),
      [
        A.ENCRYPTION_ALGORITHM,
        A.HASH_ALGORITHM,
        A.AUTHENTICATION_METHOD,
        A.GROUP_DESCRIPTION,
        A.LIFE_TYPE,
        A.LIFE_DURATION,
        A.KEY_LENGTH,
      ],
    );
  });

  it('writes durations above 65535 as four bytes', () => {
    const attributes = offer(with_(life(86_400, 60, 100_000))).proposals[0]?.transforms[0]?.attributes;
    const duration = attributes?.find(({ type }) => type === A.LIFE_DURATION);
    assert.deepEqual(duration?.value, Uint8Array.of(0, 1, 0x51, 0x80));
  });

  it('leaves out what cannot be offered and numbers the rest without gaps', () => {
    const sa = offer(with_({ encryption: 'ANY' }), with_({ group: GroupDescription.EC2N_155 }), BASE);
    assert.deepEqual(
      sa.proposals[0]?.transforms.map(({ transformNumber }) => transformNumber),
      [0],
    );
    assert.equal(offerPhase1([with_({ hash: 'ANY' })]), undefined);
    assert.equal(offerPhase1([with_({ authentication: AuthenticationMethod.DSS })]), undefined);
    assert.equal(offerPhase1([with_({ keyLength: { offered: 100, least: 100, most: 100 } })]), undefined);
    assert.equal(offerPhase1([]), undefined);
  });

  it('never numbers past a byte', () => {
    const sa = offer(...Array.from({ length: 300 }, () => BASE));
    assert.equal(sa.proposals[0]?.transforms.length, 255);
  });

  it('can be told in words', () => {
    assert.deepEqual(offeredWords([BASE, with_({ hash: 'ANY' })]), ['AES_CBC-128/SHA2_256/PRE_SHARED/MODP_2048']);
  });
});

describe('phase 1, responder', () => {
  it('takes the first of the peer’s transforms that suits any of ours, and answers it as it came', () => {
    const sa = raw(
      good.map((one) => (one.type === A.GROUP_DESCRIPTION ? { ...one, value: 5 } : one)),
      [...good].reverse(),
      good,
    );
    const selection = chosen(sa, with_({ group: GroupDescription.MODP_1024 }), BASE);
    assert.deepEqual(selection?.answer.proposals[0]?.transforms, [sa.proposals[0]?.transforms[1]]);
    assert.equal(selection?.choice.group, GroupDescription.MODP_2048);
  });

  it('takes an attribute that is ANY for us whatever it is', () => {
    const any = with_({ encryption: 'ANY', hash: 'ANY', group: 'ANY', authentication: 'ANY', keyLength: undefined });
    assert.ok(chosen(raw(good), any));
    assert.ok(chosen(raw(good.map((one) => (one.type === A.KEY_LENGTH ? { ...one, value: 256 } : one))), any));
  });

  it('decisions 4.3: where we take ANY, single DES and group 1 still need Legacy-crypto=yes', () => {
    const any = with_({ encryption: 'ANY', hash: 'ANY', group: 'ANY', keyLength: undefined });
    const des = raw([{ type: A.ENCRYPTION_ALGORITHM, value: EncryptionAlgorithm.DES_CBC }, ...good.slice(1, 4)]);
    const group1 = raw(good.map((one) => (one.type === A.GROUP_DESCRIPTION ? { ...one, value: 1 } : one)));
    for (const sa of [des, group1]) {
      assert.equal(choose(sa, [any]).kind, 'none');
      assert.equal(choose(sa, [any], true).kind, 'chosen');
    }
    assert.deepEqual(
      refusal(des, any)?.map(({ got }) => got),
      ['algorithms that are too weak'],
    );
  });

  it('interoperation: a transform without cipher and hash, or of a group nobody knows, is not acceptable and nothing worse (charon)', () => {
    const aead = good.slice(2);
    const curve = good.map((one) => (one.type === A.GROUP_DESCRIPTION ? { ...one, value: 31 } : one));
    assert.ok(chosen(raw(aead, curve, good), BASE));
    const any = with_({ encryption: 'ANY', hash: 'ANY', group: 'ANY', keyLength: undefined });
    for (const sa of [raw(aead), raw(curve)]) assert.equal(choose(sa, [any]).kind, 'none');
  });

  it('takes attributes in any order, but none twice, none unknown and no duration without its type', () => {
    assert.ok(chosen(raw([...good].reverse()), BASE));
    for (const odd of [
      [...good, { type: A.HASH_ALGORITHM, value: HashAlgorithm.SHA2_256 }],
      [...good, { type: A.PRF, value: 1 }],
      [...good, { type: 99, value: 1 }],
      [...good, { type: A.LIFE_DURATION, value: 3_600 }, { type: A.LIFE_TYPE, value: 1 }],
      [...good, { type: A.LIFE_TYPE, value: 3 }, { type: A.LIFE_DURATION, value: 3_600 }],
      [...good.slice(0, 4), { type: A.KEY_LENGTH, value: new Uint8Array(7) }],
    ]) {
      assert.equal(chosen(raw(odd), BASE), undefined, JSON.stringify(odd));
    }
  });

  it('KEY_LENGTH: in range; none means 128; ours without one takes the cipher’s usual one only (CVE: wrong key lengths)', () => {
    const sized = (...values: readonly (number | undefined)[]) =>
      values.map((value) =>
        raw(value === undefined ? good.slice(0, 4) : [...good.slice(0, 4), { type: A.KEY_LENGTH, value }]),
      );
    const accepts = (ours: Phase1Transform) =>
      sized(undefined, 0, 64, 128, 192, 256, 512).map((sa) => chosen(sa, ours) !== undefined);
    assert.deepEqual(accepts(BASE), [true, false, false, true, false, false, false]);
    const range = with_({ keyLength: { offered: 256, least: 192, most: 256 } });
    assert.deepEqual(accepts(range), [false, false, false, false, true, true, false]);
    assert.deepEqual(accepts(with_({ keyLength: undefined })), [true, false, false, true, false, false, false]);
  });

  it('refuses KEY_LENGTH with a cipher that has one length only', () => {
    const tripleDes = with_({ encryption: EncryptionAlgorithm['3DES_CBC'], keyLength: undefined });
    const offered = [{ type: A.ENCRYPTION_ALGORITHM, value: EncryptionAlgorithm['3DES_CBC'] }, ...good.slice(1, 4)];
    assert.ok(chosen(raw(offered), tripleDes));
    assert.equal(chosen(raw([...offered, { type: A.KEY_LENGTH, value: 192 }]), tripleDes), undefined);
  });

  it('decisions 3.8: a longer life is shortened, a shorter one refused, none means 28,800 s', () => {
    const offered = (...lives: readonly Attribute[]) => raw([...good, ...lives]);
    const seconds = (value: number) => [
      { type: A.LIFE_TYPE, value: 1 },
      { type: A.LIFE_DURATION, value },
    ];
    const ours = with_(life(3_600, 60, 7_200));
    assert.deepEqual(chosen(offered(...seconds(600)), ours)?.choice.lifetimes, {
      seconds: 600,
      kilobytes: 0,
      shortened: false,
    });
    assert.deepEqual(chosen(offered(...seconds(9_000)), ours)?.choice.lifetimes, {
      seconds: 7_200,
      kilobytes: 0,
      shortened: true,
    });
    assert.deepEqual(chosen(offered(), ours)?.choice.lifetimes, { seconds: 7_200, kilobytes: 0, shortened: true });
    assert.equal(chosen(offered(), with_({ lifetimes: [] }))?.choice.lifetimes.seconds, 28_800);
    assert.deepEqual(refusal(offered(...seconds(30)), ours), [
      { attribute: 'LIFE_DURATION', got: '30', expected: '60 to 7200' },
    ]);
    assert.equal(chosen(offered(...seconds(0)), with_({ lifetimes: [] }))?.choice.lifetimes.seconds, 28_800);
  });

  it('takes seconds and kilobytes together, the shorter of several', () => {
    const sa = raw([
      ...good,
      { type: A.LIFE_TYPE, value: 1 },
      { type: A.LIFE_DURATION, value: 900 },
      { type: A.LIFE_TYPE, value: 2 },
      { type: A.LIFE_DURATION, value: 5_000 },
      { type: A.LIFE_TYPE, value: 1 },
      { type: A.LIFE_DURATION, value: 700 },
    ]);
    assert.deepEqual(chosen(sa, BASE)?.choice.lifetimes, { seconds: 700, kilobytes: 5_000, shortened: false });
  });

  it('timer overflow: a life of 2^48 - 1 seconds is one that fits 4 bytes', () => {
    const endless = [
      ...good,
      { type: A.LIFE_TYPE, value: 1 },
      { type: A.LIFE_DURATION, value: new Uint8Array(6).fill(255) },
    ];
    assert.equal(chosen(raw(endless), with_({ lifetimes: [] }))?.choice.lifetimes.seconds, 0xffffffff);
  });

  it('skips proposals for other protocols than ISAKMP', () => {
    const sa = raw(good);
    const esp = { ...sa, proposals: sa.proposals.map((one) => ({ ...one, protocolId: ProtocolId.IPSEC_ESP })) };
    assert.equal(choose(esp, [BASE]).kind, 'none');
  });

  it('decisions 7: tells the nearest of ours, all that differs, and the name that would accept it', () => {
    const selection = choose(raw(good), [
      with_({ name: 'FAR', group: GroupDescription.MODP_1024, hash: HashAlgorithm.MD5 }),
      with_({ name: 'NEAR', group: GroupDescription.MODP_1024 }),
    ]);
    const best = selection.kind === 'none' ? nearest(selection.comparisons) : undefined;
    assert.equal(best?.acceptedName, 'NEAR');
    assert.equal(best?.offered, 'AES_CBC-128/SHA2_256/PRE_SHARED/MODP_2048');
    assert.deepEqual(best?.differences, [{ attribute: 'GROUP_DESCRIPTION', got: 'MODP_2048', expected: 'MODP_1024' }]);
    assert.equal(best?.remedy, 'AES-128-SHA2-256-GRP14');
  });

  it('huge proposals: compares no more than anybody reads', () => {
    const sa = raw(...Array.from({ length: 255 }, () => [...good, { type: 99, value: 1 }]));
    const selection = choose(
      sa,
      Array.from({ length: 10 }, () => BASE),
    );
    assert.ok(selection.kind === 'none' && selection.comparisons.length === 64);
  });
});

describe('phase 1, initiator', () => {
  const answer = (sa: SecurityAssociation, ...offered: readonly Phase1Transform[]) => matchPhase1Answer(sa, offered);

  it('takes one of its transforms with whatever numbers and order', () => {
    const second = with_({ hash: HashAlgorithm.SHA });
    const { proposals } = offer(BASE, second);
    const [proposal] = proposals;
    const transforms = proposal?.transforms
      .slice(1)
      .map((one) => ({ ...one, transformNumber: 9, attributes: [...one.attributes].reverse() }));
    assert.ok(proposal !== undefined && transforms !== undefined);
    // Reversed, the duration would come before its type.
    const [transform] = transforms;
    const attributes =
      transform?.attributes.filter(({ type }) => type !== A.LIFE_TYPE && type !== A.LIFE_DURATION) ?? [];
    const sa = {
      doi: 1,
      situation: 1,
      proposals: [{ ...proposal, proposalNumber: 7, transforms: [{ transformNumber: 9, transformId: 1, attributes }] }],
    } as const;
    assert.equal(answer(sa, BASE, second)?.hash, HashAlgorithm.SHA);
  });

  it('takes nothing that it did not offer', () => {
    const strong = with_({ keyLength: { offered: 256, least: 128, most: 256 } });
    assert.equal(answer(raw(good), strong), undefined, '128 bits are acceptable, but were not offered');
    assert.equal(answer(raw(good.slice(0, 4)), BASE), undefined, 'nor was a transform without key length');
    assert.equal(answer(raw(good), with_({ hash: 'ANY' })), undefined, 'ANY is never offered');
    assert.equal(answer(raw(good, good), BASE), undefined, 'two transforms');
    assert.equal(
      answer({ ...raw(good), proposals: [...raw(good).proposals, ...raw(good).proposals] }, BASE),
      undefined,
    );
    assert.equal(answer(raw([...good, { type: 99, value: 1 }]), BASE), undefined);
  });

  it('takes a shorter life, not one below its own minimum, and its own where the answer has none', () => {
    const ours = with_(life(3_600, 60, 86_400));
    const lives = (value: number) => raw([...good, { type: A.LIFE_TYPE, value: 1 }, { type: A.LIFE_DURATION, value }]);
    assert.equal(answer(lives(1_000), ours)?.lifetimes.seconds, 1_000);
    assert.equal(answer(lives(10_000), ours)?.lifetimes.seconds, 3_600);
    assert.equal(answer(lives(59), ours), undefined);
    assert.equal(answer(raw(good), ours)?.lifetimes.seconds, 3_600);
  });
});
