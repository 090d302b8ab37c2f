import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DaemonConfiguration } from '../../../src/main/configuration.ts';
import { AddressWatch } from '../../../src/main/network/address-watch.ts';
import { Listening } from '../../../src/main/network/listening.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import { interfaces } from '../../helpers/interfaces.ts';

/** A host whose addresses the test chooses; a socket opens on those alone. */
const setUp = async (
  listenOn: string | undefined,
  host: Readonly<Record<string, readonly string[]>>,
  default4?: string,
) => {
  const lines: string[] = [];
  const log = ({ text }: { readonly text: string }): void => void lines.push(text);
  const configuration = new DaemonConfiguration(log);
  configuration.load(listenOn === undefined ? '' : `[General]\nListen-on=${listenOn}\n`, 'isakmpd.conf');
  const open = new Set<string>();
  const taken = new Set<string>();
  const local = new Set<string>();
  const listening = new Listening({
    configuration,
    log,
    network: {
      listen: async (addresses) => {
        const fault = addresses.find((address) => taken.has(address));
        if (fault !== undefined) throw new SystemError(`cannot listen on ${fault}`);
        for (const address of open) if (!addresses.includes(address)) open.delete(address);
        for (const address of addresses) if (local.has(address)) open.add(address);
        return addresses.filter((address) => !open.has(address));
      },
      endpoints: () => Array.from(open, (address) => ({ address, port: 500 })),
    },
  });
  const set = (state: Readonly<Record<string, readonly string[]>>): void => {
    local.clear();
    for (const address of Object.values(state).flat()) local.add(address);
    configuration.store.addressBook.setInterfaces(interfaces(state, default4));
  };
  set(host);
  await listening.rescan();
  return { configuration, listening, lines, open, set, taken };
};

it('listens on every address of the host where nothing else is said, and follows them', async () => {
  const { listening, open, set, lines } = await setUp(undefined, { lo: ['127.0.0.1'], eth0: ['192.0.2.1'] });
  assert.deepEqual([...open], ['127.0.0.1', '192.0.2.1']);
  set({ lo: ['127.0.0.1'], eth1: ['192.0.2.7', '2001:db8::7'] });
  await listening.addressesChanged();
  assert.deepEqual([...open], ['127.0.0.1', '192.0.2.7', '2001:db8::7']);
  assert.deepEqual(lines, []);
});

it('an interface stands for all its addresses, default for the one of the default route', async () => {
  const host = { lo: ['127.0.0.1'], eth0: ['192.0.2.1', '2001:db8::1'], eth1: ['198.51.100.1'] };
  assert.deepEqual([...(await setUp('eth0', host)).open], ['192.0.2.1', '2001:db8::1']);
  assert.deepEqual([...(await setUp('default, 127.0.0.1', host, 'eth1')).open], ['198.51.100.1', '127.0.0.1']);
});

it('an address that is not there is no fault: one line, and it is opened when it comes', async () => {
  const { listening, open, set, lines } = await setUp('192.0.2.1,192.0.2.100', { eth0: ['192.0.2.1'] });
  assert.deepEqual([...open], ['192.0.2.1']);
  assert.deepEqual(lines, [
    '[General]:Listen-on has 192.0.2.100, but this host has no such address yet: it is opened when it has',
  ]);
  assert.equal(listening.isDue, true);
  await listening.addressesChanged();
  assert.equal(lines.length, 1, 'said once');
  set({ eth0: ['192.0.2.1', '192.0.2.100'] });
  await listening.addressesChanged();
  assert.deepEqual([...open], ['192.0.2.1', '192.0.2.100']);
  assert.equal(lines.at(-1), '[General]:Listen-on: 192.0.2.100 is no longer waited for');
  assert.equal(listening.isDue, false);
});

it('an address that goes loses its socket, and gets one when it returns', async () => {
  const { listening, open, set, lines } = await setUp('192.0.2.1,192.0.2.100', { eth0: ['192.0.2.1', '192.0.2.100'] });
  set({ eth0: ['192.0.2.1'] });
  await listening.addressesChanged();
  assert.deepEqual([...open], ['192.0.2.1']);
  assert.match(lines.at(-1) ?? '', /Listen-on has 192\.0\.2\.100, but this host has no such address yet/);
  set({ eth0: ['192.0.2.100', '192.0.2.1'] });
  await listening.addressesChanged();
  assert.deepEqual([...open], ['192.0.2.1', '192.0.2.100']);
});

it('starts without any address, says what it waits for, and takes the first one that comes', async () => {
  const { listening, open, set, lines } = await setUp('eth7,192.0.2.100', { lo: ['127.0.0.1'] });
  assert.equal(open.size, 0);
  assert.deepEqual(lines.slice(-1), [
    'there is no address to listen on yet: no peer can be reached until there is one',
  ]);
  assert.equal(lines.length, 3);
  set({ lo: ['127.0.0.1'], eth7: ['192.0.2.7'] });
  await listening.addressesChanged();
  assert.deepEqual([...open], ['192.0.2.7']);
});

it('an address that another program has is an error at start, and a line later on', async () => {
  const { listening, lines, set, taken } = await setUp(undefined, { eth0: ['192.0.2.1'] });
  taken.add('192.0.2.2');
  set({ eth0: ['192.0.2.1', '192.0.2.2'] });
  await assert.rejects(listening.rescan(), SystemError);
  await listening.addressesChanged();
  assert.deepEqual(lines, ['cannot listen on 192.0.2.2']);
});

it('a host in Listen-on that gets another address moves its socket at the next scan, which is due then', async () => {
  const { configuration, listening, open, lines } = await setUp('gate.example.net', {
    eth0: ['192.0.2.1', '192.0.2.2', '192.0.2.3'],
  });
  const answer = (...addresses: readonly string[]): void =>
    configuration.store.addressBook.setHost('gate.example.net', { kind: 'addresses', addresses });
  assert.deepEqual([open.size, listening.isDue], [0, true]);
  answer('192.0.2.1', '192.0.2.2');
  await listening.addressesChanged();
  assert.deepEqual([[...open], listening.isDue], [['192.0.2.1', '192.0.2.2'], false]);
  answer('192.0.2.2', '192.0.2.1');
  assert.equal(listening.isDue, false, 'the order says nothing');
  configuration.store.set('General', 'Listen-on', '192.0.2.3', true);
  assert.equal(listening.isDue, false, 'an edit waits for a reload');
  configuration.store.set('General', 'Listen-on', 'gate.example.net', true);
  answer('192.0.2.3');
  assert.equal(listening.isDue, true);
  await listening.addressesChanged();
  assert.deepEqual([[...open], listening.isDue], [['192.0.2.3'], false]);
  assert.equal(lines.at(-1), '[General]:Listen-on: gate.example.net is no longer waited for');
});

it('the watch looks again and again, says whether anything has changed, and nothing after its end', () => {
  const state = { now: interfaces({ eth0: ['192.0.2.1'] }) };
  const looks: boolean[] = [];
  let look: (() => void) | undefined;
  const { addressBook } = new DaemonConfiguration(() => undefined).store;
  addressBook.setInterfaces(state.now);
  const watch = new AddressWatch({
    read: () => state.now,
    book: addressBook,
    onLook: (isChanged) => void looks.push(isChanged),
    schedule: (_, callback) => {
      look = callback;
      return () => {
        look = undefined;
      };
    },
  });
  look?.();
  state.now = interfaces({ eth0: ['192.0.2.1'] }, 'eth0');
  look?.();
  look?.();
  assert.deepEqual(looks, [false, true, false], 'a new default route is a change');
  watch.close();
  assert.equal(look, undefined);
});
