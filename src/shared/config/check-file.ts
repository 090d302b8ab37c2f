/** Everything that can be said of a configuration file without running it: what `isakmpd --check` prints. */
import { ConfigError } from '../errors.ts';
import type { PeerPolicy } from '../policy/peer-policy.ts';
import { atOnce } from '../steps.ts';
import type { AddressBook } from './address-book.ts';
import { fold } from './case-fold.ts';
import { checkInSteps } from './check.ts';
import { checkOverlaps } from './check-overlaps.ts';
import { checkReferences } from './check-references.ts';
import { contentInSteps, duplicatesIn } from './file-content.ts';
import { type Finding, findingOf, placeOf } from './finding.ts';
import { hostsAmong } from './host-names.ts';
import { splitList } from './list-value.ts';
import { type Problem, parseConfiguration } from './parse.ts';
import { RecordingReader } from './reader.ts';
import { refusedOr, SharedAnswers } from './resolution.ts';
import { resolveConnection } from './resolve-connection.ts';
import { type CredentialPlaces, resolveGeneral } from './resolve-general.ts';
import { attemptPeer } from './resolve-peer.ts';
import { ConfigurationStore } from './store.ts';

export interface CheckedFile {
  /** By line, each once. */
  readonly problems: readonly Problem[];
  /** Names of hosts that the daemon would look up, each once; nobody has looked them up here. */
  readonly hosts: readonly string[];
  /** Those that can be used. */
  readonly peers: readonly PeerPolicy[];
  /** Where it has keys and certificates. */
  readonly credentials: CredentialPlaces;
}

/** `learnNames` fills in what the system knows. Takes time in proportion to the entries, names that nobody knows apart. */
export const checkFile = (text: string, learnNames: (book: AddressBook) => void = noNames): CheckedFile => {
  const { entries, problems } = parseConfiguration(text);
  const store = new ConfigurationStore();
  learnNames(store.addressBook);
  const content = atOnce(contentInSteps(entries));
  store.adopt(content, atOnce(store.changesTo(content)));
  const ofEntries = [...problems, ...duplicatesIn(content), ...atOnce(checkInSteps(content))];
  const { findings, missing } = checkReferences(entries, store);
  // Whoever names a missing section has been told so where it is named.
  const { ofPeers, peers } = checkPeers(store);
  const others = [...checkGeneral(store), ...ofPeers].filter(({ place }) => !missing.has(fold(place.section)));
  const ofMeaning = [...findings, ...others].map(({ severity, text: said, place }) => ({
    severity,
    text: said,
    line: store.lineOf(place),
  }));
  return {
    problems: inOrder([...ofEntries, ...ofMeaning]),
    hosts: hostsOf(store),
    peers,
    credentials: resolveGeneral(store, DEFAULTS).credentials,
  };
};

const noNames = (): void => undefined;

const inOrder = (problems: readonly Problem[]): readonly Problem[] => {
  const told = new Set<string>();
  const each: Problem[] = [];
  for (const problem of problems) {
    const key = `${problem.line} ${problem.text}`;
    if (!told.has(key)) each.push(problem);
    told.add(key);
  }
  return each.sort((a, b) => a.line - b.line);
};

const checkGeneral = (store: ConfigurationStore): readonly Finding[] => resolveGeneral(store, DEFAULTS).findings;

const hostsOf = (store: ConfigurationStore): readonly string[] => {
  const ofPeers = sectionsOfPhase(store, '1').map((name) => store.get(name, 'Address'));
  const listenOn = splitList(store.get('General', 'Listen-on') ?? '');
  return [...new Set(hostsAmong([...listenOn, ...ofPeers], store.addressBook))];
};

const checkPeers = (
  store: ConfigurationStore,
): { readonly ofPeers: readonly Finding[]; readonly peers: readonly PeerPolicy[] } => {
  const connections = sectionsOfPhase(store, '2');
  const connected = new Set(connections.map(fold));
  const findings: Finding[] = [];
  const peers: PeerPolicy[] = [];
  for (const name of sectionsOfPhase(store, '1')) {
    const outcome = attemptPeer(store, name, connected);
    findings.push(...outcome.findings);
    if ('error' in outcome) findings.push(findingOf(outcome.error, placeOf(name)));
    else peers.push(outcome.policy);
  }
  const checked = new Set(peers.map((peer) => fold(peer.name)));
  for (const name of connections) {
    if (!checked.has(fold(store.get(name, 'ISAKMP-peer') ?? ''))) findings.push(...checkAlone(store, name));
  }
  return { ofPeers: [...findings, ...checkOverlaps(peers)], peers };
};

/** A connection whose peer cannot be used has faults of its own as well. */
const checkAlone = (store: ConfigurationStore, name: string): readonly Finding[] => {
  const findings: Finding[] = [];
  const peer = store.get(name, 'ISAKMP-peer') ?? '';
  const shared = new SharedAnswers();
  const unknown = { legacyCrypto: false, sha2Truncation96: false, kernel: undefined };
  const resolution = { ...unknown, reader: new RecordingReader(store), peer, findings, shared };
  const connection = refusedOr(() => resolveConnection(resolution, name));
  if (connection instanceof ConfigError) findings.push(findingOf(connection, placeOf(name)));
  return findings;
};

const sectionsOfPhase = (store: ConfigurationStore, phase: '1' | '2'): readonly string[] =>
  store.sections().filter((name) => store.get(name, 'Phase')?.startsWith(phase) === true);

const DEFAULTS = resolveGeneral(new ConfigurationStore());
