/** The cases that were recorded from the original isakmpd, run with their own configuration files: its lines to the byte, and ours after them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { parseConfiguration } from '../../src/shared/config/parse.ts';
import { resolvePeer } from '../../src/shared/config/resolve-peer.ts';
import { ConfigurationStore } from '../../src/shared/config/store.ts';
import { type LaneHost, LanePair } from '../helpers/lane-pair.ts';
import { sharedPath } from '../helpers/shared-folder.ts';

type Side = 'left' | 'right';

interface Case {
  readonly world: LanePair;
  /** What the original said about exchanges, with the addresses of our two lanes and without what differs from run to run. */
  readonly recorded: Readonly<Record<Side, readonly string[]>>;
}

/** Undefined, and the test skipped, where the recordings are absent. */
const recordedCase = (t: TestContext, name: string): Case | undefined => {
  const folder = sharedPath('vectors', 'isakmpd-output', 'cases');
  if (folder === undefined) {
    t.skip('shared/vectors is absent');
    return undefined;
  }
  const read = (side: Side, ending: string): string => readFileSync(`${folder}/${name}.${side}.${ending}`, 'utf8');
  const policyOf = (side: Side) => {
    const store = new ConfigurationStore();
    store.load(parseConfiguration(read(side, 'conf')).entries);
    return resolvePeer(store, 'ISAKMP-peer').policy;
  };
  const linesOf = (side: Side): readonly string[] =>
    read(side, 'log')
      .split('\n')
      .flatMap((line) => /^\d{6}\.\d{6} Default (.*)$/.exec(line)?.[1] ?? [])
      .filter((line) => /^(attribute_|message_|dropped |transport_|isakmpd: (phase|quick))/.test(line))
      .map((line) => plain(line.replaceAll('10.66.0.', '10.0.0.')));
  return {
    world: new LanePair(policyOf('left'), policyOf('right')),
    recorded: { left: linesOf('left'), right: linesOf('right') },
  };
};

const plain = (text: string): string =>
  text.replace(/non-zero: [0-9a-f]{2}/, 'non-zero: XX').replace(/[0-9a-f]{16}:[0-9a-f]{16}/, 'I:R');

/** The lines that the original has as well, and those that explain. */
const said = (host: LaneHost) => {
  const records = host.all('log').map(({ record }) => ({ isOurs: OURS.has(record.event), text: plain(record.text) }));
  const texts = (isOurs: boolean) => records.filter((line) => line.isOurs === isOurs).map(({ text }) => text);
  return { original: texts(false), ours: texts(true) };
};
const OURS: ReadonlySet<string> = new Set(['refusal', 'refused-by-peer']);

const LEFT = 'peer ISAKMP-peer (connection IPsec-conn, 10.0.0.1, its ID any, our ID 10.0.0.2, cookies I:R)';
const RIGHT = 'peer ISAKMP-peer (connection IPsec-conn, 10.0.0.2, its ID any, our ID 10.0.0.1, cookies I:R)';

describe('the recorded case', () => {
  it('noprop: the same lines on both sides, and which transform would accept the offer', (t) => {
    const found = recordedCase(t, 'noprop');
    if (found === undefined) return;
    const { world, recorded } = found;
    world.start();
    assert.deepEqual(said(world.right), {
      original: recorded.right,
      ours: [
        `phase 1 refused: ${LEFT}: it offers AES_CBC-128/SHA2_256/PRE_SHARED/MODP_2048; nearest of ours is AES-SHA2-256-GRP14, ` +
          'which wants GROUP_DESCRIPTION MODP_1024, not MODP_2048; add AES-128-SHA2-256-GRP14 to [Default-main-mode]:Transforms to accept it',
      ],
    });
    assert.deepEqual(said(world.left), {
      original: recorded.left,
      ours: [
        `phase 1 refused by ${RIGHT}: it answers NO_PROPOSAL_CHOSEN, unauthenticated: we offer AES_CBC-128/SHA2_256/PRE_SHARED/MODP_2048; ` +
          "compare [Default-main-mode]:Transforms with the peer's proposals, and our address and ID with its peers",
      ],
    });
  });

  it('badpsk: the same lines on both sides for message 5 and for its retransmission, and which tags to compare', (t) => {
    const found = recordedCase(t, 'badpsk');
    if (found === undefined) return;
    const { world, recorded } = found;
    world.start();
    world.pass(3_000);
    const explanation =
      `phase 1 refused: ${LEFT}: its authentication failed (reserved field non-zero: XX), probably a wrong pre-shared key; ` +
      "compare [ISAKMP-peer]:Authentication with the peer's";
    assert.deepEqual(said(world.right), { original: recorded.right, ours: [explanation, explanation] });
    assert.deepEqual(said(world.left), {
      original: recorded.left,
      ours: [
        `phase 1 refused by ${RIGHT}: it answers PAYLOAD_MALFORMED, unauthenticated: it cannot read or verify our message, ` +
          "probably a wrong pre-shared key; compare [ISAKMP-peer]:Authentication with the peer's",
      ],
    });
  });

  it('aggr: the same lines on both sides, and nothing to explain', (t) => {
    const found = recordedCase(t, 'aggr');
    if (found === undefined) return;
    const { world, recorded } = found;
    world.start();
    world.quick(2, 'IPsec-conn');
    const { left, right } = world;
    assert.deepEqual(
      [said(left), said(right)],
      [
        { original: recorded.left, ours: [] },
        { original: recorded.right, ours: [] },
      ],
    );
  });
});
