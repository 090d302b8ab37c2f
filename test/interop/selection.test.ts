/** What the interoperability runs promise to cover, checked without running them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pairwise, product } from './pairwise.ts';
import { allScenarios, CELLS, type Scenario, selectedScenarios } from './scenarios.ts';

const ALL = allScenarios();
const SIDES = ['charon-initiator', 'charon-responder', 'pluto-initiator', 'pluto-responder'];

const axisValues = ({
  exchange,
  group,
  cipher,
  hash,
  pfs,
  mode,
  subnets,
  family,
  encap,
}: Scenario): readonly string[] =>
  Object.entries({ exchange, group, cipher, hash, pfs, mode, subnets, family, encap }).map(
    ([axis, value]) => `${axis} ${value}`,
  );

test('a full run has at least sixty scenarios, no two of one name', () => {
  const names = ALL.map(({ name }) => name);
  assert.ok(names.length >= 60, `${names.length} scenarios`);
  assert.equal(new Set(names).size, names.length);
});

for (const side of SIDES) {
  for (const cell of CELLS) {
    test(`a full run has at least three ${cell} scenarios with ${side}`, () => {
      const count = ALL.filter((scenario) => scenario.name.startsWith(`${side}/`) && scenario.cell === cell).length;
      assert.ok(count >= 3, `${count} scenarios`);
    });
  }
}

test('a full run shows every two values of the axes together with each peer in each role', () => {
  const missing: string[] = [];
  const values = [...new Set(ALL.flatMap(axisValues))];
  for (const side of SIDES) {
    const here = ALL.filter(({ name }) => name.startsWith(`${side}/`)).map((scenario) => new Set(axisValues(scenario)));
    for (const one of values) {
      for (const other of values) {
        const possible = !impossible(side, one, other);
        if (possible && !here.some((shown) => shown.has(one) && shown.has(other)))
          missing.push(`${side}: ${one}, ${other}`);
      }
    }
  }
  assert.deepEqual(missing, []);
});

test('the selection of continuous integration has every cell for both peers', () => {
  const seen = new Set(selectedScenarios().map(({ peer, cell }) => `${peer} ${cell}`));
  assert.equal(seen.size, 2 * CELLS.length);
});

for (const peer of ['charon', 'pluto']) {
  test(`continuous integration has ${peer} as a road warrior without a section in both exchanges, permitted and refused`, () => {
    const warriors = selectedScenarios().filter((one) => one.peer === peer && one.permittedBy === 'policy');
    assert.ok(warriors.every(({ peerRole, mode }) => peerRole === 'initiator' && mode === 'tunnel'));
    assert.deepEqual(warriors.map(({ exchange, expect }) => `${exchange} ${expect.kind}`).sort(), [
      'aggressive established',
      'aggressive refusal',
      'main established',
      'main refusal',
    ]);
  });
}

for (const side of SIDES) {
  const here = ALL.filter(({ name }) => name.startsWith(`${side}/`));
  const isPluto = side.startsWith('pluto');

  test(`certificates come with and without intermediate CA, asked for and not, whole and in fragments, with ${side}`, () => {
    const ways = new Set(
      here.flatMap(({ proof, exchange, fragmentSize, expect }) =>
        proof.kind === 'certificate' && proof.key === 'rsa' && expect.kind === 'established'
          ? [`${exchange} ${proof.below} ${proof.asks} ${fragmentSize !== undefined}`]
          : [],
      ),
    );
    const wanted = (['main', 'aggressive'] as const).flatMap((exchange) =>
      (['root', 'intermediate'] as const).flatMap((below) =>
        [true, false].flatMap((asks) => [true, false].map((isCut) => `${exchange} ${below} ${asks} ${isCut}`)),
      ),
    );
    // pluto sends no intermediate CA in aggressive mode, and begins that in fragments.
    const isPossible = (way: string): boolean => !(isPluto && way.startsWith('aggressive'));
    assert.deepEqual(
      wanted.filter((way) => isPossible(way) && !ways.has(way)),
      [],
    );
  });

  test(`every flaw of a certificate is refused in both exchanges with ${side}`, () => {
    const refusals = here.flatMap(({ expect }) =>
      expect.kind === 'refusal' ? [`${expect.fault} ${expect.exchange}`] : [],
    );
    const flaws = ['authority', 'revoked', 'expired', 'early', 'alone', 'identity', 'name-type'];
    // pluto does not load a certificate of its own that is not valid now.
    const possible = flaws.filter((flaw) => !isPluto || (flaw !== 'expired' && flaw !== 'early'));
    const wanted = possible.flatMap((flaw) => [`certificate-${flaw} main`, `certificate-${flaw} aggressive`]);
    assert.deepEqual(
      wanted.filter((refusal) => !refusals.includes(refusal)),
      [],
    );
  });
}

test('all pairs of three axes of two values need fewer rows than the product has', () => {
  const axes = { a: [0, 1], b: [0, 1], c: [0, 1] };
  assert.ok(
    pairwise(
      axes,
      product(axes, () => true),
    ).length < 8,
  );
});

test('a row that is not allowed is never selected', () => {
  const axes = { a: [0, 1], b: [0, 1] };
  const rows = pairwise(
    axes,
    product(axes, ({ a, b }) => !(a === 1 && b === 1)),
  );
  assert.ok(rows.every(({ a, b }) => !(a === 1 && b === 1)));
});

/** Two values of one axis, a group pluto does not have, several networks between two hosts. */
const impossible = (side: string, one: string, other: string): boolean => {
  const sameAxis = one.split(' ')[0] === other.split(' ')[0] && one !== other;
  const both = [one, other];
  const hosts = both.includes('mode transport') && both.includes('subnets 3');
  return sameAxis || hosts || (side.startsWith('pluto') && both.includes('group 2'));
};
