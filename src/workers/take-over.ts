/** A lane that has been started again goes on with the ISAKMP SAs that its predecessor had established. */
import { addressFromBytes } from '../shared/address.ts';
import { SaRole } from '../shared/sa-table/rows.ts';
import { cookiesOf, establishedOn, type IsakmpSa, noTimers } from './isakmp-sa.ts';
import { arm, type LaneContext } from './lane-context.ts';
import { peerStateOf, type StoredSa } from './sa-store.ts';

/**
 * Reads the SAs back from the table and the slab. Half-open ones are lost: their peers send again, and until `silentUntil` (ms)
 * nobody is told that his cookies are unknown. The memory of message ids is lost too, so main is asked to renew each SA.
 */
export const takeOver = (lane: LaneContext, silentUntil: number): void => {
  lane.silentUntil = silentUntil;
  for (const stored of lane.store.takeOver()) {
    const sa = resume(lane, stored);
    if (sa === undefined) {
      // Its peer section has gone since: nobody could say what it is good for.
      lane.store.discard(stored);
      continue;
    }
    lane.sas.establish(sa);
    lane.effects.push({ kind: 'phase1Resumed', isakmp: cookiesOf(sa) });
  }
};

const resume = (lane: LaneContext, { handle, row, keys, lastIv }: StoredSa): IsakmpSa | undefined => {
  const policy = lane.peers.get(row.peerName);
  if (policy === undefined) return undefined;
  const { localIdentity, remoteIdentity, softAt, hardAt } = row;
  const { encapsulated, takesFragments, nat, answersProbes } = peerStateOf(row);
  const sa: IsakmpSa = {
    initiatorCookie: row.initiatorCookie,
    responderCookie: row.responderCookie,
    role: row.role === SaRole.INITIATOR ? 'initiator' : 'responder',
    request: 0,
    startedAt: row.establishedAt,
    policy,
    credentials: undefined,
    path: {
      local: { address: addressFromBytes(row.localAddress, row.zone).text, port: row.localPort },
      remote: { address: addressFromBytes(row.remoteAddress, row.zone).text, port: row.remotePort },
      encapsulated,
    },
    takesFragments,
    conversation: undefined,
    established: establishedOn(
      {
        authenticated: undefined,
        phase1: undefined,
        keys,
        lastIv,
        localIdentity,
        remoteIdentity,
        softAt,
        hardAt,
        nat,
        answersProbes,
      },
      lane.now(),
    ),
    hearsay: undefined,
    refusal: undefined,
    row: handle,
    slabSlot: row.slabSlot,
    timers: noTimers(),
  };
  const now = lane.now();
  if (softAt > now) arm(lane, sa, softAt, { name: 'soft', sa, phase2: undefined });
  arm(lane, sa, Math.max(hardAt, now), { name: 'hard', sa, phase2: undefined });
  return sa;
};
