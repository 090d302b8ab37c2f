/** Quick modes that no connection section is for: the policy says yes or no (decisions 3.1, docs/adr/0016). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PeerPolicy, Suite } from '../../src/shared/policy/peer-policy.ts';
import { credentialFiles } from '../helpers/credential-keys.ts';
import {
  connectionPolicy,
  espSuite,
  fqdn,
  generalPolicy,
  type LanePair,
  lanePair,
  subnet,
} from '../helpers/lane-pair.ts';

const policyText = (conditions: string): string =>
  `Authorizer: "POLICY"\nLicensees: "passphrase:mekmitasdigoat"\nConditions: ${conditions} -> "true";\n`;
const YES = policyText('remote_filter == "010.001.001.000-010.001.001.255" && local_filter_type == "IPv4 subnet"');
const NO = policyText('remote_filter == "010.009.009.009"');

interface Given {
  /** Undefined: none is asked. */
  readonly policy?: string | undefined;
  readonly suites?: readonly Suite[];
  readonly right?: Partial<PeerPolicy>;
}

/** The left side is the road warrior; the right one has no connection for it. */
const worldOf = (given: Given = {}): LanePair => {
  const world = lanePair();
  const { suites = [espSuite()], right = {} } = given;
  const policy = 'policy' in given ? given.policy : YES;
  world.right.tell({ kind: 'credentials', files: credentialFiles(undefined, {}, { policy }) });
  world.right.tell({ kind: 'general', policy: generalPolicy({ connectionlessSuites: suites }) });
  world.right.tell({ kind: 'peer', policy: { ...world.right.policy, address: undefined, connections: [], ...right } });
  world.start();
  return world;
};

const established = ({ left, right }: LanePair): readonly number[] =>
  [left, right].map((host) => host.all('phase2Established').length);

/** What the left side hears. */
const failureOf = ({ left }: LanePair): string => left.all('phase2Failed')[0]?.failure.reason ?? '';

describe('quick mode without a connection section', () => {
  it('is accepted where the policy permits it, for just what was asked', () => {
    const world = worldOf();
    world.quick();
    assert.deepEqual(established(world), [1, 1]);
    const [done] = world.right.all('phase2Established');
    assert.deepEqual(done?.agreement.localSelector, subnet(10, 1, 2));
    assert.deepEqual(done?.agreement.remoteSelector, subnet(10, 1, 1));
    assert.equal(done?.agreement.peerChose, 'both');
    assert.equal(done?.agreement.connection, '[peer]10.1.2.0/255.255.255.0-10.1.1.0/255.255.255.0');
  });

  it('is refused where the policy says no, with both reasons', () => {
    const world = worldOf({ policy: NO });
    world.quick();
    assert.deepEqual(established(world), [0, 0]);
    assert.match(failureOf(world), /INVALID_ID_INFORMATION/);
    const log = world.right.log.join('\n');
    assert.match(log, /no connection has ISAKMP-peer=peer: add a section that has, with .* to accept it$/m);
    assert.match(log, /quick mode refused by the policy: .*remote_filter == "010\.009\.009\.009"/);
    assert.equal(world.right.all('phase2Started').length, 0);
  });

  it('is refused with -K, and the log says that nothing could permit it', () => {
    const world = worldOf({ policy: undefined });
    world.quick();
    assert.deepEqual(established(world), [0, 0]);
    assert.match(failureOf(world), /INVALID_ID_INFORMATION/);
    assert.match(world.right.explanations.join('\n'), /no policy is asked \(-K, Use-Keynote\) that could permit it/);
  });

  it('gets nothing but Default-phase-2-suites', () => {
    const world = worldOf({ suites: [espSuite({ keyLength: { offered: 256, least: 256, most: 256 } })] });
    world.quick();
    assert.deepEqual(established(world), [0, 0]);
    assert.match(failureOf(world), /NO_PROPOSAL_CHOSEN/);
    assert.match(world.right.explanations.join('\n'), /\[General\]:Default-phase-2-suites/);
  });

  it('gets nothing where none of them can be used', () => {
    const world = worldOf({ suites: [] });
    world.quick();
    assert.deepEqual(established(world), [0, 0]);
    assert.match(failureOf(world), /INVALID_ID_INFORMATION/);
  });

  it('is for those whose connections do not fit, too', () => {
    const world = worldOf({
      right: { connections: [connectionPolicy({ name: 'other', remoteId: subnet(10, 7, 7) })] },
    });
    world.quick();
    assert.deepEqual(established(world), [1, 1]);
  });

  it('a connection section that fits comes first, and its suites count', () => {
    const section = connectionPolicy({ localId: subnet(10, 1, 2), remoteId: subnet(10, 1, 1) });
    const strict = espSuite({ keyLength: { offered: 256, least: 256, most: 256 } });
    const world = worldOf({ right: { connections: [section] }, suites: [strict] });
    world.quick();
    assert.equal(world.right.all('phase2Established')[0]?.agreement.connection, 'net');
    assert.equal(world.right.all('phase2Established')[0]?.agreement.peerChose, 'nothing');
  });

  it('P1: is refused to a peer whose section means somebody else by now', () => {
    const world = worldOf();
    world.right.tell({ kind: 'peer', policy: { ...world.right.policy, remoteId: fqdn('somebody.else') } });
    world.quick();
    assert.deepEqual(established(world), [0, 0]);
    assert.match(world.right.explanations.join('\n'), /means somebody\.else by now/);
  });

  it('fails with INVALID_ID_INFORMATION when main denies the selectors, and nothing is installed', () => {
    const world = worldOf();
    world.right.kernel = ({ exchange }) => {
      world.right.core.handle({ kind: 'denied', exchange, reason: 'that is traffic of somebody else' });
      return undefined;
    };
    world.quick();
    assert.deepEqual(established(world), [0, 0]);
    assert.match(failureOf(world), /INVALID_ID_INFORMATION/);
    const [failed] = world.right.all('phase2Failed');
    assert.deepEqual(failed?.failure, { cause: 'refused', reason: 'that is traffic of somebody else' });
    assert.equal(world.right.all('install').length, 1, 'the outbound half is not asked for');
  });

  it('a section without Remote-ID leaves the remote selector to the peer, and main is told so', () => {
    const section = connectionPolicy({ localId: subnet(10, 1, 2), remoteId: undefined });
    const world = worldOf({ right: { connections: [section] } });
    world.quick();
    assert.equal(world.right.all('phase2Established')[0]?.agreement.peerChose, 'remote');
  });
});
