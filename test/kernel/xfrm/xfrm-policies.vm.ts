/**
 * Policies, reserved SPIs and acquires on a real kernel, which need no ESP: run within a network namespace that is the test's own, as root
 * (xfrm-host.test.ts makes one).
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { after, before, describe, it } from 'node:test';
import { KernelError } from '../../../src/kernel/backend.ts';
import { openXfrmSocket } from '../../../src/kernel/native/kernel-sockets.ts';
import { Conversation } from '../../../src/kernel/xfrm/conversation.ts';
import { XfrmFlows } from '../../../src/kernel/xfrm/flows.ts';
import { Mode, XFRM_GROUPS } from '../../../src/kernel/xfrm/layout.ts';
import { allocateSpi, deleteSa } from '../../../src/kernel/xfrm/sa-messages.ts';
import { readSa } from '../../../src/kernel/xfrm/sa-state.ts';
import { XfrmSas } from '../../../src/kernel/xfrm/sas.ts';
import { Upcalls } from '../../../src/kernel/xfrm/upcalls.ts';
import { NO_ROUTE } from '../../../src/shared/flow.ts';
import { realTimers, run, until } from '../../helpers/two-gates.ts';
import { Ear, flow, network, outboundSa, RANGE, saContext } from '../../helpers/xfrm-world.ts';

const ear = new Ear();
const conversation: Conversation = new Conversation(openXfrmSocket(XFRM_GROUPS), realTimers, {
  upcall: (message) => upcalls.take(message),
  overrun: () => assert.fail('an overrun'),
  failed: (error) => assert.fail(error),
});
const REQIDS = { current: RANGE, former: [] };
const sas = new XfrmSas(conversation, REQIDS);
const flows = new XfrmFlows(conversation, REQIDS);
const upcalls = new Upcalls(ear, RANGE, sas, flows);

const isRefusedAs = (reason: string) => (fault: unknown) => fault instanceof KernelError && fault.reason === reason;

describe('XFRM without SAs on a real kernel', () => {
  before(() => {
    run('ip link set lo up; ip link add gate type veth peer name wire; ip link set gate up; ip link set wire up');
    run('ip address add 10.9.0.1/24 dev gate; ip address add 10.1.0.1/32 dev lo');
    run('ip route add 10.2.0.0/16 via 10.9.0.2 src 10.1.0.1');
  });

  after(() => {
    conversation.close();
    run('ip link delete gate; ip address delete 10.1.0.1/32 dev lo');
  });

  it('has the policies of a flow, the most specific one first, until it goes', async () => {
    await flows.put(flow());
    const host = { ...network('10.2.0.9', 32), protocol: 6, port: 22 };
    await flows.put(flow({ id: 2, remote: host, local: { ...network('10.1.0.0', 16), protocol: 6 }, reqid: 1002 }));
    const listed = run('ip xfrm policy');
    assert.match(listed, /src 10\.1\.0\.0\/16 dst 10\.2\.0\.9\/32 proto tcp dport 22/);
    const priorityOf = (selectors: string): number =>
      Number(new RegExp(`${selectors}[^\\n]*\\n\\s+dir out priority (\\d+)`).exec(listed)?.[1]);
    assert.ok(priorityOf('dst 10.2.0.9/32') < priorityOf('dst 10.2.0.0/16'));
    assert.deepEqual(listed.match(/dir (in|out|fwd)/g)?.sort(), [
      ...['dir fwd', 'dir fwd', 'dir in', 'dir in', 'dir out', 'dir out'],
    ]);
    assert.equal((await flows.listOwn()).length, 6);
    await flows.delete(1);
    await flows.delete(2);
    assert.equal(run('ip xfrm policy'), '');
  });

  it('has policies of IPv6, of marks and of interfaces', async () => {
    await flows.put(
      flow({
        local: network('2001:db8:1::', 48),
        remote: network('2001:db8:2::', 48),
        localAddress: '2001:db8::1',
        remoteAddress: '2001:db8::2',
        route: { mark: 0x10, markMask: 0xff, interfaceId: 42 },
      }),
    );
    const listed = run('ip xfrm policy');
    assert.match(listed, /src 2001:db8:1::\/48 dst 2001:db8:2::\/48 \n\s+dir out/);
    assert.match(listed, /mark 0x10\/0xff \n\s+tmpl src 2001:db8::1 dst 2001:db8::2/);
    assert.match(listed, /if_id 0x2a/);
    await flows.purgeOwn();
    assert.equal(run('ip xfrm policy'), '');
  });

  it("leaves somebody else's policies alone, even such as could be ours", async () => {
    run(
      'ip xfrm policy add src 10.2.0.0/16 dst 10.1.0.0/16 dir in tmpl src 10.9.0.2 dst 10.9.0.1 proto esp mode tunnel',
    );
    const foreign = run('ip xfrm policy');
    await assert.rejects(flows.put(flow()), isRefusedAs('exists'));
    await flows.purgeOwn();
    assert.equal(run('ip xfrm policy'), foreign);
    run('ip xfrm policy flush');
  });

  it('tells once of a packet that has no SA', async () => {
    await flows.put(flow({ id: 5 }));
    const socket = createSocket('udp4');
    socket.send(new Uint8Array(10), 9, '10.2.0.1');
    socket.send(new Uint8Array(10), 9, '10.2.0.1');
    await until('an acquire', () => ear.acquires.length > 0);
    socket.close();
    const [acquire, ...more] = ear.acquires;
    assert.deepEqual(
      [more.length, acquire?.flow, acquire?.source, acquire?.destination],
      [0, 5, '10.9.0.1', '10.9.0.2'],
    );
    assert.deepEqual(acquire?.packet?.destination, { address: '10.2.0.1', prefixLength: 32, protocol: 17, port: 9 });
    const { waiting } = await sas.resynchronize();
    // Where PF_KEY is loaded as well, the kernel has written that one's sequence number over the one that was told.
    assert.deepEqual(
      waiting.map(({ reqid }) => reqid),
      [1001],
    );
    await flows.delete(5);
  });

  const spec = {
    id: { protocolId: 3, spi: 0xabcd_1234, destination: '10.9.0.1' },
    source: '10.9.0.2',
    reqid: 1003,
    mode: Mode.TUNNEL,
    route: NO_ROUTE,
  };
  const reserve = (): Promise<number> => {
    const message = allocateSpi(spec, spec.id.spi, spec.id.spi);
    return conversation.answered(
      { question: 'reserve', what: 'reserve', message },
      (payload) => readSa(payload)?.id.spi,
    );
  };

  it('reserves an SPI once', async () => {
    assert.equal(await reserve(), spec.id.spi);
    await assert.rejects(reserve(), isRefusedAs('exists'));
    const message = deleteSa(spec.id, spec.source, NO_ROUTE);
    await conversation.acknowledged({ question: 'name SA', what: 'delete', message });
    assert.equal(await reserve(), spec.id.spi);
  });

  it('refuses in words', async () => {
    const sa = outboundSa({ encryptionKey: new Uint8Array(15) });
    await assert.rejects(sas.add(sa, saContext()), (fault) => {
      assert.ok(fault instanceof KernelError && fault.reason === 'unsupported');
      assert.match(fault.message, /^add ESP SA 00002001 to 10\.9\.0\.2: E[A-Z]+, (?:invalid argument|[A-Z][a-z ]+)/);
      return true;
    });
  });
});
