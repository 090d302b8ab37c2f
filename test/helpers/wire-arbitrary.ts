/** fast-check generators for payloads and messages, derived from the payload tables: a new field or payload is generated without a change here. */
import fc from 'fast-check';
import type { Shape, SizesBy, Table } from '../../src/shared/wire/fields.ts';
import type { OutHeader, OutPayload } from '../../src/shared/wire/message.ts';
import { PAYLOADS, type PayloadKind } from '../../src/shared/wire/payloads.ts';

type Values = Readonly<Record<string, unknown>>;

/** Mostly short, since long ones only make the tests slow; some long enough to need both bytes of a length. */
const bytes = (min: number, max: number): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    { weight: 9, arbitrary: fc.uint8Array({ minLength: min, maxLength: Math.min(max, min + 24) }) },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: min, maxLength: Math.min(max, min + 300) }) },
  );

const bytesOfSize = (size: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: size, maxLength: size });

const attribute = fc.record(
  {
    type: fc.integer({ min: 0, max: 0x7fff }),
    value: fc.oneof(fc.integer({ min: 0, max: 0xffff }), bytes(0, 0xffff)),
  },
  { noNullPrototype: true },
);

const numberAt = (values: Values, key: string): number => {
  const value = values[key];
  return typeof value === 'number' ? value : 0;
};

const sizedBytes = (sizes: SizesBy, by: number): fc.Arbitrary<Uint8Array> => {
  const allowed = sizes[by];
  return allowed === undefined ? bytes(0, 0xffff) : fc.constantFrom(...allowed).chain(bytesOfSize);
};

const sizedList = (sizes: SizesBy, by: number): fc.Arbitrary<readonly Uint8Array[]> => {
  const [first = 0, ...others] = sizes[by] ?? [];
  return fc.oneof(
    fc.array(bytesOfSize(first), { maxLength: 4 }),
    ...others.map((size) => fc.array(bytesOfSize(size), { minLength: 1, maxLength: 4 })),
  );
};

const chain = (shape: Extract<Shape, { kind: 'chain' }>): fc.Arbitrary<readonly Values[]> => {
  const inner = valuesOf(shape.inner);
  const number = (values: Values): number => numberAt(values, shape.number);
  const lengths = { minLength: 1, maxLength: Math.min(4, shape.max) };
  const any = shape.step === 0 ? fc.array(inner, lengths) : fc.uniqueArray(inner, { ...lengths, selector: number });
  return any.map((list) => list.toSorted((a, b) => number(a) - number(b)));
};

/** A field's values, given those of its siblings that it depends on. */
const ofShape = (shape: Shape, values: Values): fc.Arbitrary<unknown> => {
  switch (shape.kind) {
    case 'derived':
      return fc.constant(undefined);
    case 'number':
      return fc.integer({ min: 0, max: shape.max });
    case 'choice':
      return fc.constantFrom(...shape.values);
    case 'bytes':
      return bytes(shape.min, shape.max);
    case 'attributes':
      return fc.array(attribute, { maxLength: Math.min(6, shape.max) });
    case 'chain':
      return chain(shape);
    case 'sizedBytes':
      return sizedBytes(shape.sizes, numberAt(values, shape.sibling));
    case 'sizedList':
      return sizedList(shape.sizes, numberAt(values, shape.sibling));
  }
};

const dependsOnSibling = (shape: Shape): boolean => 'sibling' in shape;

/** Whatever a table can carry. */
const valuesOf = (table: Table): fc.Arbitrary<Values> => {
  const record = (dependent: boolean, values: Values): fc.Arbitrary<Values> =>
    fc.record(
      Object.fromEntries(
        table.rows
          .filter(({ shape }) => shape.kind !== 'derived' && dependsOnSibling(shape) === dependent)
          .map(({ key, shape }) => [key, ofShape(shape, values)]),
      ),
      { noNullPrototype: true },
    );
  if (!table.rows.some(({ shape }) => dependsOnSibling(shape))) return record(false, {});
  return record(false, {}).chain((values) => record(true, values).map((dependent) => ({ ...values, ...dependent })));
};

/** Holds for what `valuesOf` made from the table of the same kind. */
const isOutPayload = (_payload: {
  readonly kind: PayloadKind;
  readonly value: Values;
}): _payload is Exclude<OutPayload, { readonly kind: 'raw' }> => true;

const payloadOf = (kind: PayloadKind): fc.Arbitrary<OutPayload> =>
  valuesOf(PAYLOADS[kind])
    .map((value) => ({ kind, value }))
    .filter(isOutPayload);

const isKind = (name: string): name is PayloadKind => name in PAYLOADS;
export const KINDS: readonly PayloadKind[] = Object.keys(PAYLOADS).filter(isKind);

/** A payload of any kind, SA oftener than others since most can go wrong there; the NAT traversal ones under either number. */
const anyPayload: fc.Arbitrary<OutPayload> = fc
  .tuple(fc.oneof({ weight: 4, arbitrary: payloadOf('SA') }, ...KINDS.map(payloadOf)), fc.boolean())
  .map(([payload, draft]) => (payload.kind === 'NAT_D' || payload.kind === 'NAT_OA' ? { ...payload, draft } : payload));

const anyHeader: fc.Arbitrary<OutHeader> = fc.record(
  {
    initiatorCookie: bytesOfSize(8),
    responderCookie: bytesOfSize(8),
    exchangeType: fc.integer({ min: 0, max: 0xff }),
    flags: fc.integer({ min: 0, max: 0xff }),
    messageId: fc.integer({ min: 0, max: 0xffffffff }),
  },
  { noNullPrototype: true },
);

/** What a message is made of: up to six payloads of any kind in any order. */
export const anyMessage = fc.record({ header: anyHeader, payloads: fc.array(anyPayload, { maxLength: 6 }) });

/** Where random draws begin: a new place each run, or the one in ISAKMPD_TEST_SEED to repeat a run. */
const { ISAKMPD_TEST_SEED: givenSeed } = process.env;
export const SEED = givenSeed === undefined ? Date.now() % 0x7fffffff : Number(givenSeed);
