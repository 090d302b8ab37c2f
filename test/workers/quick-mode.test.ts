import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  AhTransform,
  AuthenticationAlgorithm,
  EncapsulationMode,
  EspTransform,
  ProtocolId,
} from '../../src/shared/constants/ipsec-doi.ts';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import { GroupDescription } from '../../src/shared/constants/oakley.ts';
import type { ConnectionPolicy, Suite } from '../../src/shared/policy/peer-policy.ts';
import type { Agreement, IpsecSa } from '../../src/shared/threads/contract.ts';
import { readHeader } from '../../src/shared/wire/message.ts';
import {
  connectionPolicy,
  espSuite,
  espTransform,
  type LaneHost,
  type LanePair,
  lanePair,
  subnet,
} from '../helpers/lane-pair.ts';

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const up = (connections: readonly ConnectionPolicy[] = [connectionPolicy()], changes = {}): LanePair => {
  const world = lanePair(changes, connections);
  world.start();
  world.quick();
  return world;
};

const agreementOf = (host: LaneHost, index = 0): Agreement =>
  host.all('phase2Established')[index]?.agreement ?? assert.fail('no agreement');

const sasOf = (host: LaneHost, direction: IpsecSa['direction']): readonly IpsecSa[] =>
  host.all('install').flatMap(({ sas }) => sas.filter((sa) => sa.direction === direction));

/** What an SA is to both of its ends. */
const facts = ({ protocolId, spi, transformId, authentication, encapsulation, keyLength, ...sa }: IpsecSa) => ({
  ...{ protocolId, spi, transformId, authentication, encapsulation, keyLength },
  keys: [hexOf(sa.encryptionKey), hexOf(sa.authenticationKey)],
  ends: [sa.source, sa.destination],
});

/** What one side sends on is what the other receives on, keys and all. */
const assertMirrored = (world: LanePair): void => {
  assert.deepEqual(sasOf(world.left, 'out').map(facts), sasOf(world.right, 'in').map(facts));
  assert.deepEqual(sasOf(world.left, 'in').map(facts), sasOf(world.right, 'out').map(facts));
  assert.equal(agreementOf(world.left).protocols.length, sasOf(world.left, 'in').length);
};

const ahSuite = (encapsulation: number = EncapsulationMode.TUNNEL): Suite => ({
  name: 'AH-SUITE',
  protocols: [
    {
      name: 'AH',
      protocolId: ProtocolId.IPSEC_AH,
      replayWindow: 64,
      transforms: [
        espTransform({ transformId: AhTransform.SHA2_256, keyLength: undefined, encapsulation, name: 'AH-SHA2' }),
      ],
    },
  ],
});

const bundle = (): Suite => ({
  name: 'AH-ESP-SUITE',
  protocols: [...espSuite().protocols, ...ahSuite().protocols],
});

describe('quick mode', () => {
  for (const group of [undefined, GroupDescription.ECP_256, GroupDescription.MODP_2048]) {
    it(`agrees on mirrored SPIs and equal keys, PFS group ${group ?? 'none'}`, () => {
      const world = up([connectionPolicy({ suites: [espSuite({ group })] })]);
      assertMirrored(world);
      assert.equal(agreementOf(world.left).group, group ?? 0);
      assert.equal(sasOf(world.left, 'in')[0]?.encryptionKey.length, 16);
      assert.equal(sasOf(world.left, 'in')[0]?.authenticationKey.length, 32);
      assert.notDeepEqual(sasOf(world.left, 'in')[0]?.encryptionKey, sasOf(world.left, 'out')[0]?.encryptionKey);
    });
  }

  it('takes three messages, all encrypted and under one message id', () => {
    const world = up();
    const messages = world.wire.slice(6).map(({ bytes }) => readHeader(bytes));
    assert.equal(messages.length, 3);
    assert.equal(new Set(messages.map(({ messageId }) => messageId)).size, 1);
    assert.ok(messages.every(({ flags, exchangeType }) => flags === 1 && exchangeType === ExchangeType.QUICK_MODE));
  });

  it('says so in isakmpd’s words on both sides', () => {
    const world = up();
    assert.equal(world.left.log.at(-1), 'isakmpd: quick mode done: src: 10.0.0.1 dst: 10.0.0.2');
    assert.equal(world.right.log.at(-1), 'isakmpd: quick mode done (as responder): src: 10.0.0.2 dst: 10.0.0.1');
  });

  it('tells main who, what and between whom, without keys', () => {
    const world = up();
    const ours = agreementOf(world.left);
    const theirs = agreementOf(world.right);
    assert.deepEqual([ours.role, theirs.role], ['initiator', 'responder']);
    assert.equal(ours.connection, 'net');
    assert.deepEqual([ours.localSelector, ours.remoteSelector], [subnet(10, 1, 1), subnet(10, 1, 2)]);
    assert.deepEqual([theirs.localSelector, theirs.remoteSelector], [subnet(10, 1, 2), subnet(10, 1, 1)]);
    assert.deepEqual([ours.localIdentity, ours.remoteIdentity], ['10.0.0.1', '10.0.0.2']);
    assert.equal(ours.messageId, theirs.messageId);
    assert.deepEqual(ours.lowestNonce, theirs.lowestNonce, 'convergence compares them');
    assert.deepEqual(
      world.right.all('phase2Started').map(({ connection }) => connection),
      ['net'],
    );
  });

  it('installs inbound before message 2 and outbound after message 3 as responder, both before message 3 as initiator (decisions 3.3)', () => {
    const world = lanePair();
    world.start();
    const steps: string[] = [];
    for (const [name, host] of [
      ['left', world.left],
      ['right', world.right],
    ] as const) {
      host.kernel = ({ sas }) => {
        steps.push(`${name} installs ${sas.map(({ direction }) => direction).join(' and ')}`);
        return 'yes';
      };
    }
    world.bend = (from, bytes) => {
      steps.push(from === world.left ? 'left sends' : 'right sends');
      return [bytes];
    };
    world.quick();
    assert.deepEqual(steps, [
      'left sends', // HDR*, HASH(1), SA, Ni, IDci, IDcr
      'right installs in',
      'right sends', // HDR*, HASH(2), SA, Nr, IDci, IDcr
      'left installs in and out',
      'left sends', // HDR*, HASH(3)
      'right installs out',
    ]);
  });

  it('negotiates ESP in transport mode between the two addresses, without IDs', () => {
    const suites = [espSuite({ encapsulation: EncapsulationMode.TRANSPORT })];
    const world = up([connectionPolicy({ localId: undefined, remoteId: undefined, suites })]);
    assertMirrored(world);
    assert.equal(sasOf(world.left, 'in')[0]?.encapsulation, EncapsulationMode.TRANSPORT);
    assert.deepEqual(agreementOf(world.right).remoteSelector.data, Uint8Array.of(10, 0, 0, 1));
  });

  it('negotiates AH', () => {
    const world = up([connectionPolicy({ suites: [ahSuite()] })]);
    assertMirrored(world);
    assert.equal(sasOf(world.left, 'in')[0]?.protocolId, ProtocolId.IPSEC_AH);
    assert.equal(sasOf(world.left, 'in')[0]?.encryptionKey.length, 0);
  });

  it('negotiates AH and ESP together: two SPIs each way, of one proposal number', () => {
    const world = up([connectionPolicy({ suites: [bundle()] })]);
    assertMirrored(world);
    assert.deepEqual(
      agreementOf(world.left).protocols.map(({ protocolId }) => protocolId),
      [ProtocolId.IPSEC_ESP, ProtocolId.IPSEC_AH],
    );
    assert.equal(new Set(agreementOf(world.left).protocols.flatMap(({ spiIn, spiOut }) => [spiIn, spiOut])).size, 4);
  });

  it('negotiates AES-GCM: 4 bytes of salt, no authentication key', () => {
    const world = up([
      connectionPolicy({ suites: [espSuite({ transformId: EspTransform.AES_GCM_16, authentication: undefined })] }),
    ]);
    assertMirrored(world);
    assert.deepEqual(
      [sasOf(world.left, 'in')[0]?.encryptionKey.length, sasOf(world.left, 'in')[0]?.authenticationKey.length],
      [20, 0],
    );
  });

  it('takes the second suite where the first does not suit the other side', () => {
    const strong = espSuite({ keyLength: { offered: 256, least: 256, most: 256 } });
    const weak = { ...espSuite({ keyLength: { offered: 128, least: 128, most: 128 } }), name: 'WEAK' };
    const world = lanePair({}, [connectionPolicy({ suites: [strong, ahSuite(), weak] })]);
    world.right.tell({
      kind: 'peer',
      policy: {
        ...world.right.policy,
        connections: [connectionPolicy({ localId: subnet(10, 1, 2), remoteId: subnet(10, 1, 1), suites: [weak] })],
      },
    });
    world.start();
    world.quick();
    assertMirrored(world);
    assert.equal(agreementOf(world.left).protocols[0]?.encryptionKeyBytes, 16);
  });

  it('takes the second transform of a protocol', () => {
    const two: Suite = {
      name: 'TWO',
      protocols: [
        {
          name: 'ESP',
          protocolId: ProtocolId.IPSEC_ESP,
          replayWindow: 64,
          transforms: [
            espTransform({ authentication: AuthenticationAlgorithm.HMAC_SHA2_512 }),
            espTransform({ authentication: AuthenticationAlgorithm.HMAC_SHA }),
          ],
        },
      ],
    };
    const world = lanePair({}, [connectionPolicy({ suites: [two] })]);
    const only = espSuite({ authentication: AuthenticationAlgorithm.HMAC_SHA });
    world.right.tell({
      kind: 'peer',
      policy: {
        ...world.right.policy,
        connections: [connectionPolicy({ localId: subnet(10, 1, 2), remoteId: subnet(10, 1, 1), suites: [only] })],
      },
    });
    world.start();
    world.quick();
    assertMirrored(world);
    assert.equal(agreementOf(world.left).protocols[0]?.authentication, AuthenticationAlgorithm.HMAC_SHA);
  });

  it('negotiates three subnets under one phase 1, one quick mode each, all at once', () => {
    const connections = [1, 2, 3].map((net) =>
      connectionPolicy({ name: `net${net}`, localId: subnet(10, 1, net), remoteId: subnet(10, 2, net) }),
    );
    const world = lanePair({}, connections);
    world.start();
    for (const [index, { name }] of connections.entries()) {
      world.left.tell({ kind: 'startQuickMode', request: 10 + index, isakmp: world.isakmp(), connection: name });
    }
    world.run();
    assert.deepEqual(
      world.right.all('phase2Established').map(({ agreement }) => agreement.connection),
      ['net1', 'net2', 'net3'],
    );
    assert.deepEqual(
      world.left.all('phase2Established').map(({ request }) => request),
      [10, 11, 12],
    );
  });

  it('runs two quick modes of both sides at once', () => {
    const world = lanePair();
    world.start();
    for (const host of world.hosts) {
      host.tell({ kind: 'startQuickMode', request: 5, isakmp: world.isakmp(), connection: 'net' });
    }
    world.run();
    for (const host of world.hosts) {
      assert.deepEqual(
        host
          .all('phase2Established')
          .map(({ agreement }) => agreement.role)
          .sort(),
        ['initiator', 'responder'],
      );
    }
  });

  it('refusing one of two quick modes does not touch the other (pluto begins all at once)', () => {
    const known = connectionPolicy({ name: 'known' });
    const world = lanePair({}, [known]);
    const unknown = connectionPolicy({ name: 'unknown', localId: subnet(10, 7, 7) });
    world.left.tell({ kind: 'peer', policy: { ...world.left.policy, connections: [known, unknown] } });
    world.start();
    for (const name of ['known', 'unknown']) {
      world.left.tell({ kind: 'startQuickMode', request: name.length, isakmp: world.isakmp(), connection: name });
    }
    world.run();
    assert.equal(agreementOf(world.right).connection, 'known');
    assert.equal(agreementOf(world.left).connection, 'known');
  });
});
