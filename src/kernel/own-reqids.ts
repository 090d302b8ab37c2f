/** By its reqid an SA or a policy is ours, whoever made it. */
import type { ReqidRange } from '../shared/flow.ts';

/** The reqids that the daemon draws from, and those of predecessors which used another kernel interface and may have left something. */
export interface OwnReqids {
  readonly current: ReqidRange;
  readonly former: readonly ReqidRange[];
}

export const isOwn = ({ current, former }: OwnReqids, reqid: number): boolean =>
  isWithin(current, reqid) || former.some((range) => isWithin(range, reqid));

export const isWithin = ({ first, count }: ReqidRange, reqid: number): boolean =>
  reqid >= first && reqid - first < count;
