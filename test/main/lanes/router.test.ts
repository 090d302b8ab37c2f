import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { Router } from '../../../src/main/lanes/router.ts';
import { createDebugLevels } from '../../../src/shared/log/classes.ts';
import type { LaneEvent, LogRecord, Path } from '../../../src/shared/threads/contract.ts';

const local = { address: '192.0.2.1', port: 500 };
const remote = { address: '198.51.100.7', port: 500 };
const plain: Path = { local, remote, encapsulated: false };
const encapsulated: Path = { local: { ...local, port: 4500 }, remote, encapsulated: true };

/** An ISAKMP header with these cookies and nothing behind it. */
const header = (initiator: number, responder: number): Uint8Array =>
  Uint8Array.from({ length: 28 }, (_, i) => (i < 8 ? initiator : i < 16 ? responder : 0x10));
const marked = (bytes: Uint8Array): Uint8Array => Uint8Array.of(0, 0, 0, 0, ...bytes);

interface Posted {
  readonly lane: number;
  readonly event: LaneEvent;
}

const setUp = (count = 4, unusable: readonly string[] = []) => {
  const posted: Posted[] = [];
  const ensured: string[] = [];
  const lines: LogRecord[] = [];
  const router = new Router({
    levels: createDebugLevels(),
    lanes: {
      count,
      post: (lane, event) => void posted.push({ lane, event }),
      ensurePeer: (lane, name) => {
        ensured.push(`${lane} ${name}`);
        return !unusable.includes(name);
      },
    },
    random: randomBytes,
    peerOf: (address) => (address === remote.address ? 'peer-seven' : ''),
    firstContact: (peer, from) => peer === 'peer-seven' && from.port === 500,
    log: { write: (record) => void lines.push(record) },
  });
  return { router, posted, ensured, lines };
};

it('sends every message with the same initiator cookie to the same lane', () => {
  const { router, posted } = setUp();
  for (let cookie = 1; cookie < 200; cookie++) {
    router.receive(plain, header(cookie, 0));
    router.receive(encapsulated, marked(header(cookie, 7)));
  }
  for (let i = 0; i < posted.length; i += 2) assert.equal(posted[i]?.lane, posted[i + 1]?.lane);
});

it('spreads cookies over the lanes', () => {
  const { router } = setUp();
  const hits = [0, 0, 0, 0];
  for (let i = 0; i < 8000; i++) {
    const lane = router.laneOf(randomBytes(8));
    hits[lane] = (hits[lane] ?? 0) + 1;
  }
  assert.ok(
    hits.every((count) => count > 1700 && count < 2300),
    String(hits),
  );
});

it('hash flooding: two daemons put the same cookies on different lanes', () => {
  const [one, other] = [setUp().router, setUp().router];
  const cookies = Array.from({ length: 100 }, () => randomBytes(8));
  assert.ok(cookies.some((cookie) => one.laneOf(cookie) !== other.laneOf(cookie)));
});

it('names the peer section for a message that may begin a phase 1, once the lane has its policy', () => {
  const { router, posted, ensured } = setUp(1);
  router.receive(plain, header(1, 0));
  const bytes = header(1, 0);
  assert.deepEqual(ensured, ['0 peer-seven']);
  assert.deepEqual(posted[0]?.event, { kind: 'datagram', path: plain, peer: 'peer-seven', firstContact: true, bytes });
});

it('asks for no peer when the message belongs to an exchange', () => {
  const { router, posted, ensured } = setUp(1);
  router.receive(plain, header(1, 2));
  const bytes = header(1, 2);
  assert.deepEqual(ensured, []);
  assert.deepEqual(posted[0]?.event, { kind: 'datagram', path: plain, peer: '', firstContact: false, bytes });
});

it('names no peer for an unknown source, and no first contact for one whose section cannot be used', () => {
  const stranger = setUp(1);
  stranger.router.receive({ ...plain, remote: { address: '203.0.113.9', port: 500 } }, header(1, 0));
  const broken = setUp(1, ['peer-seven']);
  broken.router.receive(plain, header(1, 0));
  for (const [{ posted }, peer] of [
    [stranger, ''],
    [broken, 'peer-seven'],
  ] as const) {
    const event = posted[0]?.event;
    assert.deepEqual(event?.kind === 'datagram' && [event.peer, event.firstContact], [peer, false]);
  }
});

it('CVE-2013-4564: drops what is shorter than a header without a word', () => {
  const { router, posted, lines } = setUp();
  for (const length of [0, 1, 8, 27]) router.receive(plain, new Uint8Array(length).fill(0xff));
  router.receive(encapsulated, marked(new Uint8Array(27)));
  router.receive(encapsulated, marked(new Uint8Array(0)));
  assert.deepEqual([posted.length, lines.length, router.counts.short], [0, 0, 6]);
});

it('takes the non-ESP marker off', () => {
  const { router, posted } = setUp();
  router.receive(encapsulated, marked(header(9, 2)));
  const event = posted[0]?.event;
  assert.deepEqual(event?.kind === 'datagram' && event.bytes, header(9, 2));
});

it('says so and drops a datagram on the NAT-T port that has no marker', () => {
  const { router, posted, lines } = setUp();
  for (const bytes of [header(9, 2), Uint8Array.of(0, 0, 0), Uint8Array.of(1), new Uint8Array(0)]) {
    router.receive(encapsulated, bytes);
  }
  assert.equal(posted.length, 0);
  assert.equal(router.counts.unmarked, 4);
  assert.equal(lines[0]?.text, 'udp_encap_handle_message: Null-ESP marker not NULL or short message');
});

it('drops keepalives without a word', () => {
  const { router, posted, lines } = setUp();
  router.receive(encapsulated, Uint8Array.of(0xff));
  assert.deepEqual([posted.length, lines.length, router.counts.keepalives], [0, 0, 1]);
});
