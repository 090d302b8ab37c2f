/** Quick modes that are not what they should be: replays, forgeries, and answers to what was not asked. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IpsecAttribute } from '../../src/shared/constants/ipsec-doi.ts';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import { GroupDescription } from '../../src/shared/constants/oakley.ts';
import { type OutPayload, readHeader } from '../../src/shared/wire/message.ts';
import { exchangeUnder, type ScriptedExchange } from '../helpers/ike-script.ts';
import { connectionPolicy, espSuite, type LaneHost, type LanePair, lanePair, subnet } from '../helpers/lane-pair.ts';
import { espOffer, IDS, idOf, NONCE } from '../helpers/quick-script.ts';
import { asOutPayload } from '../helpers/wire-bytes.ts';

const ready = (suite = espSuite()): LanePair => {
  const world = lanePair({}, [connectionPolicy({ suites: [suite] })]);
  world.start();
  return world;
};

const failures = (host: LaneHost) =>
  host.all('phase2Failed').map(({ request, failure }) => [request, failure.cause, failure.reason]);

/** A script in the place of left, once phase 1 is done. */
const impostor = (
  world: LanePair,
  messageId: number,
  exchangeType: number = ExchangeType.QUICK_MODE,
): ScriptedExchange => exchangeUnder(world.left, world.isakmp(), exchangeType, messageId);

describe('a quick mode that is not what it should be', () => {
  it('threats, replay: message 1 again after everything is done makes no second SA, ever', () => {
    const world = ready();
    world.quick();
    const message1 = world.wire[6]?.bytes ?? assert.fail();
    for (const wait of [0, 10_000, 500_000]) {
      world.pass(wait);
      world.right.clear();
      world.deliver(world.left, message1);
      assert.deepEqual(world.right.done, []);
    }
  });

  it('threats, replay: a message 1 that was refused is not looked at again (pluto repeats it)', () => {
    const world = ready();
    const message1 = impostor(world, 0x4242).authentic([espOffer([], 0x3003), NONCE, idOf(subnet(172, 16, 0)), IDS[1]]);
    world.deliver(world.left, message1);
    assert.equal(world.right.outbox.length, 1);
    world.right.outbox.length = 0;
    world.right.clear();
    for (let i = 0; i < 5; i++) world.deliver(world.left, message1);
    assert.deepEqual(world.right.done, []);
  });

  it('CVE-2015-3240: a bad KE value costs one Diffie-Hellman, not one for each time it is sent', () => {
    const world = lanePair({}, [connectionPolicy({ suites: [espSuite({ group: GroupDescription.ECP_256 })] })]);
    world.start();
    const group = [{ type: IpsecAttribute.GROUP_DESCRIPTION, value: GroupDescription.ECP_256 }];
    const ke: OutPayload = { kind: 'KE', value: { keyExchangeData: new Uint8Array(64).fill(3) } };
    const message1 = impostor(world, 0x4242).authentic([espOffer(group), NONCE, ke, ...IDS]);
    const before = world.right.core.diffieHellman;
    for (let i = 0; i < 5; i++) world.deliver(world.left, message1);
    assert.equal(world.right.core.diffieHellman - before, 2);
    assert.ok(world.right.notices.some((text) => text.endsWith('notification type INVALID_KEY_INFORMATION')));
  });

  it('a forged message under a running exchange changes neither its state nor its IV chain', () => {
    const world = ready();
    world.bend = (_from, bytes, index) => {
      const forged = bytes.slice();
      forged.fill(0x5a, 28);
      return index >= 6 ? [forged, bytes] : [bytes];
    };
    world.quick();
    for (const host of world.hosts) assert.equal(host.all('phase2Established').length, 1);
  });

  it('a message 3 that is not one leaves the responder waiting for the right one', () => {
    const world = ready();
    const script = impostor(world, 0x4242);
    world.deliver(world.left, script.authentic([espOffer(), NONCE, ...IDS]));
    const answer = script.read(world.right.outbox.shift()?.bytes);
    const nr = answer.nonce?.value.nonceData.slice() ?? assert.fail();
    const wrong = impostor(world, 0x4242);
    world.deliver(world.left, wrong.proof(new Uint8Array(16), nr));
    assert.equal(world.right.all('phase2Established').length, 0);
    world.deliver(world.left, script.proof(new Uint8Array(16).fill(7), nr));
    assert.equal(world.right.all('phase2Established').length, 1);
  });

  it('the nonce of the answer is as long as that of the question, 8 to 256 bytes', () => {
    for (const size of [8, 256]) {
      const world = ready();
      const script = impostor(world, 0x4242);
      const nonce: OutPayload = { kind: 'NONCE', value: { nonceData: new Uint8Array(size).fill(1) } };
      world.deliver(world.left, script.authentic([espOffer(), nonce, ...IDS]));
      assert.equal(script.read(world.right.outbox.shift()?.bytes).nonce?.value.nonceData.length, size);
    }
  });

  /** What left makes of an answer that a script in the place of right gives. */
  const answered = (
    change: (payloads: readonly OutPayload[]) => readonly OutPayload[],
    suite = espSuite(),
  ): LanePair => {
    const world = ready(suite);
    world.bend = () => [];
    world.quick();
    const message1 = world.wire.at(-1)?.bytes ?? assert.fail();
    const script = exchangeUnder(world.right, world.isakmp(), ExchangeType.QUICK_MODE, readHeader(message1).messageId);
    const question = script.read(message1);
    const echo = [question.sa, question.nonce, question.ke, question.id, question.secondId].flatMap((one) =>
      one === undefined ? [] : [asOutPayload(one)],
    );
    world.deliver(world.right, script.authentic(change(echo), question.nonce?.value.nonceData ?? assert.fail()));
    return world;
  };

  it('an answer that echoes the offer is taken, so that the refusals below mean something', () => {
    assert.equal(answered((payloads) => payloads).left.all('install').length, 1);
  });

  it('an answer with a wrong HASH(2) is refused and counts for nothing: the true one is taken afterwards', () => {
    const world = ready();
    world.bend = () => [];
    world.quick();
    const message1 = world.wire.at(-1)?.bytes ?? assert.fail();
    const { messageId } = readHeader(message1);
    const [forger, honest] = [1, 2].map(() =>
      exchangeUnder(world.right, world.isakmp(), ExchangeType.QUICK_MODE, messageId),
    );
    assert.ok(forger !== undefined && honest !== undefined);
    const question = forger.read(message1);
    const ni = honest.read(message1).nonce?.value.nonceData ?? assert.fail();
    const echo = [question.sa, question.nonce, question.id, question.secondId].map((one) =>
      asOutPayload(one ?? assert.fail()),
    );
    world.deliver(world.right, forger.authentic(echo));
    assert.equal(world.left.all('install').length, 0);
    assert.ok(world.left.notices.some((text) => text.endsWith('notification type INVALID_HASH_INFORMATION')));
    world.deliver(world.right, honest.authentic(echo, ni));
    assert.equal(world.left.all('install').length, 1);
  });

  it('CVE-2023-38711: an answer with other IDs ends the exchange with INVALID_ID_INFORMATION', () => {
    const world = answered((payloads) => [...payloads.slice(0, -1), idOf(subnet(10, 99, 99))]);
    assert.equal(
      failures(world.left)[0]?.[2],
      'the peer answered with other IDs, our 10.1.1.0/255.255.255.0 and its 10.99.99.0/255.255.255.0, than those of [net]:Local-ID and Remote-ID, ' +
        '10.1.1.0/255.255.255.0 and 10.1.2.0/255.255.255.0',
    );
    assert.equal(world.left.all('install').length, 0);
  });

  it('an answer without IDs, or with one, ends the exchange', () => {
    for (const left of [2, 3]) {
      const world = answered((payloads) => payloads.slice(0, left));
      assert.equal(failures(world.left)[0]?.[2], 'the peer answered without both IDs');
    }
  });

  it('an answer with KE where none was asked for ends the exchange', () => {
    const ke: OutPayload = { kind: 'KE', value: { keyExchangeData: new Uint8Array(64).fill(1) } };
    const world = answered((payloads) => [...payloads, ke]);
    assert.equal(failures(world.left)[0]?.[2], 'the peer answered with a KE payload without group');
  });

  it('an answer without KE where PFS was asked for ends the exchange', () => {
    const world = answered(
      (payloads) => payloads.filter(({ kind }) => kind !== 'KE'),
      espSuite({ group: GroupDescription.ECP_256 }),
    );
    assert.equal(failures(world.left)[0]?.[2], 'the peer answered with a group without KE payload');
  });

  it('CVE-2015-3240: an authentic answer with a bad KE value ends the exchange at once', () => {
    const bad: OutPayload = { kind: 'KE', value: { keyExchangeData: new Uint8Array(64).fill(3) } };
    const world = answered(
      (payloads) => payloads.map((one) => (one.kind === 'KE' ? bad : one)),
      espSuite({ group: GroupDescription.ECP_256 }),
    );
    assert.equal(failures(world.left)[0]?.[1], 'refused');
    assert.equal(world.left.core.counts.phase2Exchanges, 0);
  });

  it('an answer with another key length than offered ends the exchange', () => {
    const world = answered(
      (payloads) => [espOffer([], 0x5005), ...payloads.slice(1)],
      espSuite({ keyLength: { offered: 256, least: 128, most: 256 } }),
    );
    assert.equal(failures(world.left)[0]?.[2], 'the peer chose a proposal that was not offered');
  });

  it('RFC 2406 §2.1: a SPI of the reserved range is taken by neither side', () => {
    for (const spi of [0, 255]) {
      const world = ready();
      world.deliver(world.left, impostor(world, 0x4242).authentic([espOffer([], spi), NONCE, ...IDS]));
      assert.equal(world.right.all('install').length, 0);
      const other = answered((payloads) => [espOffer([], spi), ...payloads.slice(1)]);
      assert.equal(other.left.all('install').length, 0);
    }
  });

  it('DoS: an authenticated peer gets no more than 1024 exchanges at a time', () => {
    const world = ready();
    world.bend = () => [];
    for (let id = 1; id <= 1_100; id++) {
      world.deliver(world.left, impostor(world, id).authentic([espOffer(), NONCE, ...IDS]));
    }
    assert.equal(world.right.core.counts.phase2Exchanges, 1_024);
    const told = world.right.log.filter((line) =>
      /^quick mode dropped: peer peer \(.*\): 1024 of its quick modes are under way/.test(line),
    );
    assert.ok(told.length > 0 && told.length <= 10, `${told.length} lines`);
    world.pass(121_000);
    world.deliver(world.left, impostor(world, 2_000).authentic([espOffer(), NONCE, ...IDS]));
    assert.equal(world.right.core.counts.phase2Exchanges, 1);
  });

  it('the Commit bit of a peer is taken for what it is worth: nothing (P14)', () => {
    const world = ready();
    world.bend = (_from, bytes, index) => {
      const copy = bytes.slice();
      if (index >= 6) copy[19] = 3;
      return [copy];
    };
    world.quick();
    for (const host of world.hosts) assert.equal(host.all('phase2Established').length, 1);
  });

  it('startQuickMode for what is not there fails at once', () => {
    const world = ready();
    world.quick(7, 'nothing');
    world.left.tell({ kind: 'startQuickMode', request: 8, isakmp: '00'.repeat(16), connection: 'net' });
    assert.deepEqual(failures(world.left), [
      [7, 'error', '[nothing] is no connection of this peer that can be used; see isakmpd --check'],
      [8, 'error', 'the ISAKMP SA has gone meanwhile'],
    ]);
  });

  it('a connection without suites fails at once', () => {
    const world = lanePair({}, [connectionPolicy({ suites: [] })]);
    world.start();
    world.quick();
    assert.deepEqual(failures(world.left), [[2, 'refused', 'no suite of [Default-quick-mode]:Suites can be offered']]);
    assert.equal(world.left.core.counts.phase2Exchanges, 0);
  });

  it('cancel ends it without a word to the peer', () => {
    const world = ready();
    world.bend = () => [];
    world.quick();
    const sent = world.wire.length;
    world.left.tell({ kind: 'cancel', request: 2 });
    world.run();
    assert.equal(world.wire.length, sent);
    assert.deepEqual(failures(world.left), [[2, 'cancelled', 'cancelled']]);
    assert.equal(world.left.core.counts.phase2Exchanges, 0);
  });
});
