/** Which kernel is used, the reqids that are ours in it, and what a predecessor left there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KernelBackend, KernelError, type OwnState } from '../../../src/kernel/backend.ts';
import { createNoneBackend } from '../../../src/kernel/none/none-backend.ts';
import { KERNELS, type KernelOpening, type Kernels, openKernel } from '../../../src/main/kernel/kernels.ts';
import { ReqidJournal } from '../../../src/main/kernel/reqid-journal.ts';
import { UpcallRelay } from '../../../src/main/kernel/upcall-relay.ts';
import type { KernelChoice } from '../../../src/shared/config/resolve-general.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import { NO_ROUTE } from '../../../src/shared/flow.ts';
import { createDebugLevels } from '../../../src/shared/log/classes.ts';

const EMPTY: OwnState = { sas: [], policies: [] };
const NETWORK = { address: '10.0.0.0', prefixLength: 8, protocol: 0, port: 0 };
const POLICY = { local: NETWORK, remote: NETWORK, reqid: 7, route: NO_ROUTE };
const stateWith = (reqid: number): OwnState => ({
  sas: [{ id: { protocolId: 3, spi: 0x1000, destination: '192.0.2.1' }, source: '192.0.2.2', reqid }],
  policies: [{ ...POLICY, reqid }],
});

/** A machine with some kernels, and what is in them by reqid. */
class Machine {
  readonly present: number[] = [];
  readonly opened: string[] = [];
  deletions = 0;
  readonly logged: string[] = [];
  journal: string | undefined;
  /** Draws, in order. */
  readonly draws: number[] = [];
  closed = 0;

  has(name: KernelBackend['name']): Kernels {
    return { [name]: async (opening: KernelOpening) => this.#open(name, opening) };
  }

  lacks(name: KernelBackend['name'], reason: string): Kernels {
    return {
      [name]: async () => {
        throw new SystemError(reason);
      },
    };
  }

  async use(kernels: Kernels, choice: KernelChoice = 'auto', keepsLeftovers = false, allowsUserland = false) {
    const file = {
      read: async () => this.journal,
      write: async (text: string) => {
        this.journal = text;
      },
    };
    return openKernel({
      choice,
      allowsUserland,
      keepsLeftovers,
      kernels,
      journal: await ReqidJournal.open(file, (below) => (this.draws.shift() ?? 0) % below),
      upcalls: new UpcallRelay(),
      ports: [500, 4500],
      log: ({ text }) => this.logged.push(text),
      levels: createDebugLevels(),
    });
  }

  #open(name: KernelBackend['name'], { reqids, formerReqids }: KernelOpening): KernelBackend {
    this.opened.push(name);
    const ranges = [reqids, ...formerReqids];
    const inside = (): readonly number[] =>
      this.present.filter((reqid) => ranges.some(({ first, count }) => reqid >= first && reqid < first + count));
    return {
      ...createNoneBackend(),
      name,
      listOwn: async () => {
        const states = inside().map(stateWith);
        return { sas: states.flatMap(({ sas }) => sas), policies: states.flatMap(({ policies }) => policies) };
      },
      deleteSa: async () => {
        this.deletions++;
        for (const reqid of inside()) this.present.splice(this.present.indexOf(reqid), 1);
      },
      close: async () => {
        this.closed++;
      },
    };
  }
}

test('auto takes XFRM, else PF_KEY, and says why', async () => {
  const machine = new Machine();
  const both = { ...machine.has('xfrm'), ...machine.has('pfkey') };
  assert.equal((await machine.use(both)).kernel.name, 'xfrm');
  assert.match(machine.logged[0] ?? '', /^kernel: xfrm is used, the first that works here$/);
  const older = { ...machine.lacks('xfrm', 'the kernel has no ESP'), ...machine.has('pfkey') };
  assert.equal((await machine.use(older)).kernel.name, 'pfkey');
  assert.match(machine.logged[1] ?? '', /pfkey is used, .*\(xfrm: the kernel has no ESP\)/);
});

test('auto never comes to none, and to userland only if it may', async () => {
  const machine = new Machine();
  const kernels = { ...machine.has('none'), ...machine.lacks('xfrm', 'no ESP'), ...machine.has('userland') };
  await assert.rejects(
    machine.use(kernels),
    new SystemError(
      'no kernel here takes IPsec SAs (xfrm: no ESP; pfkey: this version does not have it): mend that, or run without IPsec with -n, or allow ESP in this process with --allow-userland',
    ),
  );
  assert.equal((await machine.use(kernels, 'auto', false, true)).kernel.name, 'userland');
});

test('what is configured is used, or the daemon does not start', async () => {
  const machine = new Machine();
  assert.equal((await machine.use(KERNELS, 'none')).kernel.name, 'none');
  assert.deepEqual(machine.logged, ['kernel: none is used, as configured']);
  const refusal = new SystemError('[General]:Kernel=pfkey cannot be used here: no AF_KEY');
  await assert.rejects(machine.use({ ...KERNELS, ...machine.lacks('pfkey', 'no AF_KEY') }, 'pfkey'), refusal);
});

test('a fault of our own in a backend is no reason to try the next one', async () => {
  const kernels: Kernels = {
    xfrm: async () => {
      throw new RangeError('a fault');
    },
  };
  await assert.rejects(new Machine().use(kernels), RangeError);
});

test('an error of the kernel is a reason', async () => {
  const machine = new Machine();
  const kernels: Kernels = {
    ...machine.has('pfkey'),
    xfrm: async () => {
      throw new KernelError('unsupported', 'no ESP');
    },
  };
  assert.equal((await machine.use(kernels)).kernel.name, 'pfkey');
});

test('the range is drawn once; the successor has the same, removes SAs that are left in it, and leaves the policies closed', async () => {
  const machine = new Machine();
  machine.draws.push(41);
  const first = await machine.use(machine.has('xfrm'));
  assert.deepEqual(first.reqids, { first: 42 * 2 ** 20, count: 2 ** 20 });
  machine.present.push(first.reqids.first + 7, 1, first.reqids.first + first.reqids.count);
  machine.draws.push(99);
  const second = await machine.use(machine.has('xfrm'));
  assert.deepEqual(second.reqids, first.reqids);
  assert.deepEqual(machine.present, [1, first.reqids.first + first.reqids.count], 'nobody else’s');
  assert.deepEqual(second.kept, { sas: [], policies: stateWith(first.reqids.first + 7).policies });
  assert.match(machine.logged.join('\n'), /1 SAs that a predecessor left are removed; its 1 policies stay closed/);
});

test('what a daemon with the other kernel interface has left goes as well, and its reqids are not gone on with', async () => {
  for (const [before, after] of [
    ['xfrm', 'pfkey'],
    ['pfkey', 'xfrm'],
  ] as const) {
    // The first time the successor draws a range, the next time it has one.
    const machine = new Machine();
    for (const round of [1, 2]) {
      const first = await machine.use(machine.has(before), before);
      machine.present.push(first.reqids.first + 7);
      const second = await machine.use(machine.has(after), after);
      assert.notDeepEqual(second.reqids, first.reqids);
      assert.deepEqual([machine.present, second.kept], [[], EMPTY], `round ${round}`);
    }
    assert.equal(machine.logged.filter((text) => /1 SAs that a predecessor left are removed/.test(text)).length, 2);
  }
});

test('with -S or Delete-SAs=no what is left stays, and is told', async () => {
  const machine = new Machine();
  const { reqids } = await machine.use(machine.has('xfrm'));
  machine.present.push(reqids.first + 7);
  const { kept } = await machine.use(machine.has('xfrm'), 'auto', true);
  assert.deepEqual(kept, stateWith(reqids.first + 7));
  assert.equal(machine.deletions, 0);
});

test('a range in which somebody else is at work is not taken', async () => {
  const machine = new Machine();
  machine.draws.push(0, 0, 1);
  machine.present.push(4096 + 5);
  const { reqids } = await machine.use(machine.has('pfkey'), 'pfkey');
  assert.deepEqual(reqids, { first: 8192, count: 4096 });
  assert.equal(machine.closed, 2);
  assert.equal(machine.present.length, 1);
  machine.present.push(8192, 12288);
  machine.journal = undefined;
  await assert.rejects(machine.use(machine.has('pfkey'), 'pfkey'), /all reqids that were tried are in use by others/);
});

test('PF_KEY of Linux has a range of its own, below 0x4000, and both are remembered', async () => {
  const machine = new Machine();
  machine.draws.push(2, 8);
  const small = await machine.use(machine.has('pfkey'), 'pfkey');
  assert.equal(small.reqids.first + small.reqids.count, 0x4000);
  const large = await machine.use(machine.has('xfrm'));
  assert.ok(large.reqids.first > 0x4000);
  assert.equal(machine.journal, 'small 3\nlarge 9\n');
  assert.deepEqual((await machine.use(machine.has('pfkey'), 'pfkey')).reqids, small.reqids);
});

test('a journal that is none counts as none', async () => {
  for (const text of ['', 'large 0\n', 'large 4000\n', 'large -1', 'small 4\n', 'garbage', 'large 1 1\n']) {
    const machine = new Machine();
    machine.journal = text;
    machine.draws.push(5);
    assert.equal((await machine.use(machine.has('xfrm'))).reqids.first, 6 * 2 ** 20, text);
  }
});

test('a daemon without kernel leaves no journal', async () => {
  const machine = new Machine();
  await machine.use(KERNELS, 'none');
  assert.equal(machine.journal, undefined);
});
