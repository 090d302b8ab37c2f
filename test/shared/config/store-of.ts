/** A configuration store from the text of an isakmpd.conf. */
import assert from 'node:assert/strict';
import { checkInSteps } from '../../../src/shared/config/check.ts';
import { contentInSteps } from '../../../src/shared/config/file-content.ts';
import type { Finding } from '../../../src/shared/config/finding.ts';
import { type Entry, type Problem, parseConfiguration } from '../../../src/shared/config/parse.ts';
import { attemptPeer, type ResolvedPeer } from '../../../src/shared/config/resolve-peer.ts';
import { ConfigurationStore } from '../../../src/shared/config/store.ts';
import { atOnce } from '../../../src/shared/steps.ts';

/** The text has to parse without a word. */
export const storeOf = (text: string): ConfigurationStore => {
  const { entries, problems } = parseConfiguration(text);
  assert.deepEqual(problems, []);
  const store = new ConfigurationStore();
  store.load(entries);
  return store;
};

/** What is odd about the entries of a file, by line. */
export const checkEntries = (entries: readonly Entry[]): readonly Problem[] =>
  atOnce(checkInSteps(atOnce(contentInSteps(entries)))).toSorted((a, b) => a.line - b.line);

export const resolved = (
  store: ConfigurationStore,
  peer: string,
): ResolvedPeer & { readonly warnings: readonly string[] } => {
  const outcome = attemptPeer(store, peer, new Set());
  if ('error' in outcome) throw outcome.error;
  return { ...outcome, warnings: textsOf(outcome.findings) };
};

export const textsOf = (findings: readonly Finding[]): readonly string[] => findings.map(({ text }) => text);

/** Why a peer is refused. */
export const refusal = (store: ConfigurationStore, peer: string): string => {
  const outcome = attemptPeer(store, peer, new Set());
  return 'error' in outcome ? outcome.error.message : assert.fail(`${peer} was not refused`);
};

/** Two sites with one connection; tests change one thing in it. */
export const EXAMPLE = `
[General]
Listen-on=		10.1.0.2
[Phase 1]
10.1.0.1=		west
[Phase 2]
Connections=		east-west
[west]
Phase=			1
Local-address=		10.1.0.2
Address=		10.1.0.1
Configuration=		main-mode
Authentication=		secret of both sites
[main-mode]
EXCHANGE_TYPE=		ID_PROT
Transforms=		AES-256-SHA2-256-GRP14
[east-west]
Phase=			2
ISAKMP-peer=		west
Configuration=		quick-mode
Local-ID=		net-east
Remote-ID=		net-west
[quick-mode]
EXCHANGE_TYPE=		QUICK_MODE
Suites=			QM-ESP-AES-SHA2-256-PFS-GRP14-SUITE
[net-east]
ID-type=		IPV4_ADDR_SUBNET
Network=		192.168.2.0
Netmask=		255.255.255.0
[net-west]
ID-type=		IPV4_ADDR_SUBNET
Network=		192.168.1.0
Netmask=		255.255.255.0
`;

/** The example with these tags set. */
export const west = (...edits: readonly (readonly [string, string, string])[]): ConfigurationStore => {
  const store = storeOf(EXAMPLE);
  for (const [section, tag, value] of edits) store.set(section, tag, value, true);
  return store;
};
