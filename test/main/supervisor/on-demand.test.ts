/** Connections that are made for packets: their sections, how often each is used, and what becomes of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DaemonConfiguration } from '../../../src/main/configuration.ts';
import { OnDemand } from '../../../src/main/supervisor/on-demand.ts';
import type { ConnectionEvent } from '../../../src/shared/connection/events.ts';
import type { Acquire } from '../../../src/shared/kernel-news.ts';

const net = (address: string, prefixLength: number, protocol = 0, port = 0) => ({
  address,
  prefixLength,
  protocol,
  port,
});
const acquire = (changes: Partial<Acquire> = {}): Acquire => ({
  sequence: 3,
  flow: undefined,
  reqid: 5,
  source: '192.0.2.1',
  destination: '198.51.100.1',
  policy: { source: net('10.1.0.0', 16), destination: net('10.2.0.0', 24, 6, 80) },
  packet: undefined,
  ...changes,
});

const rig = (text = '') => {
  const logged: string[] = [];
  const told: ConnectionEvent[] = [];
  const configuration = new DaemonConfiguration((record) => logged.push(record.text));
  configuration.load(text, 'test.conf');
  const onDemand = new OnDemand({
    configuration,
    tell: (event) => told.push(event),
    log: (record) => logged.push(record.text),
  });
  const section = (name: string) =>
    Object.fromEntries(configuration.store.tags(name).map(({ tag, value }) => [tag, value]));
  return { configuration, onDemand, logged, told, section };
};

test('the sections are those of behaviour 5.17, and the connection is told with the upcall that it is for', () => {
  const { onDemand, told, section } = rig();
  onDemand.demand(acquire());
  assert.deepEqual(told, [{ kind: 'acquire', acquire: acquire(), connection: 'Connection-1' }]);
  assert.deepEqual(section('Connection-1'), {
    Phase: '2',
    'ISAKMP-peer': 'peer-198.51.100.1-local-192.0.2.1',
    Flags: '__ondemand',
    'Local-ID': 'from-10.1.0.0/16',
    'Remote-ID': 'to-10.2.0.0/24=6:80',
    Configuration: 'phase2-from-10.1.0.0/16-to-10.2.0.0/24=6:80',
    Refcount: '1',
  });
  assert.deepEqual(section('to-10.2.0.0/24=6:80'), {
    'ID-type': 'IPV4_ADDR_SUBNET',
    Network: '10.2.0.0',
    Netmask: '255.255.255.0',
    Protocol: '6',
    Port: '80',
    Refcount: '1',
  });
  assert.equal(section('peer-198.51.100.1-local-192.0.2.1')['Address'], '198.51.100.1');
  assert.equal(section('peer-198.51.100.1-local-192.0.2.1')['Local-address'], '192.0.2.1');
});

test('with a peer section that has a secret the connection can be negotiated, and its section stays when all is over', () => {
  const { configuration, onDemand, section } = rig(
    '[peer-198.51.100.1]\nPhase=1\nAddress=198.51.100.1\nAuthentication=mekmitasdigoat\n',
  );
  onDemand.demand(acquire());
  const policy = configuration.peer('peer-198.51.100.1');
  assert.deepEqual(
    policy?.connections.map(({ name, onDemand: isOnDemand }) => [name, isOnDemand]),
    [['Connection-1', true]],
  );
  onDemand.over('Connection-1');
  assert.deepEqual(configuration.peer('peer-198.51.100.1')?.connections, []);
  assert.equal(section('peer-198.51.100.1')['Authentication'], 'mekmitasdigoat');
  assert.equal(section('peer-198.51.100.1')['Refcount'], undefined);
});

test('the same traffic has one connection, other traffic another, and shared sections go with the last', () => {
  const { configuration, onDemand, told, section } = rig();
  const before = configuration.store.sections();
  onDemand.demand(acquire());
  onDemand.demand(acquire({ sequence: 4 }));
  const other = { source: net('10.1.0.0', 16), destination: net('10.9.9.9', 32) };
  onDemand.demand(acquire({ policy: undefined, packet: other }));
  assert.deepEqual(
    told.map((event) => event.kind === 'acquire' && event.connection),
    ['Connection-1', 'Connection-1', 'Connection-2'],
  );
  assert.equal(section('from-10.1.0.0/16')['Refcount'], '2');
  assert.deepEqual(section('to-10.9.9.9'), { 'ID-type': 'IPV4_ADDR', Address: '10.9.9.9', Refcount: '1' });
  onDemand.over('Connection-1');
  assert.equal(section('from-10.1.0.0/16')['Refcount'], '1');
  onDemand.over('Connection-2');
  assert.deepEqual(configuration.store.sections(), before);
  assert.equal(onDemand.size, 0);
});

test('after a reload, which voids it, a connection is made anew', () => {
  const { configuration, onDemand, told, section } = rig();
  onDemand.demand(acquire());
  configuration.load('[General]\nRetransmits=3\n', 'test.conf');
  onDemand.demand(acquire());
  assert.equal(told.at(-1)?.kind === 'acquire' && section('Connection-2')['Phase'], '2');
  assert.equal(section('from-10.1.0.0/16')['Network'], '10.1.0.0');
});

test('where no connection can be made the operator hears why', () => {
  const { onDemand, told, logged } = rig();
  onDemand.demand(acquire({ destination: '0.0.0.0' }));
  onDemand.demand(acquire({ policy: undefined }));
  assert.deepEqual(told, []);
  assert.match(logged[0] ?? '', /by way of 0.0.0.0: its policy names no peer/);
  assert.match(logged[1] ?? '', /the kernel does not say which it is/);
});

test('policies that are too general make no thousands of connections', () => {
  const { onDemand, told, logged } = rig();
  for (let i = 0; i < 1010; i++) {
    const destination = net(`10.3.${i >> 8}.${i & 255}`, 32);
    onDemand.demand(acquire({ policy: undefined, packet: { source: net('10.1.0.1', 32), destination } }));
  }
  assert.equal(told.length, 1000);
  assert.match(logged.at(-1) ?? '', /there are 1000 such connections already/);
});
