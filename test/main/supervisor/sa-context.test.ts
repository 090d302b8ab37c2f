/** What the kernel is told of an SA besides its keys. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { saContext } from '../../../src/main/supervisor/sa-context.ts';
import { EncapsulationMode } from '../../../src/shared/constants/ipsec-doi.ts';
import { identityFromText } from '../../../src/shared/policy/identity.ts';
import type { Agreement } from '../../../src/shared/threads/contract.ts';
import { ConnectionBench, pathTo } from '../../helpers/connection-bench.ts';

const maker = new ConnectionBench();
const agreement = (overrides: Partial<Agreement> = {}): Agreement => ({
  ...maker.agreement({ isakmp: 'a'.repeat(32), lifeSeconds: 3600 }),
  localSelector: identityFromText('10.1.0.0/255.255.0.0'),
  remoteSelector: { ...identityFromText('10.2.0.1'), protocol: 6, port: 80 },
  ...overrides,
});
const pair = (agreed: Agreement) => ({ agreement: agreed, reqid: 7, acquire: 42, sha2Truncation96: true });
const sa = (direction: 'in' | 'out', encapsulation: number = EncapsulationMode.TUNNEL) => ({
  direction,
  encapsulation,
});

test('the selectors of the inbound SA are those of the outbound one, exchanged', () => {
  const inner = { address: '10.1.0.0', prefixLength: 16, protocol: 0, port: 0 };
  const outer = { address: '10.2.0.1', prefixLength: 32, protocol: 6, port: 80 };
  assert.deepEqual(saContext(sa('out'), pair(agreement())).selectors, { source: inner, destination: outer });
  assert.deepEqual(saContext(sa('in'), pair(agreement())).selectors, { source: outer, destination: inner });
});

test('the SAs have the mark and the interface of their connection', () => {
  const route = { mark: 0x10, markMask: 0xff, interfaceId: 4 };
  assert.deepEqual(saContext(sa('out'), pair(agreement({ route }))).route, route);
});

test('what is no single prefix is no selector of an SA', () => {
  const remoteSelector = identityFromText('10.2.0.1-10.2.0.6');
  assert.equal(saContext(sa('in'), pair(agreement({ remoteSelector }))).selectors, undefined);
  const whole = identityFromText('10.2.0.0-10.2.0.255');
  assert.equal(saContext(sa('in'), pair(agreement({ remoteSelector: whole }))).selectors?.source.prefixLength, 24);
});

test('the UDP ports of the path count where the SA is encapsulated, in its direction', () => {
  const path = { ...pathTo({ address: '198.51.100.9', port: 40_000 }), encapsulated: true };
  const natT = agreement({ path: { ...path, local: { ...path.local, port: 4500 } } });
  assert.equal(saContext(sa('in'), pair(natT)).udp, undefined);
  for (const mode of [EncapsulationMode.UDP_ENCAP_TUNNEL, EncapsulationMode.UDP_ENCAP_TRANSPORT]) {
    assert.deepEqual(saContext(sa('in', mode), pair(natT)).udp, { source: 40_000, destination: 4500 });
    assert.deepEqual(saContext(sa('out', mode), pair(natT)).udp, { source: 4500, destination: 40_000 });
  }
});

test('the kernel ends an SA a minute after we should have, and says nothing about time before', () => {
  assert.deepEqual(saContext(sa('in'), pair(agreement())).life, {
    softSeconds: 0,
    hardSeconds: 3660,
    softBytes: 0,
    hardBytes: 0,
  });
  assert.equal(saContext(sa('in'), pair(agreement({ lifeSeconds: 0 }))).life.hardSeconds, 28_860);
});

test('of a life in kilobytes the initiator hears before the responder, and both before the end', () => {
  const ours = saContext(sa('in'), pair(agreement({ lifeKilobytes: 1000, role: 'initiator' }))).life;
  const theirs = saContext(sa('in'), pair(agreement({ lifeKilobytes: 1000, role: 'responder' }))).life;
  assert.equal(ours.hardBytes, 1_024_000);
  assert.ok(0 < ours.softBytes && ours.softBytes < theirs.softBytes && theirs.softBytes < theirs.hardBytes);
});
