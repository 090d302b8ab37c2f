/** Two network namespaces with one cable between them: one for our daemon, one for the peer. */
import { randomBytes } from 'node:crypto';
import { must, run } from './processes.ts';
import { OUR_ADDRESS, PEER_ADDRESS } from './setup.ts';

export interface Pair {
  readonly ours: string;
  readonly theirs: string;
}

/** The interface has this name on both ends. */
export const CABLE = 'cable';

export const makePair = async (): Promise<Pair> => {
  const suffix = randomBytes(4).toString('hex');
  const pair = { ours: `interop-${suffix}-o`, theirs: `interop-${suffix}-t` };
  existing.add(pair);
  await must('ip', ['netns', 'add', pair.ours]);
  await must('ip', ['netns', 'add', pair.theirs]);
  const cable = ['link', 'add', CABLE, 'netns', pair.ours, 'type', 'veth'];
  await must('ip', [...cable, 'peer', 'name', CABLE, 'netns', pair.theirs]);
  await Promise.all([address(pair.ours, OUR_ADDRESS), address(pair.theirs, PEER_ADDRESS)]);
  return pair;
};

export const removePair = async (pair: Pair): Promise<void> => {
  await Promise.all([run('ip', ['netns', 'del', pair.ours]), run('ip', ['netns', 'del', pair.theirs])]);
  existing.delete(pair);
};

export const removeAllPairs = async (): Promise<void> => {
  await Promise.all([...existing].map(removePair));
};

/** The command as it has to be started inside a namespace; `ip netns exec` also gives it mounts of its own. */
export const inside = (namespace: string, command: readonly string[]): readonly string[] => [
  'ip',
  'netns',
  'exec',
  namespace,
  ...command,
];

/** `nodad`: an address under duplicate detection cannot be bound for a second. */
const address = async (namespace: string, addresses: { readonly 4: string; readonly 6: string }): Promise<void> => {
  await must('ip', ['-n', namespace, 'address', 'add', `${addresses[4]}/24`, 'dev', CABLE]);
  await must('ip', ['-n', namespace, 'address', 'add', `${addresses[6]}/64`, 'dev', CABLE, 'nodad']);
  await must('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
  await must('ip', ['-n', namespace, 'link', 'set', CABLE, 'up']);
};

const existing = new Set<Pair>();
