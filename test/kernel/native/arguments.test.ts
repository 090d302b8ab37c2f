import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddressFamily, SocketType } from '../../../src/kernel/linux-sockets.ts';
import { type Descriptor, type NativeAddon, nativeAddon } from '../../../src/kernel/native/native.ts';
import { loopback, NEEDS_ADDON } from '../../helpers/native.ts';

type Functions = { readonly [Name in keyof NativeAddon]: (...values: readonly unknown[]) => unknown };

/** TypeScript would not let wrong arguments through. */
const functions = (): Functions => nativeAddon() as unknown as Functions;

const opened = (): Descriptor => nativeAddon().openSocket(AddressFamily.INET, SocketType.DGRAM, 0);

const NOTHING = (): void => undefined;
const BYTES = new Uint8Array(4);

/** Names of the arguments, in order, each with values of a wrong type and of a wrong range; the descriptor is left out. */
const ARGUMENTS: Partial<Record<keyof NativeAddon, readonly Argument[]>> = {
  bindSocket: [bytes('address', loopback(0), [new Uint8Array(1), new Uint8Array(129)])],
  connectSocket: [bytes('address', loopback(9), [new Uint8Array(0), new Uint8Array(1000)])],
  setOption: [
    integer('level', 1),
    integer('name', 2),
    bytes('value', BYTES, [new Uint8Array(0), new Uint8Array(4097)]),
  ],
  getOption: [integer('level', 1), integer('name', 2), integer('length', 4, [0, 4097])],
  sendPacket: [
    bytes('packet', BYTES, [[], Array(9).fill(BYTES), new Uint8Array((1 << 18) + 1)]),
    bytes('destination', loopback(9), [new Uint8Array(1), new Uint8Array(129)], [undefined]),
    bytes(
      'source',
      Uint8Array.of(127, 0, 0, 1),
      [new Uint8Array(3), new Uint8Array(5), new Uint8Array(17)],
      [undefined],
    ),
    integer('interfaceIndex', 0, [-1, 2 ** 31], [undefined]),
  ],
  startReading: [
    integer('maxSize', 1, [0, (1 << 18) + 1]),
    integer('batch', 1, [0, 65]),
    callback('onBatch'),
    callback('onError'),
  ],
  onceWritable: [callback('callback')],
};

interface Argument {
  readonly name: string;
  readonly good: unknown;
  readonly wrongType: readonly unknown[];
  readonly wrongRange: readonly unknown[];
}

function bytes(
  name: string,
  good: Uint8Array,
  wrongRange: readonly unknown[],
  allowed: readonly unknown[] = [],
): Argument {
  const wrong = [
    undefined,
    null,
    'text',
    7,
    {},
    new Uint16Array(2),
    new DataView(new ArrayBuffer(4)),
    new ArrayBuffer(4),
  ];
  return { name, good, wrongRange, wrongType: wrong.filter((value) => !allowed.includes(value)) };
}

function integer(
  name: string,
  good: number,
  wrongRange: readonly unknown[] = [-1, 2 ** 31],
  allowed: readonly unknown[] = [],
): Argument {
  const wrong = [undefined, null, '1', {}, 1n, true].filter((value) => !allowed.includes(value));
  const odd = [0.5, Number.NaN, Number.POSITIVE_INFINITY, -(2 ** 53), 2 ** 63];
  return { name, good, wrongType: wrong, wrongRange: [...wrongRange, ...odd] };
}

function callback(name: string): Argument {
  return { name, good: NOTHING, wrongType: [undefined, null, {}, 'f'], wrongRange: [] };
}

const refuses = (call: () => unknown, kind: typeof TypeError | typeof RangeError, name: string): void => {
  assert.throws(call, (fault) => {
    assert.ok(fault instanceof kind, `${fault}`);
    assert.match(fault.message, new RegExp(`^${name} must`));
    return true;
  });
};

const checkAll = (call: (...values: readonly unknown[]) => unknown, rows: readonly Argument[]): void => {
  const good = rows.map((row) => row.good);
  for (const [index, { name, wrongType, wrongRange }] of rows.entries()) {
    for (const value of wrongType) refuses(() => call(...good.with(index, value)), TypeError, name);
    for (const value of wrongRange) refuses(() => call(...good.with(index, value)), RangeError, name);
  }
};

describe('arguments of the addon', NEEDS_ADDON, () => {
  for (const [name, rows] of Object.entries(ARGUMENTS)) {
    it(`${name} says which one is wrong`, () => {
      const descriptor = opened();
      const call = functions()[name as keyof NativeAddon];
      checkAll((...values) => call(descriptor, ...values), rows);
      nativeAddon().closeDescriptor(descriptor);
    });
  }

  it('openSocket says which one is wrong, and opens no stream', () => {
    checkAll(functions().openSocket, [
      integer('family', 2, [0, 65_536]),
      integer('type', SocketType.DGRAM, [1, 4, 5]),
      integer('protocol', 0, [-1, 65_536]),
    ]);
  });

  it('createFifo, openTun and the names of interfaces do too', () => {
    const text = (name: string, most: number): Argument => ({
      name,
      good: 'x',
      wrongType: [undefined, null, 7, {}, BYTES],
      wrongRange: ['', 'x'.repeat(most + 1), 'a\0b', 'é'.repeat(most / 2 + 1)],
    });
    checkAll((mode) => functions().createFifo('/nowhere/at/all', mode), [integer('mode', 0o600, [-1, 0o1000])]);
    checkAll((path) => functions().createFifo(path, 0o600), [text('path', 4095)]);
    checkAll((name) => functions().openTun(name, 1), [text('name', 15)]);
    checkAll((flags) => functions().openTun('x', flags), [integer('flags', 1, [-1, 65_536])]);
    checkAll(functions().interfaceIndex, [text('name', 15)]);
    checkAll(functions().interfaceName, [integer('index', 1, [0, 2 ** 32])]);
  });

  it('takes only descriptors of its own', () => {
    const wrong = [undefined, null, 3, 'fd', {}, [], NOTHING, new Uint8Array(8), Object.create(opened())];
    for (const name of [...Object.keys(ARGUMENTS), 'localName', 'closeDescriptor'] as (keyof NativeAddon)[]) {
      for (const value of wrong) {
        const rest = (ARGUMENTS[name] ?? []).map(({ good }) => good);
        refuses(() => functions()[name](value, ...rest), TypeError, 'descriptor');
      }
    }
  });

  it('answers EBADF for a descriptor that is closed, which may be closed again', () => {
    const descriptor = opened();
    nativeAddon().closeDescriptor(descriptor);
    nativeAddon().closeDescriptor(descriptor);
    for (const name of [...Object.keys(ARGUMENTS), 'localName'] as (keyof NativeAddon)[]) {
      const rest = (ARGUMENTS[name] ?? []).map(({ good }) => good);
      assert.throws(() => functions()[name](descriptor, ...rest), { code: 'EBADF', errno: -9 }, name);
    }
  });

  it('sends nothing of an array whose getter closes the socket', () => {
    const descriptor = opened();
    const parts = [BYTES, BYTES];
    Object.defineProperty(parts, 1, {
      get: () => {
        nativeAddon().closeDescriptor(descriptor);
        return BYTES;
      },
    });
    assert.throws(() => nativeAddon().sendPacket(descriptor, parts, loopback(9)), { code: 'EBADF' });
  });

  it('hands on what a getter throws', () => {
    const descriptor = opened();
    const parts = Object.defineProperty([BYTES], 0, {
      get: () => {
        throw new RangeError('mine');
      },
    });
    assert.throws(() => nativeAddon().sendPacket(descriptor, parts, loopback(9)), /^RangeError: mine$/);
    nativeAddon().closeDescriptor(descriptor);
  });

  it('names code, number and call of what the system refuses', () => {
    const descriptor = opened();
    assert.throws(() => nativeAddon().setOption(descriptor, 1, 9999, BYTES), {
      name: 'Error',
      code: 'ENOPROTOOPT',
      errno: -92,
      syscall: 'setsockopt',
      message: 'ENOPROTOOPT: protocol not available, setsockopt',
    });
    nativeAddon().closeDescriptor(descriptor);
  });
});
