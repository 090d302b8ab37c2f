import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Parsed, parseConfiguration } from '../../../src/shared/config/parse.ts';
import { resolveGeneral } from '../../../src/shared/config/resolve-general.ts';
import { attemptPeer } from '../../../src/shared/config/resolve-peer.ts';
import { ConfigurationStore } from '../../../src/shared/config/store.ts';
import { sharedPath } from '../../helpers/shared-folder.ts';
import { checkEntries, textsOf } from './store-of.ts';

const ABSENT = 'shared/vectors is absent';
const NOBODY: ReadonlySet<string> = new Set();

const load = (path: string): readonly [ConfigurationStore, Parsed] => {
  const parsed = parseConfiguration(readFileSync(path, 'utf8'));
  const store = new ConfigurationStore();
  store.load(parsed.entries);
  return [store, parsed];
};

/** Per file: tags that are warned of, and for each peer its connections, or why it is refused. */
const FILES: Readonly<
  Record<string, { warned: readonly string[]; peers: Readonly<Record<string, string[] | RegExp>> }>
> = {
  'VPN-default.conf': { warned: [], peers: { any: [] } },
  'isakmpd.conf.5-example.conf': {
    warned: ['asn1_dn//C=SE/L=SomeCity/O=SomeCompany/CN=SomePeer.company.com'],
    peers: { 'ISAKMP-peer-west': ['IPsec-east-west'] },
  },
  'puppet-buzzdeee.conf': { warned: [], peers: { 'Default-phase-1': [] } },
  'singlehost-east.conf': {
    warned: [],
    peers: {
      'ISAKMP-peer-west': ['IPsec-east-west'],
      'ISAKMP-peer-west-aggressive': /\[3DES-SHA-RSA\].*no such section/,
    },
  },
  'singlehost-west.conf': {
    warned: [],
    peers: {
      'ISAKMP-peer-east': ['IPsec-west-east'],
      'ISAKMP-peer-east-aggressive': /\[3DES-SHA-RSA\].*no such section/,
    },
  },
  'web-dialup-lan1.conf': { warned: [], peers: { 'ISAKMP-LAN2gw': ['IPsec-LAN1-LAN2'] } },
};

for (const [file, { warned, peers }] of Object.entries(FILES)) {
  test(`configs/${file} loads, and its peers mean what they say`, (t) => {
    const path = sharedPath('vectors', 'configs', file);
    if (path === undefined) return t.skip(ABSENT);
    const [store, { entries, problems }] = load(path);
    assert.deepEqual(problems, []);
    const told = checkEntries(entries);
    assert.deepEqual(
      told.map(({ severity }) => severity),
      warned.map(() => 'warning'),
    );
    assert.deepEqual(
      told.map(({ text }) => /^\[([^\]]*)\]/.exec(text)?.[1]),
      warned,
    );
    resolveGeneral(store);
    for (const [peer, expected] of Object.entries(peers)) {
      const outcome = attemptPeer(store, peer, NOBODY);
      if ('error' in outcome) assert.match(outcome.error.message, expected instanceof RegExp ? expected : /^$/);
      else
        assert.deepEqual(
          outcome.policy.connections.map(({ name }) => name),
          expected,
        );
    }
  });
}

for (const file of Object.keys(FILES)) {
  test(`configs/${file} is the same when it is read again, and when it is written back and read`, (t) => {
    const path = sharedPath('vectors', 'configs', file);
    if (path === undefined) return t.skip(ABSENT);
    const [store, { entries }] = load(path);
    const changes: string[] = [];
    store.subscribe((piece) => changes.push(piece));
    store.load(entries);
    assert.deepEqual(changes, [], 'a reload of the same file changes nothing');
    const written = store
      .sections()
      .map(
        (name) =>
          `[${name}]\n${store
            .tags(name)
            .map(({ tag, value }) => `${tag}=\t${value}\n`)
            .join('')}`,
      )
      .join('\n');
    const again = parseConfiguration(written);
    assert.deepEqual(again.problems, []);
    store.load(again.entries);
    assert.deepEqual(changes, [], 'what was written back is the same');
  });
}

test('every isakmpd.conf among the vectors has its row here', (t) => {
  const folder = sharedPath('vectors', 'configs');
  if (folder === undefined) return t.skip(ABSENT);
  const files = readdirSync(folder).filter((name) => name !== 'README.md');
  const others = files.filter((name) => !name.endsWith('.conf'));
  t.diagnostic(`${files.length - others.length} ran, left out as no isakmpd.conf: ${others.join(', ')}`);
  assert.deepEqual(files.filter((name) => name.endsWith('.conf')).sort(), Object.keys(FILES).sort());
});

test('the configurations of recorded runs resolve to one peer with one connection', (t) => {
  const folder = sharedPath('vectors', 'isakmpd-output');
  if (folder === undefined) return t.skip(ABSENT);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.conf'));
  for (const file of files) {
    const [store, { entries }] = load(join(folder, file));
    assert.deepEqual(checkEntries(entries), [], file);
    const { active, passive } = store.connectionLists();
    for (const connection of [...active, ...passive]) {
      const outcome = attemptPeer(store, store.get(connection, 'ISAKMP-peer') ?? '', NOBODY);
      assert.ok('policy' in outcome, file);
      assert.deepEqual(
        outcome.policy.connections.map(({ name }) => name),
        [connection],
        file,
      );
    }
  }
  t.diagnostic(`${files.length} configurations`);
  assert.ok(files.length >= 8);
});

test('identities and selectors of the aggressive run are those of its configuration', (t) => {
  const path = sharedPath('vectors', 'isakmpd-output', 'cases', 'aggr.left.conf');
  if (path === undefined) return t.skip(ABSENT);
  const outcome = attemptPeer(load(path)[0], 'ISAKMP-peer', NOBODY);
  assert.ok('policy' in outcome);
  assert.match(textsOf(outcome.findings).join(), /aggressive mode/);
  assert.notEqual(outcome.policy.localId, undefined);
});
