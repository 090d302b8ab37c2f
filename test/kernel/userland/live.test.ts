/** Two gateways with userland ESP, each in a network namespace, and real packets between them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  addSa,
  flowOf,
  type Gateway,
  MARK,
  openTunnel,
  type SaWish,
  type Tunnel,
  type TunnelWish,
} from '../../../loadtest/esp/gateways.ts';
import { namespacesFault } from '../../../loadtest/esp/namespaces.ts';
import type { OwnState } from '../../../src/kernel/backend.ts';
import { nativeAddonFault } from '../../../src/kernel/native/native.ts';
import { EspTransform } from '../../../src/shared/constants/ipsec-doi.ts';

import { protocolsOf, WireTap } from '../../helpers/wire-tap.ts';

const skip = nativeAddonFault() ?? namespacesFault();

const ESP = 50;
const UDP = 17;
const PORT = 7777;

const withTunnel = async (wish: TunnelWish, use: (left: Gateway, right: Gateway, tunnel: Tunnel) => Promise<void>) => {
  const tunnel = await openTunnel(wish);
  try {
    await use(tunnel.left, tunnel.right, tunnel);
  } finally {
    await tunnel.end();
  }
};

const putFlows = async (left: Gateway, right: Gateway): Promise<void> => {
  await left.endpoint.call({ kind: 'putFlow', flow: flowOf(left, right) });
  await right.endpoint.call({ kind: 'putFlow', flow: flowOf(right, left) });
};

const addPair = async (left: Gateway, right: Gateway, spi: number, wish: Partial<SaWish> = {}): Promise<void> => {
  await addSa(left, right, { ...wish, spi });
  await addSa(right, left, { ...wish, spi: spi + 1 });
};

/** Bytes over TCP through the tunnel arrive as they were sent. */
const transfer = async (left: Gateway, right: Gateway, bytes: number): Promise<void> => {
  const port = Number(await right.endpoint.call({ kind: 'serve', address: right.inner }));
  const to = { address: right.inner, port };
  const hash = await left.endpoint.call({ kind: 'send', from: left.inner, to, bytes });
  assert.deepEqual(await right.endpoint.event('received'), { size: bytes, hash });
};

const datagram = async (left: Gateway, right: Gateway, text: string, mark = 0): Promise<void> => {
  const to = { address: right.inner, port: PORT };
  await left.endpoint.call({ kind: 'datagram', from: left.inner, to, text, mark });
};

const drops = async (gateway: Gateway): Promise<Readonly<Record<string, number>>> => {
  const { drops: counters } = (await gateway.endpoint.call({ kind: 'statistics' })) as {
    drops: Record<string, number>;
  };
  return counters;
};

describe('userland ESP between two hosts', { skip }, () => {
  for (const [outer, inner] of [
    [4, 4],
    [6, 6],
    [4, 6],
    [6, 4],
  ] as const) {
    it(`carries TCP over IPv${inner} in ESP over IPv${outer}, and nothing else is on the wire`, async () => {
      await withTunnel({ outer, inner }, async (left, right) => {
        await putFlows(left, right);
        await addPair(left, right, 0x1001, inner === 4 ? {} : { transformId: EspTransform.AES });
        const tap = await WireTap.start(right.namespace);
        await transfer(left, right, 300_000);
        await transfer(right, left, 300_000);
        const packets = await tap.end();
        assert.ok(packets.length > 400);
        assert.deepEqual(protocolsOf(packets), [ESP]);
      });
    });
  }

  it('encapsulates in UDP beside IKE: each socket gets its own datagrams', async () => {
    await withTunnel({}, async (left, right) => {
      const [here, there] = [left, right].map(({ outer }) => ({ address: outer, port: 4500 }));
      assert.ok(here !== undefined && there !== undefined);
      await left.endpoint.call({ kind: 'encapsulate', local: here, mark: MARK });
      await right.endpoint.call({ kind: 'encapsulate', local: there, mark: MARK });
      await putFlows(left, right);
      await addPair(left, right, 0x1001, { udp: { source: 4500, destination: 4500 } });
      const tap = await WireTap.start(right.namespace);
      await left.endpoint.call({ kind: 'datagram', from: left.outer, to: there, text: '\0\0\0\0IKE', mark: MARK });
      await transfer(left, right, 300_000);
      await left.endpoint.call({ kind: 'datagram', from: left.outer, to: there, text: '!', mark: MARK });
      assert.equal(await right.endpoint.event('ike'), Buffer.from('\0\0\0\0IKE').toString('hex'));
      assert.equal(await right.endpoint.event('ike'), Buffer.from('!').toString('hex'));
      assert.deepEqual(protocolsOf(await tap.end()), [UDP]);
      assert.equal(right.endpoint.count('ike'), 0);
      assert.equal((await drops(right))['forged'], 0);
    });
  });

  it('tells where a peer behind NAT has moved, and follows it', async () => {
    await withTunnel({}, async (left, right) => {
      const ports = { source: 4500, destination: 4500 };
      for (const { endpoint, outer } of [left, right]) {
        await endpoint.call({ kind: 'encapsulate', local: { address: outer, port: 4500 }, mark: MARK });
      }
      await left.endpoint.call({ kind: 'encapsulate', local: { address: left.outer, port: 4600 }, mark: MARK });
      await putFlows(left, right);
      await addSa(left, right, { spi: 0x1001, udp: ports });
      await addSa(right, left, { spi: 0x1002, udp: ports });
      const [there, moved] = [
        { address: right.outer, port: 4500 },
        { address: left.outer, port: 4600 },
      ];
      const id = (spi: number, destination: string) => ({ protocolId: 3, spi, destination });
      await left.endpoint.call({ kind: 'moveSa', id: id(0x1001, right.outer), source: moved, destination: there });
      await right.endpoint.call({ kind: 'listen', local: { address: right.inner, port: PORT } });
      await datagram(left, right, 'from elsewhere');
      assert.deepEqual(await right.endpoint.event('mapping'), { id: id(0x1001, right.outer), source: moved });
      await right.endpoint.call({ kind: 'moveSa', id: id(0x1001, right.outer), source: moved, destination: there });
      await right.endpoint.call({ kind: 'moveSa', id: id(0x1002, left.outer), source: there, destination: moved });
      await left.endpoint.call({ kind: 'moveSa', id: id(0x1002, left.outer), source: there, destination: moved });
      await transfer(left, right, 20_000);
      assert.equal(right.endpoint.count('mapping'), 0);
    });
  });

  it('asks for an SA, and sends the packet that waited for it', async () => {
    await withTunnel({}, async (left, right) => {
      await putFlows(left, right);
      await right.endpoint.call({ kind: 'listen', local: { address: right.inner, port: PORT } });
      const tap = await WireTap.start(right.namespace);
      await datagram(left, right, 'first');
      await left.endpoint.event('acquire');
      await datagram(left, right, 'second');
      await addPair(left, right, 0x1001);
      assert.equal(await right.endpoint.event('datagram'), 'first');
      assert.deepEqual(protocolsOf(await tap.end()), [ESP]);
      assert.deepEqual(
        await right.endpoint
          .call({ kind: 'querySa', id: { protocolId: 3, spi: 0x1001, destination: right.outer } })
          .then((usage) => Object.keys(usage as object).length),
        4,
      );
    });
  });

  it('drops what comes in clear for a flow, for the host itself too', async () => {
    await withTunnel({}, async (left, right) => {
      left.namespace.run(`ip route add ${right.inner} via ${right.outer}`);
      await right.endpoint.call({ kind: 'listen', local: { address: right.inner, port: PORT } });
      // Without a flow it arrives: the way is there.
      await datagram(left, right, 'in clear, no flow', MARK);
      assert.equal(await right.endpoint.event('datagram'), 'in clear, no flow');
      await putFlows(left, right);
      await addPair(left, right, 0x1001);
      await datagram(left, right, 'in clear', MARK);
      await datagram(left, right, 'sealed');
      assert.equal(await right.endpoint.event('datagram'), 'sealed');
      await right.endpoint.call({ kind: 'deleteFlow', id: 1 });
      await datagram(left, right, 'in clear again', MARK);
      assert.equal(await right.endpoint.event('datagram'), 'in clear again');
    });
  });

  it('carries everything of a network, but neither its own packets nor those of other addresses', async () => {
    await withTunnel({}, async (left, right) => {
      const everywhere = { address: '0.0.0.0', prefixLength: 0, protocol: 0, port: 0 };
      await left.endpoint.call({ kind: 'putFlow', flow: flowOf(left, right, { remote: everywhere }) });
      await right.endpoint.call({ kind: 'putFlow', flow: flowOf(right, left, { local: everywhere }) });
      await addPair(left, right, 0x1001);
      await transfer(left, right, 20_000);
      await right.endpoint.call({ kind: 'listen', local: { address: right.outer, port: PORT } });
      const to = { address: right.outer, port: PORT };
      await left.endpoint.call({ kind: 'datagram', from: left.outer, to, text: 'not of the network', mark: 0 });
      assert.equal(await right.endpoint.event('datagram'), 'not of the network');
      assert.equal((await drops(left))['noFlow'], 0);
    });
  });

  it('protects two hosts whose outer addresses are what the flow is for', async () => {
    await withTunnel({}, async (left, right) => {
      const host = (address: string) => ({ address, prefixLength: 32, protocol: 0, port: 0 });
      const hosts = [
        { ...left, inner: left.outer, network: host(left.outer) },
        { ...right, inner: right.outer, network: host(right.outer) },
      ] as const;
      await putFlows(...hosts);
      await addPair(...hosts, 0x1001);
      const tap = await WireTap.start(right.namespace);
      await transfer(...hosts, 20_000);
      assert.deepEqual(protocolsOf(await tap.end()), [ESP]);
    });
  });

  it('drops a packet that was sent before', async () => {
    await withTunnel({}, async (left, right) => {
      await putFlows(left, right);
      await addPair(left, right, 0x1001);
      await right.endpoint.call({ kind: 'listen', local: { address: right.inner, port: PORT } });
      const tap = await WireTap.start(right.namespace);
      await datagram(left, right, 'once');
      assert.equal(await right.endpoint.event('datagram'), 'once');
      const [seen] = (await tap.end()).filter((packet) => packet[9] === ESP);
      assert.ok(seen !== undefined);
      await left.endpoint.call({ kind: 'inject', to: right.outer, packet: seen.subarray(20), mark: MARK });
      await datagram(left, right, 'and another');
      assert.equal(await right.endpoint.event('datagram'), 'and another');
      assert.equal((await drops(right))['replayed'], 1);
    });
  });

  it('gets TCP through a path that carries less than the device', async () => {
    await withTunnel({}, async (left, right) => {
      for (const { namespace } of [left, right]) namespace.run('ip link set out0 mtu 1300');
      await putFlows(left, right);
      await addPair(left, right, 0x1001);
      const tap = await WireTap.start(right.namespace);
      await transfer(left, right, 200_000);
      const packets = (await tap.end()).filter(([first = 0]) => first >> 4 === 4);
      assert.ok(packets.every((packet) => packet.length <= 1300));
      // Nothing was fragmented: flags and offset are 0 but for "don't fragment".
      assert.ok(packets.every((packet) => ((packet[6] ?? 0) & 0xbf) === 0 && packet[7] === 0));
      assert.ok(((await drops(left))['tooBig'] ?? 0) > 0);
    });
  });

  it('gets TCP through such a path in UDP too, where packets leave many at once', async () => {
    await withTunnel({}, async (left, right) => {
      for (const { namespace, endpoint, outer } of [left, right]) {
        namespace.run('ip link set out0 mtu 1300');
        await endpoint.call({ kind: 'encapsulate', local: { address: outer, port: 4500 }, mark: MARK });
      }
      await putFlows(left, right);
      await addPair(left, right, 0x1001, { udp: { source: 4500, destination: 4500 } });
      const tap = await WireTap.start(right.namespace);
      await transfer(left, right, 2_000_000);
      // It narrows while the tunnel is in use.
      for (const { namespace } of [left, right]) namespace.run('ip link set out0 mtu 1200');
      await transfer(left, right, 2_000_000);
      const packets = (await tap.end()).filter(([first = 0]) => first >> 4 === 4);
      assert.deepEqual(protocolsOf(packets), [UDP]);
      assert.ok(packets.every((packet) => ((packet[6] ?? 0) & 0xbf) === 0 && packet[7] === 0));
      assert.ok(((await drops(left))['tooBig'] ?? 0) > 0);
    });
  });

  it('lets nothing out in clear when its thread dies, says which SAs are lost, and goes on with new ones', async () => {
    await withTunnel({}, async (left, right) => {
      left.namespace.run(`ip route add ${right.inner} via ${right.outer}`);
      await putFlows(left, right);
      await addPair(left, right, 0x1001);
      await right.endpoint.call({ kind: 'listen', local: { address: right.inner, port: PORT } });
      const tap = await WireTap.start(right.namespace);
      left.namespace.run('ip link del ipsec0');
      // Whether the thread is dead, or just coming back: not in clear.
      await datagram(left, right, 'while it is dead').catch((fault: Error) =>
        assert.match(fault.message, /EINVAL|ENETUNREACH|EHOSTUNREACH/),
      );
      const gone = (await left.endpoint.event('lost')) as readonly { readonly spi: number }[];
      assert.deepEqual(gone.map(({ spi }) => spi).sort(), [0x1001, 0x1002]);
      const own = (await left.endpoint.call({ kind: 'listOwn' })) as OwnState;
      assert.deepEqual([own.sas.length, own.policies.length], [0, 1]);
      await right.endpoint.call({ kind: 'deleteSa', id: { protocolId: 3, spi: 0x1001, destination: right.outer } });
      await right.endpoint.call({ kind: 'deleteSa', id: { protocolId: 3, spi: 0x1002, destination: left.outer } });
      await addPair(left, right, 0x2001);
      await transfer(left, right, 20_000);
      assert.deepEqual(protocolsOf(await tap.end()), [ESP]);
    });
  });

  it('leaves flows closed behind, and removes all of it when told', async () => {
    await withTunnel({}, async (left, right) => {
      const rules = left.namespace.run('ip rule');
      await putFlows(left, right);
      await left.endpoint.call({ kind: 'close' });
      await assert.rejects(datagram(left, right, 'after the end'), /EINVAL|ENETUNREACH/);
      await left.open();
      await assert.rejects(datagram(left, right, 'with a successor'), /EINVAL|ENETUNREACH/);
      await left.endpoint.call({ kind: 'purgeOwn' });
      assert.equal(left.namespace.run('ip rule'), rules);
    });
  });
});
