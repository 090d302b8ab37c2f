/** The policy of isakmpd.policy(5) as quick mode asks it: whether somebody may have these SAs, and why not. */
import { IdType } from '../constants/ipsec-doi.ts';
import type { Authenticated } from '../credentials/authenticated.ts';
import { parseAssertions } from '../keynote/assertion.ts';
import { createPolicy } from '../keynote/policy.ts';
import { query, rememberSignatures } from '../keynote/query.ts';
import { nameFromText } from '../policy/distinguished-name.ts';
import type { Identity } from '../policy/peer-policy.ts';
import type { PeerAction, QuickModeAction } from './action.ts';
import { attributesInPhase1, attributesOf } from './action-attributes.ts';
import { type Requester, requesterOf } from './authorizers.ts';

export interface Permission {
  readonly isPermitted: boolean;
  /** Which assertion and which condition decided, in words, without secrets. */
  readonly decision: string;
}

export interface PolicyCheck {
  /** Of the policy file. */
  readonly text: string;
  /** What a peer that has proved this gets of what it asks for. */
  permission(authenticated: Authenticated, action: QuickModeAction): Permission;
  /**
   * Whether a peer that is known by KeyNote credentials alone is who it says: it may get something as this identity, whatever it will ask for, and would get
   * nothing as any other. So a condition has to compare remote_id.
   */
  identification(authenticated: Authenticated, action: PeerAction): Permission;
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
  const ask = (authenticated: Authenticated, attributes: (name: string) => string | undefined): Permission => {
    const { authorizers, vouchers } = requester(authenticated);
    const action = { authorizers, attributes, values: VALUES };
    const { value, decision } = query({ policy, credentials: vouchers, ...action, checkSignature });
    return { isPermitted: value === PERMITTED, decision };
  };
  return {
    text,
    permission: (authenticated, action) => ask(authenticated, attributesOf(action)),
    identification: (authenticated, action) => {
      const own = ask(authenticated, attributesInPhase1(action));
      if (!own.isPermitted) return own;
      const remoteId = nobody(action.remoteId);
      const isBound = !ask(authenticated, attributesInPhase1({ ...action, remoteId })).isPermitted;
      return isBound ? own : { isPermitted: false, decision: UNBOUND };
    },
  };
};

/** An identity of the same type that no peer has. */
const nobody = (identity: Identity): Identity => {
  switch (identity.type) {
    case IdType.FQDN:
    case IdType.KEY_ID:
      return { ...identity, data: Buffer.from('nobody.invalid') };
    case IdType.USER_FQDN:
      return { ...identity, data: Buffer.from('nobody@nobody.invalid') };
    case IdType.DER_ASN1_DN:
      return { ...identity, data: nameFromText('/CN=nobody.invalid') ?? new Uint8Array() };
    default:
      return { ...identity, data: new Uint8Array(identity.data.length) };
  }
};

const UNBOUND =
  'they license its key and do not say whose it is: let a condition of theirs or of the policy compare remote_id';
const PERMITTED = 'true';
const VALUES = ['false', PERMITTED];
