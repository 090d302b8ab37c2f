/** What configuration makes of a quick mode: whose connection it may be, and how long its SAs live. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IdType } from '../../src/shared/constants/ipsec-doi.ts';
import { LifeType } from '../../src/shared/constants/oakley.ts';
import type { Phase2Transform } from '../../src/shared/policy/peer-policy.ts';
import type { Agreement } from '../../src/shared/threads/contract.ts';
import {
  connectionPolicy,
  espSuite,
  fqdn,
  type LaneHost,
  type LanePair,
  lanePair,
  subnet,
} from '../helpers/lane-pair.ts';

const agreementOf = (host: LaneHost): Agreement =>
  host.all('phase2Established')[0]?.agreement ?? assert.fail('no agreement');

describe('selectors of a quick mode', () => {
  it('a road warrior’s connection takes any remote selector', () => {
    const world = lanePair({}, [connectionPolicy({ remoteId: subnet(10, 2, 0) })]);
    world.right.tell({
      kind: 'peer',
      policy: {
        ...world.right.policy,
        connections: [connectionPolicy({ localId: subnet(10, 2, 0), remoteId: undefined })],
      },
    });
    world.start();
    world.quick();
    assert.deepEqual(agreementOf(world.right).remoteSelector, subnet(10, 1, 1));
  });

  it('sends NAT-ID in place of Local-ID', () => {
    const world = lanePair({}, [connectionPolicy({ natId: subnet(192, 168, 7) })]);
    world.right.tell({
      kind: 'peer',
      policy: {
        ...world.right.policy,
        connections: [connectionPolicy({ localId: subnet(10, 1, 2), remoteId: subnet(192, 168, 7) })],
      },
    });
    world.start();
    world.quick();
    assert.deepEqual(agreementOf(world.left).localSelector, subnet(192, 168, 7));
    assert.deepEqual(agreementOf(world.right).remoteSelector, subnet(192, 168, 7));
  });

  it('compares selectors by meaning: an address is its /32', () => {
    const host = { type: IdType.IPV4_ADDR, protocol: 0, port: 0, data: Uint8Array.of(10, 1, 2, 9) };
    const same = {
      type: IdType.IPV4_ADDR_SUBNET,
      protocol: 0,
      port: 0,
      data: Uint8Array.of(10, 1, 2, 9, 255, 255, 255, 255),
    };
    const world = lanePair({}, [connectionPolicy({ remoteId: host })]);
    world.right.tell({
      kind: 'peer',
      policy: { ...world.right.policy, connections: [connectionPolicy({ localId: same, remoteId: subnet(10, 1, 1) })] },
    });
    world.start();
    world.quick();
    assert.equal(world.left.all('phase2Established').length, 1);
  });

  it('P5: protocol and port of the selectors count', () => {
    const tcp = { ...subnet(10, 1, 2), protocol: 6, port: 80 };
    const world = lanePair({}, [connectionPolicy({ remoteId: tcp })]);
    world.start();
    world.quick();
    assert.equal(world.left.all('phase2Established').length, 1);
    const other = lanePair({}, [connectionPolicy({ remoteId: tcp })]);
    other.right.tell({
      kind: 'peer',
      policy: {
        ...other.right.policy,
        connections: [connectionPolicy({ localId: subnet(10, 1, 2), remoteId: subnet(10, 1, 1) })],
      },
    });
    other.start();
    other.quick();
    assert.equal(other.left.all('phase2Established').length, 0);
  });

  it('Flags=Active-only: such a connection is not matched to an incoming quick mode', () => {
    const world = lanePair({}, [connectionPolicy({ activeOnly: true })]);
    world.start();
    world.quick();
    assert.equal(world.right.all('phase2Established').length, 0);
    assert.match(world.left.all('phase2Failed')[0]?.failure.reason ?? '', /INVALID_ID_INFORMATION/);
  });
});

describe('binding, decisions 3.1', () => {
  it('no connection of another peer is ever looked at', () => {
    const world = lanePair();
    const { policy } = world.right;
    world.right.tell({ kind: 'peer', policy: { ...policy, name: 'other' } });
    world.right.tell({ kind: 'peer', policy: { ...policy, connections: [] } });
    world.start();
    world.quick();
    assert.equal(world.right.all('phase2Established').length, 0);
  });

  it('a section that means somebody else by now gives its connections to nobody who was authenticated before', () => {
    const world = lanePair();
    world.start();
    world.right.tell({ kind: 'peer', policy: { ...world.right.policy, remoteId: fqdn('somebody.else') } });
    world.quick();
    assert.equal(world.right.all('phase2Established').length, 0);
    assert.equal(world.right.all('phase2Started').length, 0);
  });

  it('a changed configuration applies to the next quick mode under the same phase 1', () => {
    const world = lanePair({}, []);
    world.start();
    for (const [host, connection] of [
      [world.left, connectionPolicy()],
      [world.right, connectionPolicy({ localId: subnet(10, 1, 2), remoteId: subnet(10, 1, 1) })],
    ] as const) {
      host.tell({ kind: 'peer', policy: { ...host.policy, connections: [connection] } });
    }
    world.quick();
    assert.equal(world.right.all('phase2Established').length, 1);
  });
});

const life = (offered: number, least: number, most: number) => ({
  lifetimes: [{ type: LifeType.SECONDS, duration: { offered, least, most } }],
});

describe('lifetimes, decisions 3.8', () => {
  type Lives = Pick<Phase2Transform, 'lifetimes'>;
  const withLives = (ours: Lives, theirs: Lives): LanePair => {
    const world = lanePair({}, [connectionPolicy({ suites: [espSuite(ours)] })]);
    const mine = { localId: subnet(10, 1, 2), remoteId: subnet(10, 1, 1) };
    world.right.tell({
      kind: 'peer',
      policy: { ...world.right.policy, connections: [connectionPolicy({ ...mine, suites: [espSuite(theirs)] })] },
    });
    world.start();
    world.quick();
    return world;
  };

  it('takes what is offered where it is in range', () => {
    const world = withLives(life(1_200, 60, 86_400), life(3_600, 60, 86_400));
    assert.deepEqual(
      world.hosts.map((host) => agreementOf(host).lifeSeconds),
      [1_200, 1_200],
    );
  });

  it('shortens what is too long and tells it by RESPONDER-LIFETIME', () => {
    const world = withLives(life(100_000, 60, 200_000), life(1_200, 60, 70_000));
    assert.deepEqual(
      world.hosts.map((host) => agreementOf(host).lifeSeconds),
      [70_000, 70_000],
    );
  });

  it('refuses what is too short, and says which side wants what', () => {
    const world = withLives(life(30, 10, 200_000), life(1_200, 60, 70_000));
    assert.ok(world.right.log.includes('attribute_unacceptable: LIFE_DURATION: got 30, expected 60 to 70000'));
    assert.equal(world.left.all('phase2Failed')[0]?.failure.cause, 'refused');
  });

  it('refuses a RESPONDER-LIFETIME that is shorter than our own minimum', () => {
    const world = withLives(life(100_000, 3_600, 200_000), life(1_200, 60, 1_800));
    assert.deepEqual(
      world.left.all('phase2Failed').map(({ failure }) => failure.reason),
      [
        "RESPONDER-LIFETIME: got 1800 seconds, expected 3600 at least; let the LIFE_DURATION of the connection's suites begin lower to accept it, or the peer keep its SAs for longer",
      ],
    );
    assert.deepEqual(
      world.right.all('phase2Failed').map(({ failure }) => failure.cause),
      ['refused'],
      'and the responder hears of it',
    );
  });

  it('none offered means 28,800 seconds, or less where the responder allows less', () => {
    const none = { lifetimes: [] };
    assert.deepEqual(
      withLives(none, none).hosts.map((host) => agreementOf(host).lifeSeconds),
      [28_800, 28_800],
    );
    const world = withLives(none, life(1_200, 60, 7_200));
    assert.deepEqual(
      world.hosts.map((host) => agreementOf(host).lifeSeconds),
      [7_200, 7_200],
    );
  });

  it('seconds and kilobytes go together', () => {
    const both = {
      lifetimes: [
        ...life(1_200, 60, 86_400).lifetimes,
        { type: LifeType.KILOBYTES, duration: { offered: 500_000, least: 1, most: 100_000 } },
      ],
    };
    const world = withLives(both, both);
    for (const host of world.hosts) {
      assert.deepEqual([agreementOf(host).lifeSeconds, agreementOf(host).lifeKilobytes], [1_200, 100_000]);
    }
  });

  it('timer overflow: a life of 2^48 seconds of a peer without limits is taken as 136 years', () => {
    const any = { lifetimes: [{ type: LifeType.SECONDS, duration: 'ANY' as const }] };
    const world = withLives(life(0xffffffff, 60, 0xffffffff), any);
    assert.equal(agreementOf(world.right).lifeSeconds, 0xffffffff);
  });
});
