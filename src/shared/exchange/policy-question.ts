/** Asks the policy, where there is one, about each candidate of a quick mode (isakmpd.policy(5)), and tells the operator why it says no. */

import { bounded, LONGEST_DECISION } from '../log/bounded.ts';
import { notice } from '../log/records.ts';
import { whoWords } from '../log/who.ts';
import type { Phase2Choice } from '../policy/phase2-fit.ts';
import type { Selectors } from '../policy/selectors.ts';
import type { Role } from '../threads/contract.ts';
import type { Effect, Env, Phase2Setup } from './effects.ts';
import { phase2Fields } from './refusals.ts';

export interface PolicyQuestion {
  /** Whether the peer may have this. Without a policy it may have whatever configuration and proposal allow. */
  readonly permits: (choice: Phase2Choice) => boolean;
  /** Why not, a sentence for each candidate that was refused. */
  readonly refusals: readonly string[];
}

/** `role`: ours in this quick mode. */
export const policyQuestion = (setup: Phase2Setup, selectors: Selectors, role: Role, env: Env): PolicyQuestion => {
  const { policy } = env.credentials;
  const { proven, path } = setup;
  const refusals: string[] = [];
  if (policy === undefined) return { permits: () => true, refusals };
  const permits = (choice: Phase2Choice): boolean => {
    if (refusals.length >= MOST_QUESTIONS) return false;
    if (proven === undefined) {
      refusals.push('what it proved in phase 1 was lost with a lane: it has to authenticate anew');
      return false;
    }
    const { authenticated, exchangeType, group, remoteId } = proven;
    const action = { isInitiator: role === 'initiator', exchangeType, group, remoteId, path, selectors, choice };
    const { isPermitted, decision } = policy.permission(authenticated, { ...action, at: env.wallClock });
    if (!isPermitted) refusals.push(decision);
    return isPermitted;
  };
  return { permits, refusals };
};

/** A line for each different refusal. */
export const policyRefusalRecords = (
  setup: Phase2Setup,
  connection: string | undefined,
  { refusals }: PolicyQuestion,
): readonly Effect[] => {
  const fields = phase2Fields(setup, connection);
  return [...new Set(refusals)].slice(0, MOST_LINES).map((decision) => ({
    kind: 'log',
    record: notice(
      'policy-refusal',
      `quick mode refused by the policy: ${whoWords(fields)}: ${bounded(decision, LONGEST_DECISION)}`,
      fields,
    ),
  }));
};

/** An authenticated peer may offer hundreds of candidates; each question costs as much as some hashes. */
const MOST_QUESTIONS = 16;
const MOST_LINES = 4;
