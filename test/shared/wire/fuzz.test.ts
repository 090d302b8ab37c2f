/**
 * 100,000 messages, a tenth of them good. Whatever comes in, a value or a ProtocolError comes out, at a cost that follows the
 * size; what was read can be written. Set ISAKMPD_TEST_SEED to repeat a run.
 */
import assert from 'node:assert/strict';
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { after, before, describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { HeaderFlag } from '../../../src/shared/constants/isakmp.ts';
import { ProtocolError } from '../../../src/shared/errors.ts';
import {
  type DecodedPayload,
  describeMessage,
  HEADER_SIZE,
  type Header,
  padToBlock,
  readHeader,
  readPayloads,
  withEncryptedBody,
  writeMessage,
} from '../../../src/shared/wire/message.ts';
import { anyMessage, KINDS, SEED } from '../../helpers/wire-arbitrary.ts';
import { asOutPayload, plain, toHex } from '../../helpers/wire-bytes.ts';
import { anyMutation, mutated } from '../../helpers/wire-mutate.ts';
import { counted } from '../../helpers/wire-steps.ts';

const ROUND_TRIPS = 10_000;
const ONE_BYTE = 25_000;
const STRUCTURED = 25_000;
const ENCRYPTED = 30_000;
const GARBAGE = 10_000;

const BLOCK = 16;
const KEY = new Uint8Array(16).fill(0x42);
const IV = new Uint8Array(16).fill(0x17);

/** How far the messages of this file got. */
const depth = { cases: 0, pastHeader: 0, decrypted: 0, read: 0, refused: 0 };
const kindsRead = new Set<string>();
let mostStepsPerByte = 0;

/** Good messages that the damage starts from. */
let corpus: readonly Uint8Array[] = [];
const good = (index: number): Uint8Array => corpus[index % corpus.length] ?? new Uint8Array();

const runs = (numRuns: number): fc.Parameters<unknown> => ({ seed: SEED, numRuns });

/** What a daemon that knows the key does with a datagram before an exchange sees it. */
const receive = (datagram: Uint8Array): void => {
  const header = readHeader(datagram);
  depth.pastHeader += 1;
  const encrypted = (header.flags & HeaderFlag.ENCRYPTION) !== 0;
  if (encrypted && (header.length - HEADER_SIZE) % BLOCK !== 0) return;
  const bytes = encrypted ? opened(datagram, header.length) : datagram;
  if (encrypted) depth.decrypted += 1;
  const payloads = parse(bytes, header);
  for (const { kind } of payloads) kindsRead.add(kind);
  checkRewritten(header, payloads);
};

/** Whatever was read can be written, and reads as the same again. */
const checkRewritten = (header: Header, payloads: readonly DecodedPayload[]): void => {
  const first = writeMessage(header, payloads.map(asOutPayload));
  const again = readPayloads(first, header.nextPayload, HEADER_SIZE, first.length);
  assert.equal(again.end, first.length);
  assert.deepEqual(writeMessage(header, again.payloads.map(asOutPayload)), first);
};

/** Reads and describes; the reading must cost no more than the bytes there are. */
const parse = (bytes: Uint8Array, header: Header): readonly DecodedPayload[] => {
  const { steps, value } = counted(() => {
    try {
      return readPayloads(bytes, header.nextPayload, HEADER_SIZE, header.length).payloads;
    } catch (error) {
      return error;
    }
  });
  // The additions are the first generic header and the view of it.
  assert.ok(steps <= 2 * header.length + 8, `${steps} steps for ${header.length} bytes`);
  mostStepsPerByte = Math.max(mostStepsPerByte, steps / header.length);
  const payloads = Array.isArray(value) ? value : [];
  assert.match(describeMessage(header, payloads), /^[ -~]+$/);
  if (!Array.isArray(value)) throw value;
  return payloads;
};

const opened = (datagram: Uint8Array, end: number): Uint8Array => {
  const cipher = createDecipheriv('aes-128-cbc', KEY, IV).setAutoPadding(false);
  const clear = new Uint8Array(datagram);
  clear.set(cipher.update(datagram.subarray(HEADER_SIZE, end)), HEADER_SIZE);
  return clear;
};

const sealed = (message: Uint8Array): Uint8Array => {
  const whole = padToBlock(message, BLOCK);
  const cipher = createCipheriv('aes-128-cbc', KEY, IV).setAutoPadding(false);
  return withEncryptedBody(whole, cipher.update(whole.subarray(HEADER_SIZE)));
};

/** One case: nothing but a value or a ProtocolError. */
const survives = (datagram: Uint8Array): void => {
  depth.cases += 1;
  try {
    receive(datagram);
    depth.read += 1;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    depth.refused += 1;
  }
};

/** The message with its encryption flag off, so that its body is read as it stands. */
const inClear = (message: Uint8Array): Uint8Array => {
  const copy = message.slice();
  copy[19] = (copy[19] ?? 0) & ~HeaderFlag.ENCRYPTION;
  return copy;
};

const percent = (part: number): number => Math.round((1000 * part) / depth.cases) / 10;

describe('hostile input', { concurrency: false }, () => {
  before(() => {
    corpus = fc
      .sample(anyMessage, { seed: SEED, numRuns: 3000 })
      .filter(({ payloads }) => payloads.length > 0)
      .map(({ header, payloads }) => inClear(writeMessage(header, payloads)));
  });

  it('reads back what it writes, for whatever the tables can carry', () => {
    fc.assert(
      fc.property(anyMessage, ({ header, payloads }) => {
        depth.cases += 1;
        const bytes = writeMessage(header, payloads);
        const read = readHeader(bytes);
        const { payloads: decoded, end } = readPayloads(bytes, read.nextPayload, HEADER_SIZE, bytes.length);
        depth.pastHeader += 1;
        assert.equal(end, bytes.length);
        const out = decoded.map(asOutPayload);
        assert.deepEqual(out.map(plain), payloads.map(plain));
        assert.equal(toHex(writeMessage(read, out)), toHex(bytes));
        depth.read += 1;
      }),
      runs(ROUND_TRIPS),
    );
  });

  it('survives every kind of one-byte change', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(255), (index, where, to) => {
        const bytes = good(index).slice();
        bytes[where % bytes.length] = to;
        survives(bytes);
      }),
      runs(ONE_BYTE),
    );
  });

  it('CVE-2005-3732 (PROTOS): survives damaged lengths, types, counts, order, truncation and duplication', () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(anyMutation, { minLength: 1, maxLength: 3 }), (index, mutations) =>
        survives(mutated(good(index), mutations)),
      ),
      runs(STRUCTURED),
    );
  });

  it('survives the same damage inside messages that decrypt', () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(anyMutation, { maxLength: 3 }), (index, mutations) => {
        const message = mutated(good(index), mutations);
        if (message.length >= HEADER_SIZE) survives(sealed(message));
        else survives(message);
      }),
      runs(ENCRYPTED),
    );
  });

  it('survives garbage, with and without a header before it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, withHeader) => {
        if (withHeader && bytes.length >= HEADER_SIZE) new DataView(bytes.buffer).setUint32(24, bytes.length);
        survives(bytes);
      }),
      runs(GARBAGE),
    );
  });

  it('got deep enough to mean something', (t: TestContext) => {
    const { cases, pastHeader, decrypted, read, refused } = depth;
    t.diagnostic(
      `seed ${SEED}: ${cases} cases, ${percent(pastHeader)} % past the header check, ${percent(decrypted)} % parsed decrypted`,
    );
    t.diagnostic(`${read} read, ${refused} refused, at most ${mostStepsPerByte.toFixed(2)} steps a byte`);
    assert.ok(cases >= 100_000);
    assert.ok(percent(pastHeader) >= 30);
    assert.ok(percent(decrypted) >= 5);
    assert.deepEqual(
      KINDS.filter((kind) => !kindsRead.has(kind)),
      [],
    );
    assert.ok(kindsRead.has('private'));
  });

  after(() => {
    corpus = [];
  });
});
