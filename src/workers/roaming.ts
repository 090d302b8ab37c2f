/** A peer behind a NAT may come from another address or port at any time: its ISAKMP SA follows what it has proved to have sent, and nothing else (threats: hijacking by a forged datagram). */
import type { Path } from '../shared/threads/contract.ts';
import { cookiesOf, type Established, type IsakmpSa } from './isakmp-sa.ts';
import type { LaneContext } from './lane-context.ts';
import { say } from './lane-log.ts';

/** An authenticated message that nobody has seen before came this way. */
export const follow = (lane: LaneContext, sa: IsakmpSa, { nat, authentic }: Established, path: Path): void => {
  const from = sa.path;
  if (nat?.isRemoteBehind !== true || !mayReplace(from, path)) return;
  // Each move costs a change of every SA in the kernel.
  if (!authentic.take(lane.now())) return;
  sa.path = path;
  lane.store.moved(sa);
  const [before, after] = [from, path].map(({ remote: { address, port } }) => `${address} port ${port}`);
  say(lane, sa, 'peer-moved', `NAT mapping changed: peer ${sa.policy.name} is at ${after} now, was at ${before}`);
  lane.effects.push({ kind: 'phase1Moved', isakmp: cookiesOf(sa), path });
};

const mayReplace = (from: Path, to: Path): boolean =>
  from.encapsulated &&
  to.encapsulated &&
  from.local.address === to.local.address &&
  from.local.port === to.local.port &&
  (from.remote.address !== to.remote.address || from.remote.port !== to.remote.port);
