/** What a lane's log records say of whom they are about, whatever becomes of the negotiation (operators.md pain 6), and its debug classes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import { classTag, LogClass } from '../../src/shared/log/classes.ts';
import type { LogFields, LogRecord } from '../../src/shared/threads/contract.ts';
import {
  aes128Sha256,
  connectionPolicy,
  espSuite,
  fqdn,
  type LaneHost,
  LanePair,
  lanePair,
  mirrored,
  peerPolicy,
  subnet,
} from '../helpers/lane-pair.ts';

const recordsOf = (host: LaneHost): readonly LogRecord[] => host.all('log').map(({ record }) => record);
const debugOf = (host: LaneHost): readonly LogRecord[] =>
  recordsOf(host).filter(({ severity }) => severity === 'debug');

const NAMES = [
  'connection',
  'peer',
  'address',
  'port',
  'localIdentity',
  'remoteIdentity',
  'cookies',
  'messageId',
] as const;
const missing = ({ text, fields }: LogRecord, names: readonly (keyof LogFields)[]): readonly string[] =>
  names.filter((name) => fields[name] === undefined).map((name) => `${name} in "${text}"`);

/** Every record of these events has these fields. */
const assertFields = (host: LaneHost, events: readonly string[], names: readonly (keyof LogFields)[]): void => {
  const records = recordsOf(host).filter(({ event }) => events.includes(event));
  assert.ok(records.length >= events.length, `${records.length} records of ${events.join(', ')}`);
  assert.deepEqual(
    records.flatMap((record) => missing(record, names)),
    [],
  );
};

const PHASE1 = NAMES.filter((name) => name !== 'messageId');

describe('the fields of log records', () => {
  const ids = { localId: fqdn('left.example'), remoteId: fqdn('right.example') };
  const crossed = { localId: ids.remoteId, remoteId: ids.localId };
  const pairOf = (
    left = {},
    right = {},
    [ours, theirs] = [connectionPolicy(), mirrored(connectionPolicy())],
  ): LanePair =>
    new LanePair(
      peerPolicy({ ...ids, connections: [ours], ...left }),
      peerPolicy({ ...crossed, address: '10.0.0.1', connections: [theirs], ...right }),
    );

  it('are all there when both phases succeed', () => {
    const pair = pairOf();
    pair.start();
    pair.quick();
    for (const host of pair.hosts) {
      assertFields(host, ['phase1-established'], PHASE1);
      assertFields(host, ['phase2-established'], NAMES);
    }
  });

  it('are all there when the responder refuses every transform of phase 1', () => {
    const pair = pairOf({}, { transforms: [{ ...aes128Sha256(), hash: 2 }] });
    pair.start();
    assertFields(pair.right, ['phase1-no-proposal', 'message-dropped', 'refusal'], PHASE1);
  });

  it('are all there when the secrets differ', () => {
    const pair = pairOf({}, { preSharedKey: new TextEncoder().encode('another') });
    pair.start();
    assertFields(pair.right, ['message-dropped', 'refusal'], PHASE1);
  });

  it('are all there when the peer is somebody else than expected', () => {
    const pair = pairOf({}, { remoteId: fqdn('elsewhere.example') });
    pair.start();
    assertFields(pair.right, ['phase1-wrong-identity', 'message-dropped', 'refusal'], PHASE1);
  });

  it('are all there when nobody answers', () => {
    const pair = pairOf();
    pair.bend = () => [];
    pair.start();
    pair.pass(200_000);
    assertFields(pair.left, ['no-answer'], PHASE1);
  });

  it('are all there when a quick mode is refused for its suites', () => {
    const other = { ...mirrored(connectionPolicy()), suites: [espSuite({ group: 14 })] };
    const pair = pairOf({}, {}, [connectionPolicy(), other]);
    pair.start();
    pair.quick();
    assertFields(pair.right, ['phase2-no-proposal'], NAMES);
    assertFields(
      pair.right,
      ['message-dropped', 'refusal'],
      NAMES.filter((name) => name !== 'connection'),
    );
  });

  it('are all but the connection, which there is not, when a quick mode has other IDs', () => {
    const other = connectionPolicy({ localId: subnet(10, 9, 9), remoteId: subnet(10, 9, 8) });
    const pair = pairOf({}, {}, [connectionPolicy(), other]);
    pair.start();
    pair.quick();
    const known = NAMES.filter((name) => name !== 'connection');
    assertFields(pair.right, ['phase2-wrong-ids', 'message-dropped', 'refusal'], known);
  });

  it('of a stranger are address, port and cookies', () => {
    const pair = pairOf();
    const header = Uint8Array.from({ length: 28 }, (_, i) => (i < 16 ? i + 1 : 0));
    header.set([5, 0x10, 2], 16);
    header[27] = 28;
    pair.right.hear(header);
    assertFields(pair.right, ['message-dropped'], ['address', 'port', 'cookies']);
  });
});

describe('debug records', () => {
  const run = (exchangeType: number = ExchangeType.ID_PROT, level = 99): LanePair => {
    const pair = lanePair({ exchangeType }, undefined, `debug/${exchangeType}`);
    for (const host of pair.hosts) host.levels.fill(level);
    pair.start();
    pair.quick();
    pair.pass(1000);
    return pair;
  };

  it('are not made while their classes are off', () => {
    const pair = run(ExchangeType.ID_PROT, 0);
    assert.equal(pair.left.all('phase2Established').length, 1);
    assert.deepEqual([...debugOf(pair.left), ...debugOf(pair.right)], []);
  });

  it('tell of messages, ciphers, timers, SAs, exchanges and proposals in their classes', () => {
    for (const host of run().hosts) {
      const tags = new Set(debugOf(host).map(({ logClass }) => classTag(logClass)));
      assert.deepEqual([...tags].sort(), ['Cryp', 'Exch', 'Mesg', 'Negt', 'SA  ', 'Timr']);
    }
  });

  it('have every field that is known, as other lines have', () => {
    for (const host of run(ExchangeType.AGGRESSIVE).hosts) {
      const about = debugOf(host);
      assert.deepEqual(
        about.flatMap((record) => missing(record, ['peer', 'address', 'port', 'cookies', 'localIdentity'])),
        [],
      );
    }
  });

  it('follow a main mode step by step', () => {
    const steps = debugOf(run().right).flatMap(({ logClass, text }) =>
      logClass === LogClass.EXCHANGE ? [text.replace(/[0-9a-f]{16}:[0-9a-f]{16}/, 'C').replace(/msgid \w+/, 'M')] : [],
    );
    assert.deepEqual(steps, [
      'exchange_setup_p1: peer C ID_PROT policy peer, responder, peer 10.0.0.1:500',
      'exchange_run: peer C awaitSa -> awaitKe',
      'exchange_run: peer C awaitKe -> awaitId',
      'exchange_run: peer C awaitId -> established',
      'exchange_finalize: peer C established',
      'exchange_setup_p2: <unnamed> C M QUICK_MODE policy peer, responder, peer 10.0.0.1:500',
      'exchange_run: net C M awaitOffer -> awaitInbound',
      'exchange_run: net C M awaitInbound -> awaitProof',
      'exchange_run: net C M awaitProof -> awaitOutbound',
      'exchange_finalize: net C M established',
      'exchange_run: net C M awaitOutbound -> established',
    ]);
  });

  it('compare what is offered with what is accepted, and say what came of it', () => {
    const pair = new LanePair(
      peerPolicy({ transforms: [aes128Sha256(14), aes128Sha256()] }),
      peerPolicy({ address: '10.0.0.1', connections: [mirrored(connectionPolicy())] }),
    );
    pair.right.levels[LogClass.NEGOTIATION] = 50;
    pair.start();
    assert.deepEqual(
      debugOf(pair.right).map(({ text }) => text),
      [
        'message_negotiate_sa: AES_CBC-128/SHA2_256/PRE_SHARED/MODP_2048 against AES-128-SHA2-256 (AES_CBC-128/SHA2_256/PRE_SHARED/ECP_256): GROUP_DESCRIPTION: got MODP_2048, expected ECP_256',
        'message_negotiate_sa: AES_CBC-128/SHA2_256/PRE_SHARED/ECP_256 against AES-128-SHA2-256 (AES_CBC-128/SHA2_256/PRE_SHARED/ECP_256): acceptable',
      ],
    );
  });
});
