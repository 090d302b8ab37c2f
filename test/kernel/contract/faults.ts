/** The contract where the kernel's messages are lost or come late, for backends that have a socket to it. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { KernelError } from '../../../src/kernel/backend.ts';
import { until } from '../../interop/processes.ts';
import type { EndProcess } from './end-process.ts';
import type { Place } from './place.ts';
import { addPair, assertCarries, backOf, putFlow } from './traffic.ts';
import { flowOf, idOf, type SaWish, saOf } from './wishes.ts';

interface Change {
  readonly name: string;
  /** What is there before. */
  prepare(here: EndProcess): Promise<unknown>;
  change(here: EndProcess): Promise<unknown>;
  /** Which of these states is there when it is done, and which when it is not. */
  readonly before: State;
  readonly after: State;
}

/** SAs by SPI and destination, and number of policies. */
type State = string;

const OUT: SaWish = { spi: 0x6000 };
const IN: SaWish = backOf({ spi: 0x6000 });
const stateWith = (policies: number, ...sas: readonly string[]): State => JSON.stringify([policies, ...sas]);
const textOf = (wish: SaWish): string => `${wish.spi} ${wish.destination ?? '10.9.0.2'}`;

const stateOf = async (here: EndProcess): Promise<State> => {
  const { sas, policies } = await here.withTime(here.listOwn());
  return stateWith(policies, ...sas.map(({ id }) => `${id.spi} ${id.destination}`).sort());
};

const CHANGES: readonly Change[] = [
  {
    name: 'an outbound SA is added',
    prepare: async () => {},
    change: (here) => here.addSa(...saOf('out', OUT)),
    before: stateWith(0),
    after: stateWith(0, textOf(OUT)),
  },
  {
    name: 'an inbound SA is added',
    prepare: async () => {},
    change: (here) => here.addSa(...saOf('in', IN)),
    before: stateWith(0),
    after: stateWith(0, textOf(IN)),
  },
  {
    name: 'an SA is deleted',
    prepare: (here) => here.addSa(...saOf('out', OUT)),
    change: (here) => here.deleteSa(idOf(OUT)),
    before: stateWith(0, textOf(OUT)),
    after: stateWith(0),
  },
  {
    name: 'a flow is put',
    prepare: async () => {},
    change: (here) => here.putFlow(flowOf()),
    before: stateWith(0),
    after: stateWith(1),
  },
  {
    name: 'a flow is replaced',
    prepare: (here) => here.putFlow(flowOf()),
    change: (here) => here.putFlow(flowOf({ reqid: 1002 })),
    before: stateWith(1),
    after: stateWith(1),
  },
  {
    name: 'a flow is deleted',
    prepare: (here) => here.putFlow(flowOf()),
    change: (here) => here.deleteFlow(1),
    before: stateWith(1),
    after: stateWith(0),
  },
  {
    name: 'everything is purged',
    prepare: async (here) => {
      await here.addSa(...saOf('out', OUT));
      await here.addSa(...saOf('in', IN));
      await here.putFlow(flowOf());
    },
    change: (here) => here.purgeOwn(),
    before: stateWith(1, textOf(OUT), textOf(IN)),
    after: stateWith(0),
  },
];

export const testFaults = (place: Place): void => {
  for (const { name, prepare, change, before, after } of CHANGES) {
    it(`says what is so, and can do it again, whichever answer is lost when ${name}`, async () => {
      const { here } = place.ends;
      for (let skip = 0, wasLost = true; wasLost; skip++) {
        await prepare(here);
        assert.equal(await stateOf(here), before);
        await here.bend('lose', skip);
        const fault = await outcomeOf(here, change(here));
        wasLost = await here.straighten();
        assert.ok(skip > 0 || wasLost, 'the kernel was asked something');
        const where = `answer ${skip + 1}, ${fault?.message ?? 'done'}`;
        if (fault === undefined) assert.equal(await stateOf(here), after, where);
        else {
          assert.equal(fault.reason, 'failed', where);
          const again = await outcomeOf(here, change(here));
          assert.ok(again === undefined || again.reason === 'missing', `${where}, then ${again?.message}`);
          assert.equal(await stateOf(here), after, where);
        }
        await here.withTime(here.purgeOwn());
        // Numbers of flows are free again.
        await here.deleteFlow(1).catch(() => undefined);
        assert.ok(skip < MOST_ANSWERS);
      }
    });
  }

  it('lists and asks again, or says that it cannot', async () => {
    const { here } = place.ends;
    await here.addSa(...saOf('out', OUT));
    await here.putFlow(flowOf());
    for (const ask of [() => here.querySa(idOf(OUT)), () => here.listOwn()]) {
      const answer = JSON.stringify(await here.withTime<unknown>(ask()));
      for (let skip = 0, wasLost = true; wasLost; skip++) {
        await here.bend('lose', skip);
        const outcome = await here.withTime<unknown>(ask()).catch((fault: unknown) => fault);
        wasLost = await here.straighten();
        if (outcome instanceof KernelError) assert.equal(outcome.reason, 'failed');
        else assert.equal(JSON.stringify(outcome), answer, `answer ${skip + 1} of ${ask}`);
        assert.equal(JSON.stringify(await here.withTime<unknown>(ask())), answer);
        assert.ok(skip < MOST_ANSWERS);
      }
    }
  });

  for (const direction of ['in', 'out'] as const) {
    it(`tells that an SA (${direction}) is over before the answer that says it is there`, async () => {
      const { here } = place.ends;
      const wish = direction === 'out' ? OUT : IN;
      // The last answer is the one for which addSa waits.
      await here.bend('hold', direction === 'in' ? 1 : 0);
      const added = here.addSa(...saOf(direction, { ...wish, life: { softSeconds: 0, hardSeconds: 1 } }));
      const heard = here.heard.expire.next();
      await waitUntilGone(place, wish.spi);
      await here.elapse(0);
      assert.ok(await here.straighten(), 'an answer was held');
      await here.withTime(added).catch((fault: unknown) => assert.ok(fault instanceof KernelError));
      const { id, isHard } = await heard;
      assert.deepEqual({ id, isHard }, { id: idOf(wish), isHard: true });
      await assert.rejects(here.querySa(idOf(wish)), { reason: 'missing' });
      await here.addSa(...saOf(direction, wish));
      await here.querySa(idOf(wish));
    });
  }

  it('finds out what it was not told when its socket ran over, and goes on', async () => {
    await place.reopen(SMALL_BUFFER);
    const { here } = place.ends;
    const wishes = [1, 2, 3, 4].map((i) => ({ spi: 0x6100 + 16 * i, reqid: 1002 }));
    for (const wish of wishes) await here.addSa(...saOf('out', wish));
    await addPair(place, OUT);
    await putFlow(place);
    const [gone] = wishes;
    assert.ok(gone !== undefined);
    const late: SaWish[] = Array.from({ length: 20 }, (_, i) => ({ spi: 0x6200 + i, reqid: 1002 }));
    const outcomes = await here.callDeaf(
      flood(place.here, gone),
      late.map((wish) => ({ method: 'addSa', args: saOf('out', wish) })),
    );
    const lost = await here.withTime(here.heard.lost.next());
    assert.deepEqual(lost, [idOf(gone)]);
    assert.ok(outcomes.every((outcome) => !('text' in outcome) || outcome.reason === 'failed'));
    const added = late.filter((_, i) => !('text' in (outcomes[i] ?? { text: '' })));
    const { sas, policies } = await here.withTime(here.listOwn());
    assert.deepEqual(
      sas.map(({ id }) => id.spi).sort(),
      [...wishes.slice(1), OUT, IN, ...added].map(({ spi }) => spi).sort(),
    );
    assert.equal(policies, 1);
    await assertCarries(place, OUT);
    assert.equal(here.heard.failed.waiting, 0);
    assert.equal(here.heard.expire.waiting, 0, "nothing is told of other people's SAs");
  });
};

/** 5,000 SAs of somebody else come, and are over a second later by the kernel's own clock, which is why the shell sleeps; one of ours is deleted. */
const flood = (namespace: string, gone: SaWish): string => {
  const state = `src 10.9.0.1 dst 10.9.0.2 proto esp mode tunnel reqid 7 auth hmac(sha1) 0x${'5a'.repeat(20)} enc cbc(aes) 0x${'6b'.repeat(16)} limit time-hard 1`;
  return [
    `ip netns exec ${namespace} sh -c "`,
    `seq 65536 ${65535 + FLOOD} | sed 's/.*/xfrm state add spi & ${state}/' | ip -batch - &&`,
    `ip xfrm state delete src 10.9.0.1 dst 10.9.0.2 proto esp spi ${gone.spi}; sleep 1.5"`,
  ].join(' ');
};

const outcomeOf = async (here: EndProcess, promise: Promise<unknown>): Promise<KernelError | undefined> => {
  try {
    await here.withTime(promise);
    return undefined;
  } catch (fault) {
    assert.ok(fault instanceof KernelError, `${fault}`);
    return fault;
  }
};

/** The kernel has a clock of its own, and whoever could hear it is deaf here. */
const waitUntilGone = async (place: Place, spi: number): Promise<void> => {
  const name = `spi 0x${spi.toString(16).padStart(8, '0')}`;
  await until(
    () => `${name} does not end`,
    10,
    () => !place.show().includes(name),
  );
};

const MOST_ANSWERS = 40;
const FLOOD = 5000;
/** Bytes. */
const SMALL_BUFFER = 65_536;
