/** The XFRM backend and a whole kernel: run within a machine that is the test's own (test/kernel/main.ts starts one). */
import assert from 'node:assert/strict';
import { release } from 'node:os';
import { after, afterEach, before, describe, it } from 'node:test';
import { type KernelBackend, KernelError, type SaContext } from '../../../src/kernel/backend.ts';
import { openXfrmSocket } from '../../../src/kernel/native/kernel-sockets.ts';
import { AUTHENTICATIONS, CIPHERS } from '../../../src/kernel/xfrm/algorithms.ts';
import { XFRM_GROUPS } from '../../../src/kernel/xfrm/layout.ts';
import { NO_LIMITS } from '../../../src/kernel/xfrm/sa-messages.ts';
import { openXfrmBackend } from '../../../src/kernel/xfrm/xfrm-backend.ts';
import { keymatSizes } from '../../../src/shared/exchange/keymat.ts';
import type { IpsecSa } from '../../../src/shared/threads/contract.ts';
import { echoes, makeTwoGates, realTimers, run, runAtPeer, until } from '../../helpers/two-gates.ts';
import { encapsulatingSocket, mirror, sendMarked } from '../../helpers/xfrm-peer.ts';
import { Ear, flow, inboundSa, keyOf, network, outboundSa, RANGE, saContext } from '../../helpers/xfrm-world.ts';

const IN = { protocolId: 3, spi: 0x1001, destination: '10.9.0.1' };
const OUT = { protocolId: 3, spi: 0x2001, destination: '10.9.0.2' };
const INBOUND = { source: network('10.2.0.0', 16), destination: network('10.1.0.0', 16) };
const OUTBOUND = { source: network('10.1.0.0', 16), destination: network('10.2.0.0', 16) };

let backend: KernelBackend;
let ear: Ear;
let endPeer: () => void;

const open = async (receiveBuffer?: number): Promise<void> => {
  ear = new Ear();
  const socket = openXfrmSocket(XFRM_GROUPS, receiveBuffer);
  const options = { open: socket, schedule: realTimers, upcalls: ear, range: RANGE, release: release() };
  backend = await openXfrmBackend(options);
};

/** A pair of SAs here and at the peer. */
const addPair = async (changes: Partial<IpsecSa>, context: Partial<SaContext> = {}, more = ''): Promise<void> => {
  const selectors = (changes.encapsulation ?? 1) % 2 === 1;
  const [inbound, outbound] = [inboundSa(changes), outboundSa(changes)];
  await backend.addSa(inbound, saContext({ selectors: selectors ? INBOUND : undefined, ...context }));
  await backend.addSa(outbound, saContext({ selectors: selectors ? OUTBOUND : undefined, ...context }));
  for (const sa of [inbound, outbound]) mirror(sa, more);
};

const peerPolicies = (mode: 'tunnel' | 'transport', here: string, there: string): void => {
  const template = (source: string, destination: string): string =>
    mode === 'tunnel' ? `tmpl src ${source} dst ${destination} proto esp mode tunnel` : 'tmpl proto esp mode transport';
  runAtPeer(`xfrm policy add src ${there} dst ${here} dir out ${template('10.9.0.2', '10.9.0.1')} reqid 1`);
  runAtPeer(`xfrm policy add src ${here} dst ${there} dir in ${template('10.9.0.1', '10.9.0.2')}`);
};

const HOST_FLOW = flow({
  local: network('10.9.0.1', 32),
  remote: network('10.9.0.2', 32),
  encapsulation: 'transport',
});

describe('XFRM on a real kernel', () => {
  before(async () => {
    endPeer = await makeTwoGates();
    await open();
  });

  afterEach(async () => {
    await backend.purgeOwn();
    for (const what of ['state', 'policy']) {
      run(`ip xfrm ${what} flush`);
      runAtPeer(`xfrm ${what} flush`);
    }
    ear.clear();
  });

  after(async () => {
    endPeer();
    await backend.close();
  });

  it('has every algorithm', () => {
    const { espTransforms, ahTransforms, authentications } = backend.capabilities;
    assert.deepEqual([espTransforms.size, ahTransforms.size, authentications.size], [9, 6, 6]);
  });

  const suites = [
    ...[...CIPHERS].map(([transformId, { icvBits }]) => ({ transformId, authentication: icvBits > 0 ? 0 : 2 })),
    ...[...AUTHENTICATIONS.keys()].map((authentication) => ({ transformId: 12, authentication })),
  ];
  it('carries traffic of a tunnel with every cipher and every hash, and counts it', async () => {
    peerPolicies('tunnel', '10.1.0.0/16', '10.2.0.0/16');
    for (const suite of suites) {
      const sizes = keymatSizes(3, suite.transformId, undefined, suite.authentication || undefined);
      assert.ok(sizes);
      const keys = { encryptionKey: keyOf(sizes.encryption), authenticationKey: keyOf(sizes.authentication) };
      await addPair({ ...suite, ...keys });
      await backend.putFlow(flow());
      const what = `${CIPHERS.get(suite.transformId)?.name} ${AUTHENTICATIONS.get(suite.authentication)?.name}`;
      assert.equal(await echoes('10.1.0.1', '10.2.0.1'), 2, what);
      const [inbound, outbound] = [await backend.querySa(IN), await backend.querySa(OUT)];
      assert.deepEqual([inbound.packets, outbound.packets, inbound.bytes], [2, 2, outbound.bytes], what);
      await backend.deleteSa(IN);
      await backend.deleteSa(OUT);
      runAtPeer('xfrm state flush');
    }
    assert.equal(await echoes('10.1.0.1', '10.2.0.1', 1), 0, 'nothing passes without SAs');
  });

  it('carries traffic in transport mode', async () => {
    peerPolicies('transport', '10.9.0.1', '10.9.0.2');
    await addPair({ encapsulation: 2 });
    await backend.putFlow(HOST_FLOW);
    assert.equal(await echoes('10.9.0.1', '10.9.0.2'), 2);
    assert.equal((await backend.querySa(OUT)).packets, 2);
  });

  it('carries IPv4 in a tunnel over IPv6, with selectors and without', async () => {
    const ends = { source: '2001:db8:9::2', destination: '2001:db8:9::1' };
    const back = { source: ends.destination, destination: ends.source };
    const template = ({ source, destination }: typeof ends): string =>
      `tmpl src ${source} dst ${destination} proto esp reqid 1 mode tunnel`;
    runAtPeer(`xfrm policy add src 10.2.0.0/16 dst 10.1.0.0/16 dir out ${template(ends)}`);
    runAtPeer(`xfrm policy add src 10.1.0.0/16 dst 10.2.0.0/16 dir in ${template(back)}`);
    for (const selectors of [{ inbound: INBOUND, outbound: OUTBOUND }, undefined]) {
      const [inbound, outbound] = [inboundSa(ends), outboundSa(back)];
      await backend.addSa(inbound, saContext({ selectors: selectors?.inbound }));
      await backend.addSa(outbound, saContext({ selectors: selectors?.outbound }));
      for (const sa of [inbound, outbound]) mirror(sa, 'flag af-unspec');
      await backend.putFlow(flow({ localAddress: back.source, remoteAddress: back.destination }));
      assert.equal(await echoes('10.1.0.1', '10.2.0.1'), 2);
      assert.equal((await backend.querySa({ ...OUT, destination: back.destination })).packets, 2);
      await backend.purgeOwn();
      runAtPeer('xfrm state flush');
    }
  });

  it('carries traffic that is protected by ESP, and then by AH', async () => {
    const templates = (source: string, destination: string): string =>
      `tmpl src ${source} dst ${destination} proto esp reqid 1 mode tunnel tmpl src ${source} dst ${destination} proto ah reqid 1 mode transport`;
    runAtPeer(`xfrm policy add src 10.2.0.0/16 dst 10.1.0.0/16 dir out ${templates('10.9.0.2', '10.9.0.1')}`);
    runAtPeer(`xfrm policy add src 10.1.0.0/16 dst 10.2.0.0/16 dir in ${templates('10.9.0.1', '10.9.0.2')}`);
    await addPair({});
    const ah = { protocolId: 2, transformId: 5, encryptionKey: keyOf(0) };
    const outer = [inboundSa({ ...ah, spi: 0x1002 }), outboundSa({ ...ah, spi: 0x2002 })];
    for (const sa of outer) {
      await backend.addSa(sa, saContext());
      mirror({ ...sa, encapsulation: 2 }, 'flag align4');
    }
    await backend.putFlow(flow({ protocols: [3, 2] }));
    assert.equal(await echoes('10.1.0.1', '10.2.0.1'), 2);
    const usage = await backend.querySa({ protocolId: 2, spi: 0x2002, destination: '10.9.0.2' });
    assert.deepEqual([usage.packets, (await backend.querySa(OUT)).packets], [2, 2]);
  });

  it('lets nothing in that the SA is not for, though it comes from the peer', async () => {
    peerPolicies('tunnel', '10.1.0.0/16', '10.2.0.0/16');
    await addPair({}, { selectors: { source: network('10.2.5.0', 24), destination: network('10.1.0.0', 16) } });
    await backend.deleteSa(OUT);
    await backend.addSa(outboundSa(), saContext({ selectors: OUTBOUND }));
    await backend.putFlow(flow());
    assert.equal(await echoes('10.1.0.1', '10.2.0.1'), 0);
    assert.match(run('cat /proc/net/xfrm_stat'), /XfrmInStateMismatch\s+[1-9]/);
  });

  it('has wide replay windows', async () => {
    await backend.addSa(inboundSa({ replayWindow: 4096 }), saContext());
    assert.match(run('ip xfrm state'), /replay_window 4096, bitmap-length 128/);
  });

  it('takes marks and interfaces: only marked packets use the flow, and the SAs are found', async () => {
    peerPolicies('tunnel', '10.1.0.0/16', '10.2.0.0/16');
    const route = { mark: 0x10, markMask: 0xff, interfaceId: 0 };
    await addPair({}, { route });
    await backend.putFlow(flow({ route }));
    for (const mark of ['0x11', '0xab10', '0']) sendMarked(mark);
    assert.equal((await backend.querySa(OUT)).packets, 1);
    assert.match(run('ip xfrm policy'), /mark 0x10\/0xff/);
    const withInterface = { mark: 0, markMask: 0, interfaceId: 7 };
    await backend.addSa(outboundSa({ spi: 0x2009 }), saContext({ route: withInterface }));
    assert.match(run('ip xfrm state'), /if_id 0x7/);
    await backend.deleteFlow(1);
    await backend.deleteSa(OUT);
    assert.equal(run('ip xfrm policy'), '');
  });

  it('carries what is routed through a tunnel interface with the mark as its key, and nothing else', async () => {
    peerPolicies('tunnel', '10.1.0.0/16', '10.2.0.0/16');
    run('ip link add vti0x10 type vti local 10.9.0.1 remote 10.9.0.2 key 0x10; ip link set vti0x10 up');
    const route = { mark: 0x10, markMask: 0xffff_ffff, interfaceId: 0 };
    const anything = network('0.0.0.0', 0);
    await addPair({}, { route });
    await backend.putFlow(flow({ route, local: anything, remote: anything }));
    assert.equal(await echoes('10.9.0.1', '10.9.0.2'), 2);
    assert.equal((await backend.querySa(OUT)).packets, 0);
    run('ip route replace 10.2.0.0/16 dev vti0x10 src 10.1.0.1');
    try {
      assert.equal(await echoes('10.1.0.1', '10.2.0.1'), 2);
      assert.deepEqual([(await backend.querySa(OUT)).packets, (await backend.querySa(IN)).packets], [2, 2]);
    } finally {
      run('ip route replace 10.2.0.0/16 via 10.9.0.2 src 10.1.0.1; ip link delete vti0x10');
    }
  });

  it('tells of a packet without SA once, names the flow, and hears the answer', async () => {
    peerPolicies('tunnel', '10.1.0.0/16', '10.2.0.0/16');
    await backend.putFlow(flow({ id: 9 }));
    assert.equal(await echoes('10.1.0.1', '10.2.0.1'), 0);
    await until('an acquire', () => ear.acquires.length > 0);
    const [acquire] = ear.acquires;
    assert.deepEqual(
      [ear.acquires.length, acquire?.flow, acquire?.source, acquire?.destination],
      [1, 9, '10.9.0.1', '10.9.0.2'],
    );
    assert.deepEqual(acquire?.packet, {
      source: { address: '10.1.0.1', prefixLength: 32, protocol: 17, port: acquire?.packet?.source.port },
      destination: { address: '10.2.0.1', prefixLength: 32, protocol: 17, port: 9 },
    });
    assert.match(run('ip xfrm state'), /spi 0x00000000/);
    await addPair({}, { acquire: acquire?.sequence });
    assert.equal(await echoes('10.1.0.1', '10.2.0.1'), 2);
    assert.doesNotMatch(run('ip xfrm state'), /spi 0x00000000 reqid 1001 mode tunnel\s+replay-window 0 seq 0x00000001/);
  });

  it('tells when an SA comes to its end, softly and for good, by time and by bytes', async () => {
    peerPolicies('tunnel', '10.1.0.0/16', '10.2.0.0/16');
    const life = { ...NO_LIMITS, softSeconds: 1, hardSeconds: 2 };
    await backend.addSa(inboundSa({ spi: 0x1005 }), saContext({ life }));
    run(
      "ip xfrm state add src 10.9.0.2 dst 10.9.0.1 proto esp spi 0x1006 reqid 7 mode tunnel enc 'cbc(aes)' 0x33333333333333333333333333333333 limit time-hard 1",
    );
    await until('the end by time', () => ear.expires.length === 2);
    assert.deepEqual(
      ear.expires.map(({ id, isHard }) => [id.spi, isHard]),
      [
        [0x1005, false],
        [0x1005, true],
      ],
    );
    await assert.rejects(backend.querySa({ ...IN, spi: 0x1005 }), isMissing);
    ear.expires.length = 0;
    await addPair({}, { life: { ...NO_LIMITS, softBytes: 200, hardBytes: 600 } });
    await backend.putFlow(flow());
    await echoes('10.1.0.1', '10.2.0.1', 12);
    await until('the end by bytes', () => ear.expires.filter(({ isHard }) => isHard).length > 0);
    const [soft, ...more] = ear.expires;
    assert.equal(soft?.isHard, false);
    assert.ok(soft && soft.usage.bytes >= 200 && soft.usage.packets > 0 && soft.usage.usedAt > 0);
    assert.ok(more.some(({ isHard }) => isHard));
  });

  it('tells once that a peer behind NAT has another port, and moves the SAs there', async () => {
    peerPolicies('tunnel', '10.1.0.0/16', '10.2.0.0/16');
    const ours = encapsulatingSocket();
    const udp = { source: 4500, destination: 4500 };
    const encapsulated = { encapsulation: 3 };
    try {
      await addPair(encapsulated, { udp }, 'encap espinudp 4500 4500 0.0.0.0');
      await backend.putFlow(flow());
      assert.equal(await echoes('10.1.0.1', '10.2.0.1'), 2);
      assert.deepEqual(ear.mappings, []);
      // Its packets come from port 4555 now.
      runAtPeer('xfrm state delete src 10.9.0.2 dst 10.9.0.1 proto esp spi 0x1001');
      mirror(inboundSa(encapsulated), 'encap espinudp 4555 4500 0.0.0.0 replay-seq 0 replay-oseq 100');
      await echoes('10.1.0.1', '10.2.0.1', 3);
      await until('a mapping', () => ear.mappings.length > 0);
      assert.deepEqual(ear.mappings, [{ id: IN, source: { address: '10.9.0.2', port: 4555 } }]);
      const before = await backend.querySa(IN);
      await backend.moveSa(IN, { address: '10.9.0.2', port: 4555 }, { address: '10.9.0.1', port: 4500 });
      assert.equal(await echoes('10.1.0.1', '10.2.0.1'), 2);
      const usage = await backend.querySa(IN);
      assert.deepEqual([ear.mappings.length, usage.addedAt], [1, before.addedAt]);
      assert.equal(usage.packets, before.packets + 2);
    } finally {
      ours.close();
    }
  });

  it('moves SAs to another address of the peer: no sequence number is used twice, no packet is taken twice', async () => {
    peerPolicies('tunnel', '10.1.0.0/16', '10.2.0.0/16');
    await addPair({});
    await backend.putFlow(flow());
    assert.equal(await echoes('10.1.0.1', '10.2.0.1'), 2);
    const here = { address: '10.9.0.1', port: 0 };
    const there = { address: '10.9.0.4', port: 0 };
    const before = await backend.querySa(OUT);
    const outbound = await backend.moveSa(OUT, here, there);
    const inbound = await backend.moveSa(IN, there, here);
    assert.deepEqual([outbound, inbound], [{ ...OUT, destination: '10.9.0.4' }, IN]);
    await backend.putFlow(flow({ remoteAddress: '10.9.0.4' }));
    // The peer keeps its replay window: that of SAs made anew would take anything.
    const states = run('ip -s xfrm state');
    assert.match(states, /oseq 0x00010002|oseq 0x10002/);
    assert.match(states, /seq-hi 0x0, seq 0x2,/);
    runAtPeer('xfrm state flush');
    runAtPeer('xfrm policy flush');
    runAtPeer(
      `xfrm policy add src 10.2.0.0/16 dst 10.1.0.0/16 dir out tmpl src 10.9.0.4 dst 10.9.0.1 proto esp reqid 1 mode tunnel`,
    );
    runAtPeer(
      `xfrm policy add src 10.1.0.0/16 dst 10.2.0.0/16 dir in tmpl src 10.9.0.1 dst 10.9.0.4 proto esp mode tunnel`,
    );
    mirror(inboundSa({ source: '10.9.0.4' }), 'replay-seq 0 replay-oseq 2');
    mirror(outboundSa({ destination: '10.9.0.4' }), 'replay-seq 2 replay-window 32 replay-oseq 0');
    assert.equal(await echoes('10.1.0.1', '10.2.0.1'), 2);
    const after = await backend.querySa(outbound);
    assert.deepEqual([after.packets, after.addedAt], [before.packets + 2, before.addedAt]);
    assert.equal((await backend.querySa(inbound)).packets, 4);
    await assert.rejects(backend.querySa(OUT), isMissing);
  });

  it('lists and removes what is ours, and leaves alone what others made', async () => {
    const foreign = (): string =>
      run('ip xfrm state list reqid 7; ip xfrm policy list dst 10.8.0.0/16').replace(/add .* use.*/g, '');
    run(
      "ip xfrm state add src 10.9.0.1 dst 10.9.0.2 proto esp spi 0x777 reqid 7 mode tunnel enc 'cbc(aes)' 0x33333333333333333333333333333333",
    );
    run(
      'ip xfrm policy add src 10.1.0.0/16 dst 10.8.0.0/16 dir out tmpl src 10.9.0.1 dst 10.9.0.2 proto esp reqid 7 mode tunnel',
    );
    const before = foreign();
    assert.match(before, /spi 0x00000777[\s\S]*dst 10\.8\.0\.0/);
    await backend.addSa(inboundSa(), saContext());
    await backend.addSa(outboundSa(), saContext({ route: { mark: 1, markMask: 1, interfaceId: 0 } }));
    await backend.putFlow(flow());
    await assert.rejects(
      backend.putFlow(flow({ id: 2, remote: network('10.8.0.0', 16) })),
      (fault) => fault instanceof KernelError && fault.reason === 'exists',
    );
    await backend.close();
    await open();
    const { sas, policies } = await backend.listOwn();
    assert.deepEqual(
      [sas.map(({ id }) => id.spi).sort(), policies.map(({ reqid }) => reqid)],
      [[0x1001, 0x2001], [flow().reqid]],
    );
    await backend.purgeOwn();
    assert.deepEqual(await backend.listOwn(), { sas: [], policies: [] });
    assert.equal(foreign(), before);
  });

  it('says in words why it refuses', async () => {
    await assert.rejects(
      backend.addSa(outboundSa({ encryptionKey: keyOf(15) }), saContext()),
      (fault) => fault instanceof KernelError && fault.reason === 'unsupported',
    );
    await backend.addSa(inboundSa(), saContext());
    await assert.rejects(
      backend.addSa(inboundSa(), saContext()),
      (fault) => fault instanceof KernelError && fault.reason === 'exists',
    );
  });

  it('finds out what it was not told, where it has not listened in time', async () => {
    await backend.close();
    await open(100_000);
    const life = { ...NO_LIMITS, hardSeconds: 4 };
    const all = Array.from({ length: 1000 }, (_, i) =>
      backend.addSa(outboundSa({ spi: 0x10000 + i }), saContext({ life })),
    );
    await Promise.all(all);
    // This thread sleeps, and so does its socket.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 7000);
    const late = Array.from({ length: 64 }, (_, i) => backend.addSa(outboundSa({ spi: 0x20000 + i }), saContext()));
    const outcomes = await Promise.allSettled(late);
    await until('a loss', () => ear.losses.length > 0);
    const lost = ear.losses.flat();
    assert.ok(lost.length > 0 && ear.expires.length > 0);
    assert.equal(new Set([...lost, ...ear.expires.map(({ id }) => id)].map(({ spi }) => spi)).size, 1000);
    // Of those whose answers were lost none stays.
    const added = outcomes.filter(({ status }) => status === 'fulfilled').length;
    assert.equal((await backend.listOwn()).sas.length, added);
    assert.ok(added < 64);
    await backend.close();
    await open();
  });

  it('takes thousands of SAs at once, and lists them', async () => {
    const all = Array.from({ length: 3000 }, (_, i) => backend.addSa(outboundSa({ spi: 0x10000 + i }), saContext()));
    const added = performance.now();
    await Promise.all(all);
    const begun = performance.now();
    console.log(`# added 3000 SAs in ${Math.round(begun - added)} ms`);
    assert.equal((await backend.listOwn()).sas.length, 3000);
    console.log(`# listed 3000 SAs in ${Math.round(performance.now() - begun)} ms`);
  });
});

const isMissing = (fault: unknown): boolean => fault instanceof KernelError && fault.reason === 'missing';
