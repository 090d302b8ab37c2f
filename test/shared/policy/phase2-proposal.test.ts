import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  AhTransform,
  AuthenticationAlgorithm,
  EncapsulationMode,
  EspTransform,
  IpsecAttribute,
  ProtocolId,
} from '../../../src/shared/constants/ipsec-doi.ts';
import { GroupDescription, LifeType } from '../../../src/shared/constants/oakley.ts';
import type { Phase2Transform, Suite } from '../../../src/shared/policy/peer-policy.ts';
import { suiteWords } from '../../../src/shared/policy/phase2-comparison.ts';
import {
  answerPhase2,
  choosePhase2,
  matchPhase2Answer,
  offerPhase2,
} from '../../../src/shared/policy/phase2-proposal.ts';
import { spiBytes, spiNumber } from '../../../src/shared/policy/spi.ts';
import { nearest } from '../../../src/shared/policy/transform-attributes.ts';
import type { Attribute, SecurityAssociation } from '../../../src/shared/wire/payloads.ts';
import { espSuite, espTransform } from '../../helpers/lane-pair.ts';

const STRICT = { legacyCrypto: false, inUdp: false };
const LENIENT = { legacyCrypto: true, inUdp: false };

const A = IpsecAttribute;

const suiteOf = (name: string, ...protocols: readonly (readonly [number, readonly Phase2Transform[]])[]): Suite => ({
  name,
  protocols: protocols.map(([protocolId, transforms]) => ({ name, protocolId, transforms, replayWindow: 64 })),
});
const ah = (changes: Partial<Phase2Transform> = {}): Phase2Transform =>
  espTransform({ transformId: AhTransform.SHA2_256, keyLength: undefined, ...changes });
const BUNDLE = suiteOf('BUNDLE', [ProtocolId.IPSEC_ESP, [espTransform()]], [ProtocolId.IPSEC_AH, [ah()]]);

const spisFor = (suites: readonly Suite[]): readonly (readonly number[])[] =>
  suites.map(({ protocols }, suite) => protocols.map((_protocol, index) => 0x1000 + 16 * suite + index));
const offer = (...suites: readonly Suite[]): SecurityAssociation => offerPhase2(suites, spisFor(suites));

interface RawProposal {
  readonly number?: number;
  readonly protocolId?: number;
  readonly spi?: Uint8Array;
  readonly transformId?: number;
  readonly attributes: readonly Attribute[];
}
const raw = (...proposals: readonly RawProposal[]): SecurityAssociation => ({
  doi: 1,
  situation: 1,
  proposals: proposals.map(
    ({ number = 1, protocolId = ProtocolId.IPSEC_ESP, spi = spiBytes(0x2000), transformId = 12, attributes }) => ({
      proposalNumber: number,
      protocolId,
      spi,
      transforms: [{ transformNumber: 1, transformId, attributes }],
    }),
  ),
});
const good: readonly Attribute[] = [
  { type: A.ENCAPSULATION_MODE, value: EncapsulationMode.TUNNEL },
  { type: A.AUTHENTICATION_ALGORITHM, value: AuthenticationAlgorithm.HMAC_SHA2_256 },
  { type: A.KEY_LENGTH, value: 128 },
];

const chosen = (sa: SecurityAssociation, ...suites: readonly Suite[]) => {
  const selection = choosePhase2(sa, suites, STRICT);
  return selection.kind === 'chosen' ? selection.choice : undefined;
};

describe('the quick mode offer', () => {
  it('has isakmpd’s numbers and order of attributes (behaviour 5.2)', () => {
    const sa = offer(espSuite({ group: GroupDescription.MODP_2048 }), BUNDLE);
    assert.deepEqual(
      sa.proposals.map(({ proposalNumber, protocolId, spi }) => [proposalNumber, protocolId, spiNumber(spi)]),
      [
        [1, ProtocolId.IPSEC_ESP, 0x1000],
        [2, ProtocolId.IPSEC_ESP, 0x1010],
        [2, ProtocolId.IPSEC_AH, 0x1011],
      ],
    );
    assert.equal(sa.proposals[0]?.transforms[0]?.transformNumber, 1);
    assert.deepEqual(
      sa.proposals[0]?.transforms[0]?.attributes.map(({ type }) => type),
      [
        A.LIFE_TYPE,
        A.LIFE_DURATION,
        A.ENCAPSULATION_MODE,
        A.AUTHENTICATION_ALGORITHM,
        A.GROUP_DESCRIPTION,
        A.KEY_LENGTH,
      ],
    );
  });

  it('can be told in words', () => {
    assert.deepEqual(suiteWords([BUNDLE]), [
      'ESP AES-128/HMAC_SHA2_256/no PFS/TUNNEL',
      'AH SHA2_256/HMAC_SHA2_256/no PFS/TUNNEL',
    ]);
  });
});

describe('quick mode, responder', () => {
  it('takes the peer’s proposals in the peer’s order', () => {
    const transport = espSuite({ encapsulation: EncapsulationMode.TRANSPORT });
    const sa = offer(espSuite(), transport);
    assert.equal(chosen(sa, transport, espSuite())?.protocols[0]?.encapsulation, EncapsulationMode.TUNNEL);
  });

  it('answers the chosen transform as it came, under our SPI', () => {
    const sa = offer(BUNDLE);
    const selection = choosePhase2(sa, [BUNDLE], STRICT);
    assert.ok(selection.kind === 'chosen');
    const answer = answerPhase2(selection.picked, [0x7001, 0x7002]);
    assert.deepEqual(
      answer.proposals.map(({ proposalNumber, protocolId, spi }) => [proposalNumber, protocolId, spiNumber(spi)]),
      [
        [1, ProtocolId.IPSEC_ESP, 0x7001],
        [1, ProtocolId.IPSEC_AH, 0x7002],
      ],
    );
    assert.deepEqual(answer.proposals[0]?.transforms, sa.proposals[0]?.transforms);
  });

  it('P4: all protocols of a proposal or none: AH with ESP is neither AH nor ESP', () => {
    assert.equal(chosen(offer(BUNDLE), espSuite(), suiteOf('AH', [ProtocolId.IPSEC_AH, [ah()]])), undefined);
    assert.equal(chosen(offer(espSuite()), BUNDLE), undefined);
    assert.equal(chosen(offer(BUNDLE), BUNDLE)?.protocols.length, 2);
  });

  it('takes the protocols of a bundle in any order', () => {
    const reversed = { ...BUNDLE, protocols: [...BUNDLE.protocols].reverse() };
    assert.deepEqual(
      chosen(offer(reversed), BUNDLE)?.protocols.map(({ protocolId }) => protocolId),
      [ProtocolId.IPSEC_AH, ProtocolId.IPSEC_ESP],
    );
  });

  it('asks one PFS group and one encapsulation of all protocols of a bundle', () => {
    const attributes = (mode: number): readonly Attribute[] => [
      { type: A.ENCAPSULATION_MODE, value: mode },
      ...good.slice(1),
    ];
    const mixed = raw(
      { attributes: attributes(1) },
      { protocolId: ProtocolId.IPSEC_AH, transformId: 5, attributes: attributes(2).slice(0, 2) },
    );
    const both = suiteOf(
      'BOTH',
      [ProtocolId.IPSEC_ESP, [espTransform()]],
      [ProtocolId.IPSEC_AH, [ah(), ah({ encapsulation: EncapsulationMode.TRANSPORT })]],
    );
    assert.equal(chosen(mixed, both), undefined);
  });

  it('refuses the same protocol twice under one number', () => {
    assert.equal(
      chosen(
        raw({ attributes: good }, { attributes: good }),
        suiteOf('TWICE', [3, [espTransform()]], [3, [espTransform()]]),
      ),
      undefined,
    );
  });

  it('RFC 2406 §2.1, §5.2: refuses SPIs that are reserved or of another size', () => {
    for (const spi of [spiBytes(0), spiBytes(255), new Uint8Array(3), new Uint8Array(16).fill(1)]) {
      assert.equal(chosen(raw({ spi, attributes: good }), espSuite()), undefined);
    }
    assert.equal(spiNumber(spiBytes(256)), 256);
    assert.equal(spiNumber(spiBytes(0xffffffff)), 0xffffffff);
  });

  it('interoperation: transforms with unknown numbers, or attributes nobody knows, are passed over (pluto, charon)', () => {
    const sa = raw(
      { number: 0, transformId: 99, attributes: good },
      { number: 1, attributes: [...good, { type: 99, value: 1 }] },
      { number: 2, attributes: [...good, { type: A.KEY_LENGTH, value: 128 }] },
      { number: 3, attributes: good },
    );
    assert.ok(chosen(sa, espSuite()));
    const { proposals } = sa;
    assert.equal(chosen({ ...sa, proposals: proposals.slice(0, 3) }, espSuite()), undefined);
  });

  it('CVE-2024-3652: combinations that make no SA are refused whatever is configured', () => {
    const odd: readonly RawProposal[] = [
      { transformId: EspTransform.AES_GMAC, attributes: good },
      { transformId: EspTransform.NULL, attributes: good.slice(0, 1) },
      { transformId: EspTransform.AES_CTR, attributes: [...good.slice(0, 1), ...good.slice(2)] },
      { attributes: [...good.slice(0, 2), { type: A.KEY_LENGTH, value: 0 }] },
      { attributes: [...good.slice(0, 2), { type: A.KEY_LENGTH, value: 136 }] },
      { protocolId: ProtocolId.IPSEC_AH, transformId: AhTransform.MD5, attributes: good.slice(0, 2) },
      { protocolId: ProtocolId.IPSEC_AH, transformId: AhTransform.SHA2_256, attributes: good.slice(0, 1) },
      { protocolId: ProtocolId.IPCOMP, transformId: 2, attributes: good.slice(0, 1) },
    ];
    for (const one of odd) assert.equal(choosePhase2(raw(one), undefined, LENIENT).kind, 'none', JSON.stringify(one));
  });

  it('Check-suites=no takes whatever we can do, but what is too weak only with Legacy-crypto=yes (decisions 4.3)', () => {
    const encapsulation = good.slice(0, 1);
    assert.equal(choosePhase2(raw({ attributes: good }), undefined, STRICT).kind, 'chosen');
    const nullCipher = { transformId: EspTransform.NULL, attributes: good.slice(0, 2) };
    assert.equal(choosePhase2(raw(nullCipher), undefined, STRICT).kind, 'chosen');
    const weak: readonly RawProposal[] = [
      { transformId: EspTransform.DES, attributes: good.slice(0, 2) },
      { attributes: [...encapsulation, ...good.slice(2)] },
      { attributes: [...good, { type: A.GROUP_DESCRIPTION, value: GroupDescription.MODP_768 }] },
    ];
    for (const one of weak) {
      assert.equal(choosePhase2(raw(one), undefined, STRICT).kind, 'none', JSON.stringify(one));
      assert.equal(choosePhase2(raw(one), undefined, LENIENT).kind, 'chosen', JSON.stringify(one));
    }
  });

  it('KEY_LENGTH: in range; none means 128; ours without one takes the usual one only', () => {
    const sized = (value: number | undefined) =>
      raw({
        attributes: value === undefined ? good.slice(0, 2) : [...good.slice(0, 2), { type: A.KEY_LENGTH, value }],
      });
    const accepts = (keyLength: Phase2Transform['keyLength']) =>
      [undefined, 128, 192, 256].map((bits) => chosen(sized(bits), espSuite({ keyLength })) !== undefined);
    assert.deepEqual(accepts({ offered: 256, least: 192, most: 256 }), [false, false, true, true]);
    assert.deepEqual(accepts({ offered: 128, least: 128, most: 128 }), [true, true, false, false]);
    assert.deepEqual(accepts(undefined), [true, true, false, false]);
  });

  it('an offer without encapsulation mode means ours', () => {
    const sa = raw({ attributes: good.slice(1) });
    const transport = espSuite({ encapsulation: EncapsulationMode.TRANSPORT });
    assert.equal(chosen(sa, transport)?.protocols[0]?.encapsulation, EncapsulationMode.TRANSPORT);
  });

  it('UDP encapsulation is refused while there is no NAT traversal', () => {
    for (const mode of [3, 4, 61_443, 61_444]) {
      assert.equal(
        choosePhase2(
          raw({ attributes: [{ type: A.ENCAPSULATION_MODE, value: mode }, ...good.slice(1)] }),
          undefined,
          LENIENT,
        ).kind,
        'none',
      );
    }
  });

  it('the life is the shortest of a bundle’s', () => {
    const lives = (offered: number) => ({
      lifetimes: [{ type: LifeType.SECONDS, duration: { offered, least: 1, most: 100_000 } }],
    });
    const suite = suiteOf(
      'LIVES',
      [ProtocolId.IPSEC_ESP, [espTransform(lives(900))]],
      [ProtocolId.IPSEC_AH, [ah(lives(600))]],
    );
    assert.equal(chosen(offer(suite), suite)?.lifetimes.seconds, 600);
  });

  it('decisions 7: tells what differs, and the suite that would accept it', () => {
    const selection = choosePhase2(
      raw({ attributes: good }),
      [espSuite({ group: GroupDescription.MODP_2048 })],
      STRICT,
    );
    const best = selection.kind === 'none' ? nearest(selection.comparisons) : undefined;
    assert.equal(best?.offered, 'ESP AES-128/HMAC_SHA2_256/no PFS/TUNNEL');
    assert.deepEqual(best?.differences, [{ attribute: 'GROUP_DESCRIPTION', got: 'none', expected: 'MODP_2048' }]);
    assert.equal(best?.remedy, 'QM-ESP-AES-128-SHA2-256-SUITE');
  });
});

describe('quick mode, initiator', () => {
  const suites = [espSuite({ keyLength: { offered: 256, least: 128, most: 256 } }), BUNDLE];
  const match = (sa: SecurityAssociation) => matchPhase2Answer(sa, suites, spisFor(suites));

  it('finds the suite that was chosen, and our SPIs in the order of the answer', () => {
    const { proposals } = offer(...suites);
    const bundle = [...proposals.slice(1)].reverse();
    const matched = match({
      doi: 1,
      situation: 1,
      proposals: bundle.map((one, index) => ({ ...one, spi: spiBytes(0x9000 + index) })),
    });
    assert.deepEqual(matched?.spis, [0x1011, 0x1010]);
    assert.deepEqual(
      matched?.choice.protocols.map(({ protocolId, peerSpi }) => [protocolId, peerSpi]),
      [
        [ProtocolId.IPSEC_AH, 0x9000],
        [ProtocolId.IPSEC_ESP, 0x9001],
      ],
    );
  });

  it('takes nothing that was not offered', () => {
    assert.equal(match(raw({ attributes: good })), undefined, '128 bits are acceptable, but were not offered');
    const { proposals } = offer(...suites);
    assert.equal(match({ doi: 1, situation: 1, proposals }), undefined, 'two proposals');
    assert.equal(match({ doi: 1, situation: 1, proposals: proposals.slice(1, 2) }), undefined, 'half a bundle');
    const twice = proposals.slice(0, 1).map((one) => ({ ...one, transforms: [...one.transforms, ...one.transforms] }));
    assert.equal(match({ doi: 1, situation: 1, proposals: twice }), undefined, 'two transforms');
  });

  it('takes its own life where the answer has none, and none below its minimum', () => {
    const attributes = (...life: readonly Attribute[]) => [
      ...good.slice(0, 2),
      { type: A.KEY_LENGTH, value: 256 },
      ...life,
    ];
    const seconds = (value: number) => [
      { type: A.LIFE_TYPE, value: 1 },
      { type: A.LIFE_DURATION, value },
    ];
    assert.equal(match(raw({ attributes: attributes() }))?.choice.lifetimes.seconds, 1_200);
    assert.equal(match(raw({ attributes: attributes(...seconds(700)) }))?.choice.lifetimes.seconds, 700);
    assert.equal(match(raw({ attributes: attributes(...seconds(7)) })), undefined);
  });
});
