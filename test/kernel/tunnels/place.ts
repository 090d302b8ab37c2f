/** Where a tunnel scenario happens: two namespaces on one cable, each with a network of its own behind it. */
import { CABLE, makePair, type Pair } from '../../interop/namespaces.ts';
import { must } from '../../interop/processes.ts';
import type { Setup } from '../../interop/setup.ts';

export interface Field extends Pair {
  /** What is pinged, and from where, as seen from our side. */
  readonly from: string;
  readonly to: string;
}

/** The first address of each network is on the loopback interface of its end. */
export const makeField = async (ours: Setup): Promise<Field> => {
  const pair = await makePair();
  const [net] = ours.nets;
  if (net === undefined || ours.transport) return { ...pair, from: ours.local, to: ours.remote };
  const [from, to] = [net.local, net.remote].map(({ address }) => hostIn(address));
  if (from === undefined || to === undefined) return { ...pair, from: ours.local, to: ours.remote };
  const { length } = net.local;
  await end(pair.ours, from, `${net.remote.address}/${length}`, ours.remote);
  await end(pair.theirs, to, `${net.local.address}/${length}`, ours.local);
  return { ...pair, from, to };
};

const end = async (namespace: string, address: string, network: string, gateway: string): Promise<void> => {
  const family = address.includes(':') ? '-6' : '-4';
  const own = ['address', 'add', address, 'dev', 'lo', ...(family === '-6' ? ['nodad'] : [])];
  await must('ip', [family, '-n', namespace, ...own]);
  await must('ip', [family, '-n', namespace, 'route', 'add', network, 'via', gateway, 'dev', CABLE, 'src', address]);
};

const hostIn = (network: string): string => (network.includes(':') ? `${network}1` : network.replace(/\.0$/, '.1'));
