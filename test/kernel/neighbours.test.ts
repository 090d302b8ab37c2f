import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FlowEnds, passagesOf } from '../../src/kernel/neighbours.ts';
import type { Selector } from '../../src/shared/flow.ts';

const net = (address: string, prefixLength: number, protocol = 0, port = 0): Selector => ({
  address,
  prefixLength,
  protocol,
  port,
});

const HOSTS: FlowEnds = { local: net('fd09::1', 128), remote: net('fd09::2', 128), localAddress: 'fd09::1' };

/** `out 135 fd09::1/128 > fd09::2/128`; all of them ICMPv6 of any code. */
const texts = (flow: FlowEnds): readonly string[] =>
  passagesOf(flow).map(({ direction, source, destination }) => {
    assert.deepEqual([source.protocol, destination.protocol, destination.port], [58, 58, 0]);
    return `${direction} ${source.port} ${source.address}/${source.prefixLength} > ${destination.address}/${destination.prefixLength}`;
  });

describe('beside a flow of IPv6 passes', () => {
  it('neighbour discovery of RFC 4861 between the two hosts, in either direction, and nothing else', () => {
    assert.deepEqual(
      [...texts(HOSTS)].sort(),
      [133, 134, 135, 136, 137]
        .flatMap((type) => [`in ${type} fd09::2/128 > fd09::1/128`, `out ${type} fd09::1/128 > fd09::2/128`])
        .sort(),
    );
  });

  it('where the flow is for all there is, what the host itself says on its link, but nothing of whom it forwards for', () => {
    const all = texts({ ...HOSTS, local: net('::', 0), remote: net('::', 0) });
    assert.deepEqual(
      all.filter((text) => text.includes(' 135 ')),
      [
        'out 135 fd09::1/128 > ::/0',
        'out 135 fe80::/10 > ::/0',
        'in 135 ::/0 > fd09::1/128',
        'in 135 ::/0 > fe80::/10',
        'in 135 ::/0 > ff02::/16',
      ],
    );
    assert.equal(all.length, 25);
  });

  it('nothing where the flow is for others than the host, for IPv4, or for what is no neighbour discovery', () => {
    assert.deepEqual(passagesOf({ ...HOSTS, local: net('fd01::', 64), remote: net('fd02::', 64) }), []);
    const ipv4 = { local: net('10.9.0.1', 32), remote: net('10.9.0.2', 32), localAddress: '10.9.0.1' };
    assert.deepEqual(passagesOf(ipv4), []);
    for (const [protocol, port] of [
      [6, 0],
      [58, 128],
      [0, 22],
    ] as const) {
      const flow = { ...HOSTS, local: net('fd09::1', 128, protocol, port), remote: net('fd09::2', 128, protocol) };
      assert.deepEqual(passagesOf(flow), [], `protocol ${protocol}`);
    }
  });

  it('the same for a host with a zone, and for a flow of ICMPv6 alone', () => {
    const local = { local: net('fe80::1', 128), remote: net('fe80::2', 128), localAddress: 'fe80::1%eth0' };
    assert.equal(texts(local)[0], 'out 133 fe80::1/128 > fe80::2/128');
    const icmp = { ...HOSTS, local: net('fd09::1', 128, 58), remote: net('fd09::2', 128, 58) };
    assert.deepEqual(passagesOf(icmp), passagesOf(HOSTS));
  });
});
