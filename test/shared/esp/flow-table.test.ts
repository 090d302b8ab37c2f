import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { InvariantError } from '../../../src/shared/errors.ts';
import { FlowTable } from '../../../src/shared/esp/flow-table.ts';
import { IpPacket, readIpPacket } from '../../../src/shared/esp/ip-packet.ts';
import { type CompiledSelector, compileSelector, fitsSelectors } from '../../../src/shared/esp/selector.ts';
import { ipPacket, type PacketWish } from '../../helpers/ip-packets.ts';

interface TestFlow {
  readonly name: string;
  readonly local: CompiledSelector;
  readonly remote: CompiledSelector;
  readonly priority: number;
}

const selector = (text: string): CompiledSelector => {
  const [network = '', protocol = '0', port = '0'] = text.split(' ');
  const [address = '', length = '32'] = network.split('/');
  return compileSelector({
    address,
    prefixLength: Number(length),
    protocol: Number(protocol),
    port: Number(port),
  });
};

const flow = (name: string, local: string, remote: string): TestFlow => {
  const [a, b] = [selector(local), selector(remote)];
  const weight = (one: CompiledSelector): number =>
    one.prefixLength * 6 + (one.protocol === 0 ? 0 : 3) + (one.port === 0 ? 0 : 1);
  return { name, local: a, remote: b, priority: 10_000 - weight(a) - weight(b) };
};

const parsed = (wish: PacketWish): [IpPacket, Uint8Array] => {
  const bytes = ipPacket(wish);
  const packet = new IpPacket();
  assert.ok(readIpPacket(packet, bytes, 0, bytes.length));
  return [packet, bytes];
};

const tableOf = (...flows: readonly TestFlow[]): FlowTable<TestFlow> => {
  const table = new FlowTable<TestFlow>();
  for (const one of flows) table.add(one);
  return table;
};

describe('flow table', () => {
  const net = flow('net', '10.1.0.0/16', '10.2.0.0/16');
  const host = flow('host', '10.1.0.0/16', '10.2.0.7/32');
  const dns = flow('dns', '10.1.0.0/16 17', '10.2.0.0/16 17 53');
  const all = flow('all', '0.0.0.0/0', '0.0.0.0/0');
  const six = flow('six', 'fd00:1::/32', 'fd00:2::/32');

  it('finds the most specific flow of a packet, in both directions', () => {
    const table = tableOf(all, net, dns, host, six);
    const out = (wish: PacketWish): string | undefined => table.outbound(...parsed(wish))?.name;
    const into = (wish: PacketWish): string | undefined => table.inbound(...parsed(wish))?.name;
    assert.equal(out({ source: '10.1.0.1', destination: '10.2.0.1' }), 'net');
    assert.equal(into({ source: '10.2.0.1', destination: '10.1.0.1' }), 'net');
    assert.equal(out({ source: '10.1.0.1', destination: '10.2.0.7' }), 'host');
    assert.equal(out({ source: '10.1.0.1', destination: '10.2.0.1', destinationPort: 53 }), 'dns');
    assert.equal(into({ source: '10.2.0.1', destination: '10.1.0.1', sourcePort: 53 }), 'dns');
    assert.equal(into({ source: '10.2.0.1', destination: '10.1.0.1', destinationPort: 53 }), 'net');
    assert.equal(out({ source: '10.1.0.1', destination: '10.2.0.1', protocol: 6, body: new Uint8Array(20) }), 'net');
    assert.equal(out({ source: '10.2.0.1', destination: '10.1.0.1' }), 'all');
    assert.equal(out({ source: 'fd00:1::1', destination: 'fd00:2::1' }), 'six');
    assert.equal(out({ source: 'fd00:1::1', destination: 'fd00:3::1' }), undefined);
    table.remove(all);
    table.remove(dns);
    assert.equal(out({ source: '10.2.0.1', destination: '10.1.0.1' }), undefined);
    assert.equal(out({ source: '10.1.0.1', destination: '10.2.0.1', destinationPort: 53 }), 'net');
  });

  it('gives a later fragment to the best flow without ports, and to one with ports where there is no other', () => {
    const later: PacketWish = { source: '10.1.0.1', destination: '10.2.0.1', fragmentOffset: 100 };
    assert.equal(tableOf(net, dns).outbound(...parsed(later))?.name, 'net');
    assert.equal(tableOf(dns).outbound(...parsed(later))?.name, 'dns');
    assert.equal(tableOf(dns).outbound(...parsed({ ...later, protocol: 6 })), undefined);
    const cut: PacketWish = { ...later, fragmentOffset: 0, hasMoreFragments: true, body: new Uint8Array(2) };
    assert.equal(tableOf(dns).outbound(...parsed(cut)), undefined);
  });

  it('has nothing to do with flows between families', () => {
    assert.throws(() => tableOf(flow('mixed', '10.0.0.0/8', 'fd00::/16')), InvariantError);
  });

  it('agrees with looking at every flow', () => {
    const network = fc.tuple(fc.constantFrom('10.1.0.0', '10.1.1.0', '10.2.1.128', '0.0.0.0'), fc.nat(32));
    const end = fc
      .tuple(network, fc.constantFrom('', ' 17', ' 17 53', ' 6 80'))
      .map(([[a, l], rest]) => `${a}/${l}${rest}`);
    const flows = fc.array(fc.tuple(end, end), { maxLength: 12 });
    const hosts = fc.constantFrom('10.1.0.0', '10.1.1.1', '10.2.1.129', '192.0.2.1');
    fc.assert(
      fc.property(flows, hosts, hosts, fc.constantFrom(53, 80), fc.nat(11), (ends, source, destination, port, gone) => {
        const list = ends.map(([local, remote], index) => {
          const one = flow(String(index), local, remote);
          return { ...one, priority: one.priority * 16 + index };
        });
        const table = tableOf(...list);
        const [removed] = list.splice(gone, 1);
        if (removed !== undefined) table.remove(removed);
        const [packet, bytes] = parsed({ source, destination, destinationPort: port });
        const fitting = list
          .filter(({ local, remote }) => fitsSelectors(packet, bytes, local, remote, 'refused'))
          .sort((a, b) => a.priority - b.priority);
        assert.equal(table.outbound(packet, bytes)?.name, fitting[0]?.name);
      }),
      { numRuns: 2000 },
    );
  });
});
