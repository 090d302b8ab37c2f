/** What the operator is told when nothing fits of what a peer offers: how the nearest pair differs, and what would accept it. */
import { notice } from '../log/records.ts';
import { whoWords } from '../log/who.ts';
import type { PeerPolicy } from '../policy/peer-policy.ts';
import { type Comparison, nearest } from '../policy/transform-attributes.ts';
import type { LogFields } from '../threads/contract.ts';
import type { Effect } from './effects.ts';

interface ProposalRefusal {
  readonly event: 'phase1-no-proposal' | 'phase2-no-proposal';
  readonly what: 'phase 1' | 'quick mode';
  /** `[section]:tag` of the list that the offer was compared with, and the names in it. */
  readonly list: string;
  readonly names: readonly string[];
  readonly policy: Pick<PeerPolicy, 'name' | 'legacyCrypto'>;
  readonly fields: LogFields;
}

/** isakmpd's lines, then the explanation. */
export const proposalRecords = (comparisons: readonly Comparison[], refusal: ProposalRefusal): readonly Effect[] => {
  const { event, fields } = refusal;
  const mismatches = comparisons.slice(0, MAX_LINES).flatMap(({ differences: [first] }) => {
    if (first === undefined) return [];
    const { attribute, got, expected } = first;
    return [notice(event, `attribute_unacceptable: ${attribute}: got ${got}, expected ${expected}`, fields)];
  });
  const conclusion = notice(event, 'message_negotiate_sa: no compatible proposal found', fields);
  return [...mismatches, conclusion, explanation(nearest(comparisons), refusal)].map((record) => ({
    kind: 'log',
    record,
  }));
};

const explanation = (best: Comparison | undefined, refusal: ProposalRefusal) => {
  const { what, list, fields } = refusal;
  const refused = `${what} refused: ${whoWords(fields)}` as const;
  if (best === undefined) {
    return notice('refusal', `${refused}: it offers nothing that ${list} could be compared with`, fields);
  }
  const wants = best.differences.map(({ attribute, got, expected }) => {
    const name = attribute === 'GROUP_DESCRIPTION' && what === 'quick mode' ? 'PFS group' : attribute;
    return `${name} ${expected}, not ${got}`;
  });
  const nearestOfOurs = `nearest of ours is ${best.acceptedName}, which wants ${wants.join('; ')}` as const;
  const text = `${refused}: it offers ${best.offered}; ${nearestOfOurs}; ${cureFor(best, refusal)}` as const;
  return notice('refusal', text, fields);
};

/** The line of configuration that would accept the offer, and what the peer could do instead. */
const cureFor = (best: Comparison, { list, names, policy }: ProposalRefusal): string => {
  const instead = `let it offer ${best.accepted}`;
  const { remedy, differences } = best;
  const [first, ...others] = differences;
  if (first?.attribute === 'LIFE_DURATION' && others.length === 0) {
    return `let LIFE_DURATION in the Life of ${best.acceptedName} begin at ${first.got} to accept it`;
  }
  if (remedy === undefined) return instead;
  const legacy = best.isWeak && !policy.legacyCrypto ? ` and Legacy-crypto=yes to [${policy.name}]` : '';
  // One difference says itself what the peer could offer instead.
  const accept = `to accept it${others.length === 0 ? '' : `, or ${instead}`}`;
  // A section of the operator's own may have the name and mean something else.
  if (!names.includes(remedy)) return `add ${remedy} to ${list}${legacy} ${accept}`;
  return legacy === ''
    ? `let [${remedy}] mean what its name says ${accept}`
    : `add Legacy-crypto=yes to [${policy.name}] ${accept}`;
};

/** An offer of hundreds of transforms is not worth hundreds of lines. */
const MAX_LINES = 8;
