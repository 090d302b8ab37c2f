import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KernelError } from '../../../src/kernel/backend.ts';
import type { KernelSocketEvents } from '../../../src/kernel/kernel-socket.ts';
import { AnswerLost, type Asked, Conversation } from '../../../src/kernel/xfrm/conversation.ts';
import { Draft } from '../../../src/kernel/xfrm/draft.ts';
import { MessageFlag, MessageType, Size } from '../../../src/kernel/xfrm/layout.ts';
import { type Message, readDatagram } from '../../../src/kernel/xfrm/reader.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import { virtualTimers } from '../../helpers/virtual-timers.ts';

const OUR_PORT = 4711;

/** A conversation whose kernel is the test. */
const world = () => {
  const timers = virtualTimers();
  const sent: Message[] = [];
  const heard: string[] = [];
  let events: KernelSocketEvents | undefined;
  let refusal: SystemError | undefined;
  let closed = false;
  const conversation = new Conversation(
    (listener) => {
      events = listener;
      return {
        send: (bytes) => {
          if (refusal !== undefined) throw refusal;
          sent.push(...readDatagram(bytes.slice()).messages);
        },
        close: () => {
          closed = true;
        },
      };
    },
    timers.schedule,
    {
      upcall: ({ type }) => heard.push(`upcall ${type}`),
      overrun: () => heard.push('overrun'),
      failed: ({ message }) => heard.push(message),
    },
  );
  const say = (type: number, sequence: number, body: Uint8Array, flags = 0, port = OUR_PORT): Uint8Array => {
    const draft = new Draft(type, flags, body.length);
    draft.raw(0, body);
    const bytes = draft.finish().slice();
    const view = new DataView(bytes.buffer);
    view.setUint32(8, sequence, true);
    view.setUint32(12, port, true);
    events?.message(bytes);
    return bytes;
  };
  return {
    conversation,
    timers,
    sent,
    heard,
    say,
    acknowledge: (sequence: number, errno = 0, port = OUR_PORT) => {
      const body = new Uint8Array(4 + Size.HEADER);
      new DataView(body.buffer).setInt32(0, -errno, true);
      say(MessageType.ERROR, sequence, body, 0, port);
    },
    events: () => events,
    refuse: (error: SystemError) => {
      refusal = error;
    },
    isClosed: () => closed,
  };
};

const question = (type: number = MessageType.NEWSA): Asked => ({
  question: 'put SA',
  what: 'try',
  message: new Draft(type, MessageFlag.REQUEST | MessageFlag.ACK, 8).finish(),
});

describe('A conversation with XFRM', () => {
  it('matches answers by sequence number, whatever order main asked in', async () => {
    const { conversation, sent, acknowledge, timers } = world();
    const [first, second] = [conversation.acknowledged(question()), conversation.acknowledged(question())];
    assert.deepEqual(
      sent.map(({ sequence }) => sequence),
      [1, 2],
    );
    acknowledge(1);
    await first;
    acknowledge(2, 17);
    await assert.rejects(second, (fault) => fault instanceof KernelError && fault.reason === 'exists');
    assert.equal(timers.size, 0);
  });

  it("leaves others' answers alone: unknown numbers, and numbers of ours at another port", async () => {
    const { conversation, acknowledge } = world();
    const first = conversation.acknowledged(question());
    acknowledge(99);
    acknowledge(1);
    await first;
    const second = conversation.acknowledged(question());
    acknowledge(2, 17, OUR_PORT + 1);
    acknowledge(2);
    await second;
  });

  it('zeroes keys: what was sent, what was answered, what will never be sent', async () => {
    const { conversation, say, isClosed } = world();
    const asked = question(MessageType.GETSA);
    asked.message.fill(0x5a, 16);
    const answer = conversation.answered(asked, (payload) => payload.bytes[0]);
    assert.ok(asked.message.every((byte) => byte === 0));
    const bytes = say(MessageType.NEWSA, 1, new Uint8Array(8).fill(0x5a));
    assert.equal(await answer, 0x5a);
    assert.ok(bytes.every((byte) => byte === 0));
    const waiting = Array.from({ length: 70 }, () => question());
    const outcomes = waiting.map((one) => assert.rejects(conversation.acknowledged(one), /closed/));
    conversation.close();
    await Promise.all(outcomes);
    assert.ok(waiting.every(({ message }) => message.every((byte) => byte === 0)));
    assert.ok(isClosed());
    await assert.rejects(conversation.acknowledged(question()), /closed/);
  });

  it('has no more than 64 questions under way', async () => {
    const { conversation, sent, acknowledge } = world();
    const all = Array.from({ length: 100 }, () => conversation.acknowledged(question()));
    assert.equal(sent.length, 64);
    for (let sequence = 1; sequence <= 100; sequence++) acknowledge(sequence);
    await Promise.all(all);
    assert.equal(sent.length, 100);
  });

  it('gives up after ten seconds, but not before it could read what came while its thread was busy', async () => {
    const { conversation, timers, acknowledge } = world();
    const late = conversation.acknowledged(question());
    timers.advance(10_000);
    acknowledge(1);
    await late;
    const never = conversation.acknowledged(question());
    timers.advance(10_500);
    await assert.rejects(never, (fault) => fault instanceof AnswerLost && /10 s/.test(fault.message));
  });

  it('knows that an answer is lost when the answer to a later question comes', async () => {
    const { conversation, acknowledge } = world();
    const [first, second] = [conversation.acknowledged(question()), conversation.acknowledged(question())];
    acknowledge(2);
    await assert.rejects(first, AnswerLost);
    await second;
  });

  it('learns after an overrun which answers are lost: the first part of a dump comes after all of them', async () => {
    const { conversation, say, heard, events, acknowledge } = world();
    const all = Array.from({ length: 64 }, () => assert.rejects(conversation.acknowledged(question()), AnswerLost));
    events()?.overrun();
    assert.deepEqual(heard, ['overrun']);
    const dump = conversation.dumped(question(MessageType.GETSA), () => {});
    // ENOBUFS: there was no room for the first part yet.
    acknowledge(65, 105);
    say(MessageType.DONE, 65, new Uint8Array(4), MessageFlag.MULTI);
    await Promise.all([...all, dump]);
  });

  it('takes a datagram that is cut for an overrun', () => {
    const { heard, events } = world();
    events()?.message(new Uint8Array(9).fill(1));
    assert.deepEqual(heard, ['overrun']);
  });

  it('collects a dump from several datagrams, one dump after the other, while other questions go on', async () => {
    const { conversation, sent, say, acknowledge } = world();
    const parts: number[] = [];
    const dump = (): Promise<void> =>
      conversation.dumped({ ...question(MessageType.GETSA), question: 'other' }, ({ bytes }) => {
        parts.push(bytes[0] ?? 0);
      });
    const [first, second] = [dump(), dump()];
    const other = conversation.acknowledged(question());
    assert.equal(sent.length, 2);
    say(MessageType.NEWSA, 1, Uint8Array.of(7), MessageFlag.MULTI);
    acknowledge(2);
    await other;
    say(MessageType.NEWSA, 1, Uint8Array.of(8), MessageFlag.MULTI);
    say(MessageType.DONE, 1, new Uint8Array(4), MessageFlag.MULTI);
    await first;
    assert.equal(sent.length, 3);
    say(MessageType.DONE, 3, new Uint8Array(4), MessageFlag.MULTI);
    await second;
    assert.deepEqual(parts, [7, 8]);
  });

  it('waits for a dump as long as parts of it come', async () => {
    const { conversation, say, timers } = world();
    const dump = conversation.dumped(question(MessageType.GETSA), () => {});
    for (let i = 0; i < 3; i++) {
      timers.advance(9000);
      say(MessageType.NEWSA, 1, Uint8Array.of(7), MessageFlag.MULTI);
    }
    timers.advance(10_500);
    await assert.rejects(dump, AnswerLost);
  });

  it('hands on what is said unasked, and nothing else', () => {
    const { heard, say } = world();
    for (const type of [MessageType.ACQUIRE, MessageType.EXPIRE, MessageType.MAPPING, MessageType.NEWSA, 0x1e]) {
      say(type, 0, new Uint8Array(4), 0, 0);
    }
    assert.deepEqual(heard, ['upcall 23', 'upcall 24', 'upcall 38']);
  });

  it('rejects what the socket does not take, and everything once it has failed', async () => {
    const { conversation, refuse, events, heard } = world();
    const before = conversation.acknowledged(question());
    refuse(new SystemError('sendto: EPERM', 'EPERM'));
    await assert.rejects(conversation.acknowledged(question()), /try: sendto: EPERM/);
    events()?.failed(new SystemError('recv: EBADF', 'EBADF'));
    await assert.rejects(before, /EBADF/);
    await assert.rejects(conversation.acknowledged(question()), /EBADF/);
    assert.deepEqual(heard, ['recv: EBADF']);
  });
});
