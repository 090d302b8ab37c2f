/** The rules of a step (style guide): plain data, no more secrets than needed, effects whole or not at all, the same again for the same. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EncryptionAlgorithm, GroupDescription, HashAlgorithm } from '../../../src/shared/constants/oakley.ts';
import { cipherSpec } from '../../../src/shared/crypto/cipher.ts';
import { groupSpec } from '../../../src/shared/crypto/dh.ts';
import { cachedKeys } from '../../../src/shared/crypto/key-cache.ts';
import { ProtocolError } from '../../../src/shared/errors.ts';
import type { IsakmpKeys } from '../../../src/shared/exchange/effects.ts';
import { credentialFiles, rsaKey } from '../../helpers/credential-keys.ts';
import {
  aggressiveModePair,
  mainModePair,
  type Pair,
  quickModePair,
  runPair,
  type Side,
} from '../../helpers/exchange-pair.ts';
import { aes128Sha256, connectionPolicy, espSuite } from '../../helpers/lane-pair.ts';

const keys = (): IsakmpKeys => ({
  hash: HashAlgorithm.SHA2_256,
  cipher: cipherSpec(EncryptionAlgorithm.AES_CBC, 128) ?? assert.fail(),
  skeyidD: new Uint8Array(32).fill(0xd1),
  skeyidA: new Uint8Array(32).fill(0xa1),
  encryptionKey: new Uint8Array(16).fill(0xe1),
});

const withPfs = connectionPolicy({ suites: [espSuite({ group: GroupDescription.ECP_256 })] });

const RSA_KEYS = {
  initiator: credentialFiles(rsaKey('left'), { 'ipv4/10.0.0.2': rsaKey('right') }),
  responder: credentialFiles(rsaKey('right'), { 'ipv4/10.0.0.1': rsaKey('left') }),
};

const PAIRS: Readonly<Record<string, () => Pair>> = {
  'main mode': () => mainModePair(),
  'aggressive mode': () => aggressiveModePair(),
  'main mode with signatures': () => mainModePair({}, RSA_KEYS),
  'aggressive mode with signatures': () => aggressiveModePair({}, RSA_KEYS),
  'quick mode': () => quickModePair(keys()),
  'quick mode with PFS': () => quickModePair(keys(), withPfs),
};

const tagsOf = ({ states }: Side): readonly unknown[] =>
  states.map((state) => (typeof state === 'object' && state !== null && 'tag' in state ? state.tag : undefined));

/** Every byte array in a value, with the path to it. */
const arraysIn = (value: unknown, path = ''): readonly (readonly [string, Uint8Array])[] => {
  if (value instanceof Uint8Array) return [[path, value]];
  if (value instanceof Map) return [...value].flatMap(([key, one]) => arraysIn(one, `${path}.${String(key)}`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => arraysIn(one, `${path}.${key}`));
};

/** Where states keep what must not stay. */
const SECRET =
  /^\.(privateValue|keys\.(skeyid|skeyidD|skeyidA|encryptionKey)|offer\.material\.gxy|pfs\.privateValue|outbound\..*Key)$/;
const secretsIn = (state: unknown) => arraysIn(state).filter(([path]) => SECRET.test(path));

describe('states', () => {
  for (const [name, make] of Object.entries(PAIRS)) {
    it(`of ${name} are plain data: each survives structuredClone`, () => {
      const pair = make();
      runPair(pair);
      for (const { states } of [pair.initiator, pair.responder]) {
        for (const state of states) assert.deepEqual(structuredClone(state), state);
        for (const [path, bytes] of states.flatMap((state) => arraysIn(state))) {
          assert.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype, path);
        }
      }
    });

    it(`of ${name} are the same again for the same messages, times and random bytes`, () => {
      const [first, second] = [make(), make()];
      runPair(first);
      runPair(second);
      assert.deepEqual(first.initiator.states, second.initiator.states);
      assert.deepEqual(first.responder.actions, second.responder.actions);
    });

    it(`of ${name} at their end hold no key, and those before it were zeroed`, () => {
      const pair = make();
      runPair(pair);
      const living = new Set(
        [pair.initiator, pair.responder].flatMap(({ actions }) =>
          actions.flatMap((action) => {
            if (action.kind === 'phase1Established') return Object.values(action.result.keys);
            if (action.kind !== 'install') return [];
            return action.sas.flatMap(({ encryptionKey, authenticationKey }) => [encryptionKey, authenticationKey]);
          }),
        ),
      );
      let found = 0;
      for (const { states } of [pair.initiator, pair.responder]) {
        assert.deepEqual(secretsIn(states.at(-1)), []);
        const secrets = states.flatMap((state) => secretsIn(state));
        found += secrets.length;
        for (const [path, bytes] of secrets) {
          if (living.has(bytes)) continue;
          assert.ok(bytes.length > 0 && bytes.every((byte) => byte === 0), path);
        }
      }
      assert.ok(found > 0, 'there were some to look at');
    });
  }

  it('of phase 1 go through what RFC 2409 §5 says', () => {
    const main = mainModePair();
    runPair(main);
    assert.deepEqual(tagsOf(main.initiator), ['idle', 'awaitSa', 'awaitKe', 'awaitId', 'established']);
    assert.deepEqual(tagsOf(main.responder), ['awaitSa', 'awaitKe', 'awaitId', 'established']);
    const aggressive = aggressiveModePair();
    runPair(aggressive);
    assert.deepEqual(tagsOf(aggressive.initiator), ['idle', 'awaitAnswer', 'established']);
    assert.deepEqual(tagsOf(aggressive.responder), ['awaitOffer', 'awaitProof', 'established']);
  });

  it('of quick mode wait for the kernel', () => {
    const pair = quickModePair(keys());
    runPair(pair);
    assert.deepEqual(tagsOf(pair.initiator), ['idle', 'awaitAnswer', 'awaitInstall', 'established']);
    assert.deepEqual(tagsOf(pair.responder), [
      'awaitOffer',
      'awaitInbound',
      'awaitProof',
      'awaitOutbound',
      'established',
    ]);
  });

  it('dropped half way leave no key behind', () => {
    for (const make of Object.values(PAIRS)) {
      const { initiator, responder } = make();
      const [first = new Uint8Array(0)] = initiator.signal('start');
      const [second] = responder.hear(first).sent;
      if (second !== undefined) initiator.hear(second);
      for (const { conversation, states } of [initiator, responder]) {
        conversation.exchange.drop();
        for (const [path, bytes] of secretsIn(states.at(-1)))
          assert.ok(
            bytes.every((byte) => byte === 0),
            path,
          );
      }
    }
  });

  it('of a responder take back the private value at once, whatever the other side’s is worth', () => {
    for (const make of [mainModePair, aggressiveModePair, () => quickModePair(keys(), withPfs)]) {
      const { initiator, responder } = make();
      const [first = new Uint8Array(0)] = initiator.signal('start');
      const [second] = responder.hear(first).sent;
      if (second !== undefined) for (const third of initiator.hear(second).sent) responder.hear(third);
      const values = responder.drawn.filter(
        ({ length }) => length === groupSpec(GroupDescription.ECP_256)?.privateSize,
      );
      assert.ok(values.length > 0);
      for (const value of values) assert.ok(value.every((byte) => byte === 0));
    }
  });

  it('that an answer with another secret was tried in keep nothing of that', () => {
    const { initiator } = aggressiveModePair();
    const stranger = aggressiveModePair({ preSharedKey: new TextEncoder().encode('another') }).responder;
    const [message1 = new Uint8Array(0)] = initiator.signal('start');
    const [message2 = new Uint8Array(0)] = stranger.hear(message1).sent;
    const before = cachedKeys();
    for (let i = 0; i < 5; i++) assert.equal(initiator.hear(message2).received.kind, 'refused');
    assert.equal(cachedKeys(), before);
  });

  it('leave no key in the cache of KeyObjects but that of the cipher', () => {
    const transforms = [aes128Sha256()];
    for (const make of [mainModePair, aggressiveModePair]) {
      const before = cachedKeys();
      runPair(make({ transforms }));
      assert.equal(cachedKeys() - before, 2);
    }
  });
});

describe('a step that refuses', () => {
  it('has changed nothing: neither state nor IV nor effects, and the true message is taken afterwards', () => {
    const { initiator, responder } = mainModePair();
    const [message1 = new Uint8Array(0)] = initiator.signal('start');
    const [message2 = new Uint8Array(0)] = responder.hear(message1).sent;
    const [message3 = new Uint8Array(0)] = initiator.hear(message2).sent;
    const [message4 = new Uint8Array(0)] = responder.hear(message3).sent;
    const [message5 = new Uint8Array(0)] = initiator.hear(message4).sent;
    const before = structuredClone(responder.conversation.exchange.snapshot());
    const iv = responder.conversation.protection?.iv.slice();
    const forged = message5.slice();
    forged.fill(0x77, 60);
    const { received } = responder.hear(forged);
    assert.ok(received.kind === 'refused' && received.fault instanceof ProtocolError);
    assert.deepEqual(responder.conversation.exchange.snapshot(), before);
    assert.deepEqual(responder.conversation.protection?.iv, iv);
    assert.equal(responder.hear(message5).received.kind, 'accepted');
    assert.ok(responder.result);
  });

  it('of a message again is told by its fingerprint, however many there were since', () => {
    const pair = mainModePair();
    const [message1 = new Uint8Array(0)] = pair.initiator.signal('start');
    const [message2 = new Uint8Array(0)] = pair.responder.hear(message1).sent;
    assert.deepEqual(pair.responder.hear(message1).received, { kind: 'duplicate', repeat: message2 });
    const [message3 = new Uint8Array(0)] = pair.initiator.hear(message2).sent;
    pair.responder.hear(message3);
    assert.deepEqual(pair.responder.hear(message1).received, { kind: 'duplicate', repeat: undefined });
  });

  it('lets nothing encrypted in before there are keys', () => {
    const { initiator, responder } = mainModePair();
    const [message1 = new Uint8Array(0)] = initiator.signal('start');
    const encrypted = message1.slice();
    encrypted[19] = 1;
    assert.equal(responder.hear(encrypted).received.kind, 'ignored');
  });
});
