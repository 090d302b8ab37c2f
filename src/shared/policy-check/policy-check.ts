/** The policy of isakmpd.policy(5) as quick mode asks it: whether somebody may have these SAs, and why not. */
import type { Authenticated } from '../credentials/authenticated.ts';
import { parseAssertions } from '../keynote/assertion.ts';
import { createPolicy } from '../keynote/policy.ts';
import { query, rememberSignatures } from '../keynote/query.ts';
import { attributesOf, type QuickModeAction } from './action-attributes.ts';
import { type Requester, requesterOf } from './authorizers.ts';

export interface Permission {
  readonly isPermitted: boolean;
  /** Which assertion and which condition decided, in words, without secrets. */
  readonly decision: string;
}

export interface PolicyCheck {
  /** What a peer that has proved this gets of what it asks for. */
  permission(authenticated: Authenticated, action: QuickModeAction): Permission;
}

/** `text`: of the policy file, a byte string. Assertions that cannot be read are left out, so that less is permitted. */
export const createPolicyCheck = (text: string): PolicyCheck => {
  const policy = createPolicy(parseAssertions(text).assertions);
  const checkSignature = rememberSignatures(false);
  /** One for each ISAKMP SA; it goes with that. */
  const requesters = new WeakMap<Authenticated, Requester>();
  const requester = (authenticated: Authenticated): Requester => {
    const known = requesters.get(authenticated) ?? requesterOf(authenticated);
    requesters.set(authenticated, known);
    return known;
  };
  return {
    permission: (authenticated, action) => {
      const { authorizers, vouchers } = requester(authenticated);
      const attributes = attributesOf(action);
      const { value, decision } = query({
        policy,
        credentials: vouchers,
        authorizers,
        attributes,
        values: VALUES,
        checkSignature,
      });
      return { isPermitted: value === PERMITTED, decision };
    },
  };
};

const PERMITTED = 'true';
const VALUES = ['false', PERMITTED];
