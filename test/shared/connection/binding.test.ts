/** Decisions 3.1: what the policy alone has permitted is nobody else's, and bounded; docs/adr/0016. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { identityFromText } from '../../../src/shared/policy/identity.ts';
import { type BenchOptions, ConnectionBench, type QuickModeOptions } from '../../helpers/connection-bench.ts';
import { connectionPolicy } from '../../helpers/lane-pair.ts';

const selector = (text: string, protocol = 0, port = 0) => ({ ...identityFromText(text), protocol, port });
const net = (text: string): string => `${text}/255.255.255.0`;

/** `branch` has a section for 10.1.1.0/24 behind us and 10.2.0.0/16 behind itself; `anyone` stands for those whose address is not known. */
const OPTIONS: BenchOptions = {
  peers: { branch: ['net-branch'], anyone: [] },
  policies: {
    branch: {
      connections: [
        connectionPolicy({
          name: 'net-branch',
          localId: selector(net('10.1.1.0')),
          remoteId: selector('10.2.0.0/255.255.0.0'),
        }),
      ],
    },
    anyone: { address: undefined },
  },
};

const started = (options: BenchOptions = OPTIONS): ConnectionBench => {
  const bench = new ConnectionBench(options);
  bench.tell({ kind: 'peersChanged', peers: ['branch', 'anyone'] });
  return bench;
};

interface Asked {
  readonly local?: string;
  readonly remote: string;
  readonly identity?: string;
  readonly peer?: string;
  readonly peerChose?: QuickModeOptions['peerChose'];
}

const optionsOf = (bench: ConnectionBench, { local, remote, identity = 'w1', peer = 'anyone', peerChose }: Asked) => ({
  isakmp: bench.phase1({ role: 'responder', peer, identity }),
  ...{ peer, identity, peerChose: peerChose ?? 'both' },
  connection: `[${peer}]${local}-${remote}`,
  localSelector: selector(local ?? net('10.1.1.0')),
  remoteSelector: selector(remote),
});

/** Why the core does not let a peer have it; undefined: it does. */
const denial = (bench: ConnectionBench, asked: Asked): string | undefined => {
  bench.take('denied');
  bench.take('installed');
  const exchange = ++exchanges;
  bench.install(bench.agreement(optionsOf(bench, asked)), exchange);
  const [denied] = bench.take('denied');
  assert.equal(denied === undefined, bench.take('installed').length === 1);
  assert.ok(denied === undefined || denied.exchange === exchange);
  return denied?.reason;
};
let exchanges = 1000;

describe('traffic without a connection section', () => {
  it('comes up with policies of the negotiated selectors, and goes with its pair', () => {
    const bench = started();
    const flows = bench.flows.size;
    const pair = bench.quickMode(optionsOf(bench, { remote: '10.9.9.9' }));
    const [flow] = [...bench.flows.values()].filter(({ remote }) => remote.address === '10.9.9.9');
    assert.deepEqual(flow?.local, { address: '10.1.1.0', prefixLength: 24, protocol: 0, port: 0 });
    bench.pass(pair.lifeSeconds * 1000 + 1);
    assert.equal(bench.flows.size, flows);
    assert.equal(bench.kernel.size, 0);
    assert.equal(bench.take('startQuickMode').length, 0, 'nothing is renewed that has no section');
    assert.equal(denial(bench, { remote: '10.9.9.9', identity: 'w2' }), undefined, 'and its address is free');
  });

  for (const [what, asked] of [
    ['the same', '10.2.0.0/255.255.0.0'],
    ['a part', '10.2.3.4'],
  ] as const) {
    it(`P1: of another peer's section is refused: ${what}`, () => {
      const reason = denial(started(), { remote: asked });
      assert.match(
        reason ?? '',
        /that is traffic of connection net-branch of peer branch: narrow what the policy gives/,
      );
    });
  }

  it('of more than another section has is taken, since the more specific policy comes first', () => {
    assert.equal(denial(started(), { local: '10.1.0.0/255.255.0.0', remote: '10.2.0.0/255.254.0.0' }), undefined);
  });

  it('that is wider on one side and narrower on the other is refused', () => {
    const reason = denial(started(), { local: '10.1.1.7', remote: '10.2.0.0/255.254.0.0' });
    assert.match(reason ?? '', /traffic of connection net-branch/);
  });

  it('beside that of others is taken', () => {
    assert.equal(denial(started(), { remote: '10.3.0.1' }), undefined);
    assert.equal(denial(started(), { local: net('10.1.7.0'), remote: '10.2.3.4' }), undefined);
  });

  it('of a section counts for its own peer, whoever that is by now', () => {
    assert.equal(denial(started(), { remote: '10.2.3.4', peer: 'branch', identity: 'branch.example.org' }), undefined);
  });

  it('of another road warrior is refused while it is there, larval or not; its own is renewed', () => {
    const bench = started();
    assert.equal(denial(bench, { remote: net('10.9.9.0') }), undefined);
    assert.match(
      denial(bench, { remote: net('10.9.9.0'), identity: 'w2' }) ?? '',
      /that is traffic of w1 \(peer anyone\)/,
    );
    assert.match(denial(bench, { remote: '10.9.9.1', identity: 'w2' }) ?? '', /that is traffic of w1/);
    assert.equal(denial(bench, { remote: net('10.9.9.0') }), undefined);
  });

  it('of a pair that a section for many clients has made is refused to the next client', () => {
    const bench = started();
    assert.equal(denial(bench, { remote: '10.9.9.9', peerChose: 'remote' }), undefined);
    assert.match(denial(bench, { remote: '10.9.9.9', identity: 'w2', peerChose: 'remote' }) ?? '', /traffic of w1/);
    assert.match(
      denial(bench, { remote: '10.2.9.9', identity: 'w2', peerChose: 'remote' }) ?? '',
      /traffic of connection/,
    );
  });

  it('with our own address, or what lies behind us, on the side of the peer is refused', () => {
    const bench = started();
    const everything = '0.0.0.0/0.0.0.0';
    assert.match(
      denial(bench, { local: everything, remote: net('192.0.2.0') }) ?? '',
      /our address 192\.0\.2\.1 is among/,
    );
    assert.match(
      denial(bench, { local: everything, remote: '10.1.0.0/255.255.0.0' }) ?? '',
      /among those is what connection net-branch has on our side/,
    );
    assert.equal(denial(bench, { local: everything, remote: '10.1.1.200' }), undefined, 'an address out of it');
  });

  it('of all addresses, or of very many, is refused', () => {
    const bench = started();
    for (const remote of ['0.0.0.0/0.0.0.0', '128.0.0.0/128.0.0.0', '10.0.0.0-11.255.255.255', '::/::']) {
      assert.match(denial(bench, { remote }) ?? '', /no network wider than/, remote);
    }
    assert.match(denial(bench, { remote: '10.9.0.1-10.9.255.254' }) ?? '', /ranges that make 30 networks/);
  });

  it('is bounded for each peer; a renewal is none more', () => {
    const bench = started();
    for (let host = 1; host <= 16; host++) bench.quickMode(optionsOf(bench, { remote: `10.9.9.${host}` }));
    assert.match(denial(bench, { remote: '10.9.9.17' }) ?? '', /it has 16 tunnels without a connection section/);
    assert.equal(denial(bench, { remote: '10.9.9.16' }), undefined);
    assert.equal(denial(bench, { remote: '10.9.9.17', identity: 'w2' }), undefined);
  });

  it('is bounded for all together', () => {
    const bench = started();
    const isakmp = Array.from({ length: 1024 }, (_, party) =>
      bench.phase1({ role: 'responder', peer: 'anyone', identity: `w${party}` }),
    );
    for (let count = 0; count < 16_384; count++) {
      const [party, host] = [count >> 4, count & 15];
      bench.install(
        bench.agreement({
          ...{ isakmp: isakmp[party] ?? '', peer: 'anyone', identity: `w${party}`, peerChose: 'both' },
          localSelector: selector('10.1.1.1'),
          remoteSelector: selector(`10.${64 + (party >> 8)}.${party & 255}.${host}`),
        }),
        ++exchanges,
      );
    }
    assert.equal(bench.take('denied').length, 0);
    assert.match(denial(bench, { remote: '10.9.9.9', identity: 'late' }) ?? '', /there are 16384 tunnels/);
  });

  it('counts for sections that no way leads to as well, until they are gone', () => {
    const connections = OPTIONS.policies?.['branch']?.connections ?? [];
    const bench = started({
      ...OPTIONS,
      policies: { ...OPTIONS.policies, branch: { address: undefined, connections } },
    });
    assert.match(denial(bench, { remote: '10.2.3.4' }) ?? '', /traffic of connection net-branch/);
    bench.view.peers = { anyone: [] };
    bench.tell({ kind: 'peersChanged', peers: ['branch'] });
    assert.equal(denial(bench, { remote: '10.2.3.4' }), undefined);
  });
});
