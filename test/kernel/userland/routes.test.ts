import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Flow } from '../../../src/kernel/backend.ts';
import type { Blackhole, IpLine } from '../../../src/kernel/userland/ip-command.ts';
import { Routes } from '../../../src/kernel/userland/routes.ts';
import { linesOfFlow, type RoutingPlan } from '../../../src/kernel/userland/routing.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import { NO_ROUTE } from '../../../src/shared/flow.ts';

const PLAN: RoutingPlan = { interfaceName: 'ipsec0', table: 220, firstRule: 100, mark: 0x42, ports: [500, 4500] };

const flow = (id: number, local: string, remote: string, change: Partial<Flow> = {}): Flow => {
  const end = (text: string): Flow['local'] => {
    const [network = '', protocol = '0', port = '0'] = text.split(' ');
    const [address = '', length = ''] = network.split('/');
    return { address, prefixLength: Number(length), protocol: Number(protocol), port: Number(port) };
  };
  return {
    id,
    local: end(local),
    remote: end(remote),
    localAddress: '192.0.2.1',
    remoteAddress: '192.0.2.2',
    protocols: [3],
    encapsulation: 'tunnel',
    reqid: 7,
    route: NO_ROUTE,
    ...change,
  };
};

const NET = flow(1, '10.1.0.0/16', '10.2.0.0/16');

/** What ip(8) would have made of the lines: rules and routes that are there now. */
class Kernel {
  readonly rules = { 4: ['pref 0 lookup local'], 6: ['pref 0 lookup local'] };
  readonly routes = { 4: new Map<string, string>(), 6: new Map<string, string>() };
  runs = 0;
  fault: SystemError | undefined;

  readonly rulePriorities = async (family: 4 | 6): Promise<readonly number[]> =>
    this.rules[family].map((rule) => Number(rule.split(' ')[1]));

  readonly blackholes = async (family: 4 | 6): Promise<readonly Blackhole[]> =>
    [...this.routes[family].keys()].flatMap((text) => {
      const [, to, table, metric] = /^blackhole (\S+) table (\d+) metric (\d+)$/.exec(text) ?? [];
      return to === undefined ? [] : [{ to, table: Number(table), metric: Number(metric) }];
    });

  readonly run = async (family: 4 | 6, lines: readonly IpLine[]): Promise<void> => {
    this.runs++;
    if (this.fault !== undefined) throw this.fault;
    for (const { text, mayFail } of lines) {
      assert.ok(this.#apply(family, text) || mayFail, text);
      const hasLocal = this.rules[family].some((rule) => rule.endsWith('lookup local'));
      assert.ok(hasLocal, `without local addresses after ${text}`);
    }
  };

  #apply(family: 4 | 6, text: string): boolean {
    const [object, verb = '', ...rest] = text.split(' ');
    if (object === 'rule') return this.#applyRule(this.rules[family], verb, rest.join(' '));
    if (object === 'route') return this.#applyRoute(this.routes[family], verb, rest.join(' '));
    return object === 'link';
  }

  #applyRule(rules: string[], verb: string, what: string): boolean {
    const index = verb === 'add' ? rules.indexOf(what) : rules.findIndex((rule) => hasAll(rule, what));
    if (verb === 'add' && index < 0) rules.push(what);
    else if (verb === 'del' && index >= 0) rules.splice(index, 1);
    else return false;
    return true;
  }

  #applyRoute(routes: Map<string, string>, verb: string, what: string): boolean {
    const key = what.replace(/ src .*/, '');
    if (verb === 'replace') routes.set(key, what);
    else if (verb === 'flush') routes.clear();
    else return routes.delete(key);
    return true;
  }
}

/** Linux deletes the first rule that has all that is named; networks of length 0 count as not named. */
const hasAll = (rule: string, named: string): boolean =>
  (named.replaceAll(/(?:from|to) \S+\/0 /g, '').match(WORDS) ?? []).every((words) =>
    ` ${rule} `.includes(` ${words} `),
  );
const WORDS = /(?:pref|protocol|from|to|ipproto|sport|dport|iif|fwmark|lookup|goto) \S+|blackhole|nop/g;

const withoutMaker = (rule: string): string => rule.replace(/ protocol \d+/, '');

const routesOf = (own: readonly string[] = []): { readonly kernel: Kernel; readonly routes: Routes } => {
  const kernel = new Kernel();
  return { kernel, routes: new Routes(PLAN, () => own, kernel) };
};

const texts = (one: Flow, own: readonly string[] = []): readonly string[] =>
  linesOfFlow(PLAN, one, own).map(({ text }) => withoutMaker(text));

describe('routes of userland flows', () => {
  it('lead what is between the networks into the device, and drop what comes in clear', () => {
    assert.deepEqual(texts(NET), [
      'pref 105 from 10.2.0.0/16 to 10.1.0.0/16 blackhole',
      'pref 108 from 10.2.0.0/16 to 10.1.0.0/16 blackhole',
      'pref 110 from 10.1.0.0/16 to 10.2.0.0/16 lookup 220',
    ]);
  });

  it("have a source address for the host's own packets where one is in the flow, and a blackhole behind", () => {
    assert.deepEqual(texts(NET, ['127.0.0.1', '10.1.0.9']).slice(3), [
      'pref 111 iif lo from 0.0.0.0/32 to 10.2.0.0/16 lookup 221',
      'blackhole 10.2.0.0/16 table 221 metric 2147483647',
      '10.2.0.0/16 dev ipsec0 table 221 metric 1 src 10.1.0.9',
    ]);
    const six = flow(1, 'fd00:1::/32', 'fd00:2::/32');
    assert.equal(texts(six, ['fd00:1::9'])[3], 'pref 111 iif lo to fd00:2::/32 lookup 221');
  });

  it('drop only what the flow is for: protocol, and ports as the peer has them', () => {
    const narrow = flow(1, '10.1.0.0/16 17', '10.2.0.7/32 17 53');
    assert.deepEqual(texts(narrow), [
      'pref 105 from 10.2.0.7/32 to 10.1.0.0/16 ipproto 17 sport 53 blackhole',
      'pref 110 from 10.1.0.0/16 to 10.2.0.7/32 ipproto 17 lookup 220',
    ]);
    const served = flow(1, '10.1.0.1/32 6 80', '10.2.0.7/32 6');
    assert.equal(texts(served)[0], 'pref 105 from 10.2.0.7/32 to 10.1.0.1/32 ipproto 6 dport 80 blackhole');
  });

  it('let ESP and IKE of the peer in where its address is in the flow', () => {
    const lines = texts(flow(1, '192.0.2.1/32', '192.0.2.2/32'));
    assert.deepEqual(lines.slice(0, 3), [
      'pref 101 from 192.0.2.2 to 192.0.2.1 ipproto 50 goto 106',
      'pref 101 from 192.0.2.2 to 192.0.2.1 ipproto 17 dport 500 goto 106',
      'pref 101 from 192.0.2.2 to 192.0.2.1 ipproto 17 dport 4500 goto 106',
    ]);
  });

  it('come and go with the last flow that needs them, and then all is as before', async () => {
    const { kernel, routes } = routesOf(['10.1.0.9', '10.7.0.9']);
    const other = flow(2, '10.7.0.0/16', '10.2.0.0/16');
    const six = flow(3, 'fd00:1::/32', 'fd00:2::/32');
    await Promise.all([routes.put(NET), routes.put(other), routes.put(six)]);
    // For each family: the lookup of local addresses is put behind, its old place is emptied, and everything else.
    assert.equal(kernel.runs, 6);
    const ofFlows = kernel.rules[4].filter((rule) => rule.includes('/')).map(withoutMaker);
    assert.deepEqual(ofFlows, [
      'pref 105 from 10.2.0.0/16 to 10.1.0.0/16 blackhole',
      'pref 108 from 10.2.0.0/16 to 10.1.0.0/16 blackhole',
      'pref 110 from 10.1.0.0/16 to 10.2.0.0/16 lookup 220',
      'pref 111 iif lo from 0.0.0.0/32 to 10.2.0.0/16 lookup 221',
      'pref 105 from 10.2.0.0/16 to 10.7.0.0/16 blackhole',
      'pref 108 from 10.2.0.0/16 to 10.7.0.0/16 blackhole',
      'pref 110 from 10.7.0.0/16 to 10.2.0.0/16 lookup 220',
    ]);
    const common = kernel.rules[4].length - ofFlows.length;
    assert.deepEqual(
      [...kernel.routes[4].keys()],
      [
        'blackhole 0.0.0.0/0 table 220 metric 2147483647',
        '0.0.0.0/0 dev ipsec0 table 220 metric 1',
        'blackhole 10.2.0.0/16 table 221 metric 2147483647',
        '10.2.0.0/16 dev ipsec0 table 221 metric 1',
      ],
    );
    assert.equal(kernel.rules[6].length, common + 3);
    await routes.delete(1);
    assert.equal(kernel.routes[4].size, 4);
    assert.equal(kernel.rules[4].length, common + 4);
    await Promise.all([routes.delete(2), routes.delete(3)]);
    assert.deepEqual(kernel.rules, { 4: ['pref 0 lookup local'], 6: ['pref 0 lookup local'] });
    assert.deepEqual([kernel.routes[4].size, kernel.routes[6].size], [0, 0]);
  });

  it('follow a flow that changes', async () => {
    const { kernel, routes } = routesOf();
    await routes.put(NET);
    const before = structuredClone(kernel.rules[4]);
    await routes.put({ ...NET, reqid: 8 });
    assert.deepEqual(kernel.rules[4], before);
    await routes.put(flow(1, '10.1.0.0/16', '10.3.0.0/16'));
    assert.deepEqual(kernel.rules[4].filter((rule) => rule.includes('/')).map(withoutMaker), [
      'pref 105 from 10.3.0.0/16 to 10.1.0.0/16 blackhole',
      'pref 108 from 10.3.0.0/16 to 10.1.0.0/16 blackhole',
      'pref 110 from 10.1.0.0/16 to 10.3.0.0/16 lookup 220',
    ]);
    assert.equal(kernel.rules[4].length, before.length);
    await routes.delete(1);
    await routes.delete(1);
    assert.deepEqual(kernel.rules[4], ['pref 0 lookup local']);
  });

  for (const [what, narrow, wide] of [
    ['a protocol', flow(1, '10.1.0.0/16 6', '10.2.0.0/16 6'), NET],
    ['a port', flow(1, '10.1.0.0/16 6', '10.2.0.0/16 6 80'), flow(2, '10.1.0.0/16 6', '10.2.0.0/16 6')],
    ['a network', NET, flow(2, '10.1.0.0/16', '0.0.0.0/0')],
  ] as const) {
    it(`of ${what} stay when the same without it come and go`, async () => {
      const { kernel, routes } = routesOf(['10.1.0.9']);
      await routes.put(narrow);
      const before = structuredClone(kernel.rules[4]).toSorted();
      await routes.put({ ...wide, id: 2 });
      for (const rule of before) assert.ok(kernel.rules[4].includes(rule), rule);
      await routes.delete(2);
      assert.deepEqual(kernel.rules[4].toSorted(), before);
    });
  }

  it('of a predecessor go when no flow has taken them over, and those of flows stay', async () => {
    const { kernel, routes } = routesOf(['10.1.0.9']);
    await Promise.all([routes.put(NET), routes.put(flow(2, '10.1.0.0/16', '10.3.0.0/16'))]);
    await routes.put(flow(3, 'fd00:1::/32', 'fd00:2::/32'));
    const successor = new Routes(PLAN, () => ['10.1.0.9'], kernel);
    await successor.put(NET);
    // One that comes and one that goes meanwhile.
    const kept = flow(3, '10.1.0.0/16', '10.4.0.0/16');
    const [removed] = await Promise.all([successor.removeLeftovers(), successor.put(kept), successor.delete(1)]);
    assert.equal(removed, 2);
    const alone = routesOf(['10.1.0.9']);
    await alone.routes.put(kept);
    assert.deepEqual(kernel.rules[4].toSorted(), alone.kernel.rules[4].toSorted());
    assert.deepEqual(kernel.rules[6], ['pref 0 lookup local']);
    const isBlackhole = (route: string): boolean => route.startsWith('blackhole');
    assert.deepEqual(
      [...kernel.routes[4].keys()].filter(isBlackhole).toSorted(),
      [...alone.kernel.routes[4].keys()].filter(isBlackhole).toSorted(),
    );
    assert.equal([...kernel.routes[6].keys()].filter(isBlackhole).length, 0);
    assert.equal(await successor.removeLeftovers(), 0);
    await successor.delete(3);
    assert.deepEqual(kernel.rules[4], ['pref 0 lookup local']);
  });

  it('of a predecessor with another version, whose rules say no maker, go too', async () => {
    const { kernel, routes } = routesOf();
    await routes.put(NET);
    const ours = [...kernel.rules[4]];
    kernel.rules[4].splice(0, ours.length, ...ours.map(withoutMaker));
    const successor = new Routes(PLAN, () => [], kernel);
    await successor.put(NET);
    assert.equal(await successor.removeLeftovers(), 1);
    assert.deepEqual(kernel.rules[4].toSorted(), ours.toSorted());
  });

  it('of a predecessor are removed, and the host finds its addresses all the time', async () => {
    const first = routesOf();
    await first.routes.put(NET);
    const second = new Routes(PLAN, () => [], first.kernel);
    await second.put(NET);
    const third = new Routes(PLAN, () => [], first.kernel);
    await third.purge();
    assert.deepEqual(first.kernel.rules[4], ['pref 0 lookup local']);
    assert.deepEqual(first.kernel.rules[6], ['pref 0 lookup local']);
  });

  it('are made again for a new device', async () => {
    const { kernel, routes } = routesOf();
    await routes.put(NET);
    assert.ok(kernel.routes[4].delete('0.0.0.0/0 dev ipsec0 table 220 metric 1'));
    await routes.deviceIsUp(1400);
    assert.ok(kernel.routes[4].has('0.0.0.0/0 dev ipsec0 table 220 metric 1'));
  });

  it('tell everyone who waits when ip(8) fails, and go on', async () => {
    const { kernel, routes } = routesOf();
    kernel.fault = new SystemError('no permission');
    const both = await Promise.allSettled([routes.put(NET), routes.put(flow(2, '10.4.0.0/16', '10.5.0.0/16'))]);
    assert.deepEqual(
      both.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    kernel.fault = undefined;
    await routes.put(flow(3, '10.6.0.0/16', '10.7.0.0/16'));
  });

  it('that fail while leftovers go are told to whoever asked for them', async () => {
    const { kernel, routes } = routesOf();
    kernel.fault = new SystemError('no permission');
    const both = await Promise.allSettled([routes.removeLeftovers(), routes.put(NET)]);
    assert.deepEqual(
      both.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
  });
});
