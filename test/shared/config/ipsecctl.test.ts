import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { resolvePeer } from '../../../src/shared/config/resolve-peer.ts';
import { ConfigurationStore } from '../../../src/shared/config/store.ts';
import { AuthenticationMethod } from '../../../src/shared/constants/oakley.ts';
import { parseCommand } from '../../../src/shared/fifo/commands.ts';
import { identityText } from '../../../src/shared/policy/identity.ts';
import type { ConnectionPolicy, Identity } from '../../../src/shared/policy/peer-policy.ts';
import { sharedPath } from '../../helpers/shared-folder.ts';
import { textsOf } from './store-of.ts';

const ABSENT = 'shared/vectors is absent';

interface Case {
  readonly name: string;
  readonly kind: string;
  readonly set: string;
  readonly input: string;
  readonly fifoCommands: readonly string[];
}

const casesOf = (path: string, kind: string): readonly Case[] => {
  const { cases }: { readonly cases: readonly Case[] } = JSON.parse(readFileSync(path, 'utf8'));
  return cases
    .filter((one) => one.kind === kind && one.fifoCommands.length > 0)
    .map((one) => ({ ...one, fifoCommands: one.fifoCommands.filter((line) => !MACRO.test(line)) }));
};
/** ipsecctl -v repeats macro definitions among the commands; they never go to the FIFO. */
const MACRO = /^\w+ = "/;

/** Carries a FIFO line out; answers false for what is no configuration command. */
const apply = (store: ConfigurationStore, line: string): boolean => {
  const command = parseCommand(line);
  switch (command.kind) {
    case 'set':
      store.set(command.section, command.tag, command.value, command.force);
      return true;
    case 'add':
      store.add(command.section, command.tag, command.value);
      return true;
    case 'removeValue':
      store.removeValue(command.section, command.tag, command.value);
      return true;
    case 'removeSection':
      store.removeSection(command.section);
      return true;
    default:
      return false;
  }
};

const storeAfter = (lines: readonly string[]): ConfigurationStore => {
  const store = new ConfigurationStore();
  for (const line of lines) assert.ok(apply(store, line), line);
  return store;
};

const connectionNames = (store: ConfigurationStore): readonly string[] => {
  const { active, passive } = store.connectionLists();
  return [...active, ...passive];
};

const lastSet = (lines: readonly string[]): ReadonlyMap<string, string> => {
  const values = new Map<string, string>();
  for (const line of lines) {
    const [, key, value] = /^C set (\[.*?\]:[^=]*)=(.*) force$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) values.set(key.toLowerCase(), value);
  }
  return values;
};

/** A selector as ipsecctl names its section: `from-10.1.1.0/24=6:22`. */
const nameOfSelector = (prefix: string, { data, protocol, port, type }: Identity): string => {
  const text = identityText({ type, protocol: 0, port: 0, data });
  const [address, mask] = text.split('/');
  const bits = mask === undefined ? '' : `/${prefixOf(data)}`;
  const suffix = protocol === 0 ? '' : `=${protocol}${port === 0 ? '' : `:${port}`}`;
  return `${prefix}-${address}${bits}${suffix}`;
};
const prefixOf = (data: Uint8Array): number =>
  [...data.subarray(data.length / 2)].reduce((bits, byte) => bits + byte.toString(2).replaceAll('0', '').length, 0);

const nameOfConnection = ({ localId, remoteId }: ConnectionPolicy): string =>
  `${localId && nameOfSelector('from', localId)}-${remoteId && nameOfSelector('to', remoteId)}`;

test('what every ike rule of ipsecctl sets can be got, and its connections are listed', (t) => {
  const path = sharedPath('vectors', 'ipsecctl-fifo', 'cases.json');
  if (path === undefined) return t.skip(ABSENT);
  const cases = casesOf(path, 'ike');
  let values = 0;
  for (const { name, set, fifoCommands } of cases) {
    const store = storeAfter(fifoCommands);
    for (const [key, value] of lastSet(fifoCommands)) {
      const [, section = '', tag = ''] = /^\[(.*?)\]:(.*)$/.exec(key) ?? [];
      assert.equal(store.get(section, tag), value, `${name} (${set}) ${key}`);
      values++;
    }
    assert.ok(connectionNames(store).length > 0, name);
  }
  t.diagnostic(`${cases.length} rules ran, ${values} values compared, none left out`);
});

test('rules with a pre-shared key become the connections that they say', (t) => {
  const path = sharedPath('vectors', 'ipsecctl-fifo', 'cases.json');
  if (path === undefined) return t.skip(ABSENT);
  const all = casesOf(path, 'ike');
  const cases = all.filter(({ input }) => /\bpsk\b/.test(input));
  for (const { fifoCommands } of cases) {
    const store = storeAfter(fifoCommands);
    const { policy, findings } = resolvePeer(store, 'peer-default');
    const warnings = textsOf(findings).filter((text) => !text.includes(']:Authentication is worth '));
    assert.deepEqual(
      policy.connections.map(({ name }) => name),
      ['from-0.0.0.0/0-to-0.0.0.0/0', 'from-::/0-to-::/0'],
    );
    assert.deepEqual(
      policy.connections.map(nameOfConnection),
      policy.connections.map(({ name }) => name),
    );
    assert.deepEqual([policy.address, new TextDecoder().decode(policy.preSharedKey)], [undefined, 'mekmitasdigoat']);
    assert.match(warnings.join(), /^\[peer-default\] allows weak algorithms: SHA(?:, MODP_1024)?;/);
  }
  t.diagnostic(`${cases.length} of ${all.length} rules ran; the others ask for signatures, see the next test`);
  assert.equal(cases.length, 2);
});

test('rules without one ask for signatures, and mean what they say', (t) => {
  const path = sharedPath('vectors', 'ipsecctl-fifo', 'cases.json');
  if (path === undefined) return t.skip(ABSENT);
  let peers = 0;
  let connections = 0;
  const leftOut: string[] = [];
  for (const { input, fifoCommands, name: caseName } of casesOf(path, 'ike')) {
    if (/\bpsk\b/.test(input)) continue;
    const store = storeAfter(fifoCommands);
    for (const peer of new Set(
      connectionNames(store).map((connection) => store.get(connection, 'ISAKMP-peer') ?? ''),
    )) {
      const { policy, findings } = resolvePeer(store, peer);
      assert.ok(
        policy.transforms.every(({ authentication }) => authentication === AuthenticationMethod.RSA_SIG),
        caseName,
      );
      const warnings = textsOf(findings).filter((text) => !text.includes(']:Authentication is worth '));
      peers++;
      for (const connection of policy.connections) {
        assert.equal(nameOfConnection(connection), connection.name, caseName);
        connections++;
      }
      leftOut.push(...warnings.filter((text) => text.includes('is not used')).map((text) => `${caseName}: ${text}`));
    }
  }
  t.diagnostic(`${peers} peers with ${connections} connections ran; connections left out: ${leftOut.length}`);
  for (const text of leftOut) t.diagnostic(text);
  assert.ok(peers > 60 && connections > 80);
});

test('deleting rules takes their connections away and leaves the shared sections', (t) => {
  const path = sharedPath('vectors', 'ipsecctl-fifo', 'cases.json');
  if (path === undefined) return t.skip(ABSENT);
  const cases = casesOf(path, 'ikedel');
  const rules = casesOf(path, 'ike');
  let ran = 0;
  for (const { name, set, input, fifoCommands } of cases) {
    const rule = rules.find(
      (one) => one.set === set && (one.name === name.replace('ikedel', 'ike') || one.input === input),
    );
    if (rule === undefined) continue;
    ran++;
    const store = storeAfter(rule.fifoCommands);
    for (const line of fifoCommands) assert.ok(apply(store, line) || line.startsWith('t '), line);
    const left = connectionNames(store).filter((connection) => store.get(connection, 'Phase') !== undefined);
    assert.deepEqual(left, [], name);
    assert.ok(
      store.sections().some((section) => section.startsWith('peer-')),
      name,
    );
  }
  t.diagnostic(
    `${ran} of ${cases.length} deletions ran, left out ${cases.length - ran} that have no rule of the same name`,
  );
  assert.ok(ran > 0);
});
