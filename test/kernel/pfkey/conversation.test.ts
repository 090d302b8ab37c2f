import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { MessageType } from '../../../src/kernel/pfkey/constants.ts';
import { Conversation } from '../../../src/kernel/pfkey/conversation.ts';
import type { Extension } from '../../../src/kernel/pfkey/extension.ts';
import type { Message } from '../../../src/kernel/pfkey/message.ts';
import { AnswerLost } from '../../../src/kernel/pfkey/refusal.ts';
import type { Request } from '../../../src/kernel/pfkey/sa-requests.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import { PfKeySocket, StandingClock, settled } from '../../helpers/pfkey-socket.ts';

const PID = 4242;
const GET: Request = { type: MessageType.GET, saType: 3, extensions: [] };
const DELETE: Request = { type: MessageType.DELETE, saType: 3, extensions: [] };
const key = (): Extension => ({ type: 8, bits: 160, key: new Uint8Array(20).fill(0xaa) });
const sa2 = (reqid: number): Extension => ({ type: 19, mode: 1, sequence: 0, reqid });

let socket: PfKeySocket;
let clock: StandingClock;
let conversation: Conversation;
let upcalls: Message[];
let onUpcall: (message: Message) => void;
let failures: SystemError[];
let losses: number;

beforeEach(() => {
  socket = new PfKeySocket();
  clock = new StandingClock();
  upcalls = [];
  onUpcall = (message) => upcalls.push(message);
  failures = [];
  losses = 0;
  conversation = new Conversation({
    open: socket.open,
    pid: PID,
    schedule: clock.schedule,
    upcall: (message) => onUpcall(message),
    lost: () => losses++,
    failed: (error) => failures.push(error),
  });
});

describe('a question to the kernel', () => {
  it('has a sequence number far from those of ACQUIREs, and our pid', async () => {
    const answers = [conversation.ask(GET), conversation.ask(GET)];
    const asked = [socket.next(), socket.next()];
    assert.deepEqual(
      asked.map(({ type, sequence, pid, errno }) => ({ type, sequence, pid, errno })),
      [0x40000000, 0x40000001].map((sequence) => ({ type: 5, sequence, pid: PID, errno: 0 })),
    );
    for (const question of asked.reverse()) socket.answer(question, [sa2(question.sequence)]);
    const [first, second] = await Promise.all(answers);
    assert.deepEqual([first?.extensions[0], second?.extensions[0]], [sa2(0x40000000), sa2(0x40000001)]);
    assert.equal(clock.waiting, 0);
  });

  it('is answered by a message of its type, pid and sequence only', async () => {
    const answer = conversation.ask(GET);
    const question = socket.next();
    socket.answer({ ...question, pid: PID + 1 }, 3);
    socket.answer({ ...question, sequence: question.sequence + 1 }, 3);
    socket.answer({ ...question, type: MessageType.DELETE }, 3);
    socket.answer(question, [sa2(7)]);
    assert.deepEqual((await answer).extensions, [sa2(7)]);
  });

  for (const [type, errno, reason] of [
    [MessageType.ADD, 17, 'exists'],
    [MessageType.ADD, 22, 'unsupported'],
    [MessageType.ADD, 38, 'unsupported'],
    [MessageType.UPDATE, 3, 'missing'],
    [MessageType.GETSPI, 2, 'exists'],
    [MessageType.DELETE, 3, 'missing'],
    [MessageType.X_SPDDELETE, 2, 'missing'],
    [MessageType.X_SPDADD, 17, 'exists'],
    [MessageType.X_SPDADD, 22, 'failed'],
    [MessageType.REGISTER, 93, 'unsupported'],
    [MessageType.GET, 1, 'failed'],
  ] as const) {
    it(`of type ${type} that the kernel answers with errno ${errno} is refused as ${reason}`, async () => {
      const answer = conversation.ask({ type, saType: 3, extensions: [] });
      socket.answer(socket.next(), errno);
      await assert.rejects(answer, { reason, message: /^PF_KEY [A-Z_]+: E[A-Z]+$/ });
    });
  }

  it('waits when sixty-four are unanswered', async () => {
    const answers = Array.from({ length: 66 }, () => conversation.ask(GET));
    assert.equal(socket.sent.length, 64);
    socket.answer(socket.next(), []);
    assert.equal(socket.sent.length, 64);
    while (socket.sent.length > 0) socket.answer(socket.next(), []);
    assert.equal((await Promise.all(answers)).length, 66);
  });

  it('with the sequence of an ACQUIRE has that one; two of them go one after the other', async () => {
    const request = { type: MessageType.ADD, saType: 3, extensions: [], sequence: 3 };
    const answers = [conversation.ask(request), conversation.ask({ ...request, saType: 2 }), conversation.ask(GET)];
    const first = socket.next();
    assert.equal(first.sequence, 3);
    assert.equal(socket.sent.length, 0);
    socket.answer(first, []);
    const second = socket.next();
    assert.deepEqual([second.sequence, second.saType], [3, 2]);
    socket.answer(second, []);
    socket.answer(socket.next(), []);
    await Promise.all(answers);
  });

  it('leaves no key behind, neither in what was sent nor in what came', async () => {
    const answer = conversation.ask({ type: MessageType.ADD, saType: 3, extensions: [key()] });
    assert.deepEqual(socket.buffers, [new Uint8Array(48)]);
    const question = socket.next();
    assert.deepEqual(question.extensions, [key()]);
    const received = socket.answer(question, [key()]);
    assert.ok(received.every((byte) => byte === 0));
    assert.deepEqual((await answer).extensions, [{ ...key(), key: new Uint8Array(20) }]);
    const ofOthers = socket.say({ type: MessageType.ADD, pid: 1, extensions: [key()] });
    assert.ok(ofOthers.every((byte) => byte === 0));
  });

  it('that the socket does not take is refused', async () => {
    socket.refusal = new SystemError('ENOBUFS: sendmsg', 'ENOBUFS');
    await assert.rejects(conversation.ask(GET), { reason: 'failed', message: 'ENOBUFS: sendmsg' });
    assert.equal(clock.waiting, 0);
  });

  it('whose numbers do not fit is our own fault, and the next one is asked', async () => {
    const odd = conversation.ask({ ...GET, extensions: [sa2(-1)] });
    await assert.rejects(odd, { name: 'InvariantError' });
    const answer = conversation.ask(GET);
    socket.answer(socket.next(), []);
    await answer;
  });
});

describe('an answer that does not come', () => {
  it('is asked for again in five seconds, where that does no harm', async () => {
    const answer = conversation.ask(GET);
    const first = socket.next();
    await clock.advance(5099);
    assert.equal(socket.sent.length, 0);
    await clock.advance(1);
    const second = socket.next();
    assert.notEqual(second.sequence, first.sequence);
    assert.equal(losses, 1);
    socket.answer(first, [sa2(1)]);
    socket.answer(second, [sa2(2)]);
    assert.deepEqual((await answer).extensions, [sa2(2)]);
  });

  it('may come while a process that was held up looks at its sockets', async () => {
    const answer = conversation.ask(DELETE);
    await clock.advance(5050);
    socket.answer(socket.next(), []);
    await answer;
    assert.equal(losses, 0);
    assert.equal(clock.waiting, 0);
  });

  it('is lost where asking twice is not the same as once', async () => {
    for (const type of [MessageType.ADD, MessageType.DELETE, MessageType.GETSPI, MessageType.X_SPDADD]) {
      const answer = conversation.ask({ type, saType: 3, extensions: [] });
      const isLost = assert.rejects(answer, (fault) => fault instanceof AnswerLost && fault.reason === 'failed');
      const question = socket.next();
      await clock.advance(5100);
      await isLost;
      socket.answer(question, []);
      assert.equal(socket.sent.length, 0);
    }
    assert.equal(losses, 4);
  });

  it('is given up after three times', async () => {
    const answer = assert.rejects(conversation.ask(GET), {
      reason: 'failed',
      message: 'PF_KEY GET: no answer of the kernel',
    });
    await clock.advance(3 * 5100);
    await answer;
    assert.equal(socket.sent.length, 3);
    assert.equal(clock.waiting, 0);
  });

  it('is not waited for when the kernel tells of an overrun', async () => {
    const [get, remove] = [conversation.ask(GET), conversation.ask(DELETE)];
    const isLost = assert.rejects(remove, AnswerLost);
    const [lostGet] = [socket.next(), socket.next()];
    socket.events.overrun();
    await isLost;
    assert.equal(losses, 1);
    const again = socket.next();
    assert.equal(again.type, lostGet.type);
    socket.answer(again, []);
    await get;
  });

  it('of what has to be gone is made up for by asking again', async () => {
    for (const [second, expected] of [
      [3, true],
      [[], true],
    ] as const) {
      const gone = conversation.askUntilGone(DELETE);
      socket.next();
      await clock.advance(5100);
      socket.answer(socket.next(), second);
      assert.equal(await gone, expected);
    }
    const missing = conversation.askUntilGone(DELETE);
    socket.answer(socket.next(), 3);
    assert.equal(await missing, false);
    const refused = conversation.askUntilGone(DELETE);
    socket.answer(socket.next(), 1);
    await assert.rejects(refused, { message: 'PF_KEY DELETE: EPERM' });
  });
});

describe('a dump', () => {
  const reqids = ({ extensions }: Message): number | undefined => {
    const [first] = extensions;
    return first?.type === 19 && first.reqid !== 0 ? first.reqid : undefined;
  };
  const dump = (): Promise<number[]> => conversation.dump(MessageType.DUMP, reqids);
  const item = (question: Message, sequence: number, reqid: number): void => {
    socket.say({ type: question.type, pid: PID, sequence, extensions: [sa2(reqid)] });
  };

  it('ends with sequence 0', async () => {
    const found = dump();
    const question = socket.next();
    item(question, 1, 5);
    item(question, 2, 0);
    item({ ...question, type: MessageType.X_SPDDUMP }, 0, 8);
    item(question, 0, 7);
    assert.deepEqual(await found, [5, 7]);
  });

  it('of nothing is empty', async () => {
    const found = dump();
    socket.answer(socket.next(), 2);
    assert.deepEqual(await found, []);
  });

  it('waits for the one before, as the kernel makes one at a time', async () => {
    const found = [dump(), conversation.dump(MessageType.X_SPDDUMP, reqids)];
    const first = socket.next();
    assert.equal(socket.sent.length, 0);
    item(first, 0, 5);
    const second = socket.next();
    assert.equal(second.type, MessageType.X_SPDDUMP);
    item(second, 0, 6);
    assert.deepEqual(await Promise.all(found), [[5], [6]]);
  });

  it('may take its time, and begins anew when it stops', async () => {
    const found = dump();
    const question = socket.next();
    for (let i = 1; i < 4; i++) {
      await clock.advance(4000);
      item(question, i, i);
    }
    await clock.advance(5100);
    const again = socket.next();
    item(again, 1, 8);
    item(again, 0, 9);
    assert.deepEqual(await found, [8, 9]);
    assert.equal(losses, 0);
  });

  it('goes on through an overrun', async () => {
    const found = dump();
    const question = socket.next();
    item(question, 1, 1);
    socket.events.overrun();
    assert.equal(socket.sent.length, 0);
    item(question, 0, 2);
    assert.deepEqual(await found, [1, 2]);
  });

  it('that the kernel refuses is refused', async () => {
    const found = dump();
    socket.answer(socket.next(), 16);
    await assert.rejects(found, { reason: 'failed', message: 'PF_KEY DUMP: EBUSY' });
  });
});

describe('a request that the kernel answers by another name', () => {
  const migrate: Request = { type: MessageType.X_MIGRATE, saType: 3, extensions: [] };

  it('is done when the next one is answered', async () => {
    const answer = conversation.askThen(migrate, GET);
    const [, get] = [socket.next(), socket.next()];
    socket.say({ type: MessageType.X_MIGRATE });
    socket.answer(get, [sa2(1)]);
    assert.deepEqual((await answer).extensions, [sa2(1)]);
    assert.equal(clock.waiting, 0);
  });

  it('may be refused', async () => {
    const answer = conversation.askThen(migrate, GET);
    const [first, get] = [socket.next(), socket.next()];
    socket.answer(first, 92);
    socket.answer(get, 3);
    await assert.rejects(answer, { reason: 'unsupported', message: 'PF_KEY X_MIGRATE: ENOPROTOOPT' });
  });
});

describe('what the kernel says unasked', () => {
  it('is passed on where it is an upcall of the kernel itself, in its order', () => {
    const types = [MessageType.EXPIRE, MessageType.ACQUIRE, MessageType.X_NAT_T_NEW_MAPPING, MessageType.ACQUIRE];
    for (const type of types) {
      socket.say({ type, extensions: [sa2(1)] });
      socket.say({ type, pid: 77, extensions: [sa2(1)] });
      socket.say({ type: MessageType.X_SPDADD });
    }
    assert.deepEqual(
      upcalls.map(({ type }) => type),
      types,
    );
  });

  it('may be a flush of somebody else: then everything is read anew', () => {
    for (const type of [MessageType.FLUSH, MessageType.X_SPDFLUSH]) socket.say({ type, pid: 77 });
    assert.equal(losses, 2);
  });

  it('may be more than the listener can bear: that is not taken for a message that is none', () => {
    const fault = new SystemError('of the listener');
    onUpcall = () => {
      throw fault;
    };
    assert.throws(() => socket.say({ type: MessageType.ACQUIRE }), fault);
  });

  it('may be no message at all', async () => {
    const answer = conversation.ask(GET);
    socket.events.message(new Uint8Array(5));
    socket.events.message(Uint8Array.of(2, 6, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0));
    socket.answer(socket.next(), []);
    await answer;
    assert.deepEqual(upcalls, []);
  });
});

describe('the end of a conversation', () => {
  it('by the socket refuses what is asked and what would be', async () => {
    const answers = Array.from({ length: 66 }, () =>
      assert.rejects(conversation.ask(GET), { reason: 'failed', message: 'EIO' }),
    );
    socket.events.failed(new SystemError('EIO'));
    await Promise.all(answers);
    await assert.rejects(conversation.ask(GET), { message: 'EIO' });
    assert.deepEqual(
      failures.map(({ message }) => message),
      ['EIO'],
    );
    assert.equal(clock.waiting, 0);
  });

  it('by us closes the socket, and is no failure', async () => {
    const answer = assert.rejects(conversation.ask(GET), { message: 'PF_KEY: closed' });
    conversation.close();
    conversation.close();
    await answer;
    await settled();
    assert.ok(socket.isClosed);
    assert.deepEqual(failures, []);
  });
});
