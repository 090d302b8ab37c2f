/** What peers say when they refuse something of ours: authenticated it ends a quick mode, in the clear it is only told to the operator. */
import { NotifyType, notifyName } from '../shared/constants/isakmp.ts';
import { openMessage } from '../shared/exchange/envelope.ts';
import { CLEARTEXT_NOTIFY } from '../shared/exchange/informational.ts';
import { identityText } from '../shared/policy/identity.ts';
import { offeredWords } from '../shared/policy/phase1-proposal.ts';
import { suiteWords } from '../shared/policy/phase2-comparison.ts';
import type { LaneEvent } from '../shared/threads/contract.ts';
import type { Header } from '../shared/wire/message.ts';
import type { Established, IsakmpSa, Phase2 } from './isakmp-sa.ts';
import { type LaneContext, say } from './lane-context.ts';
import { setupOf } from './phase2.ts';
import { endPhase2 } from './sa-life.ts';

type Datagram = Extract<LaneEvent, { readonly kind: 'datagram' }>;

/**
 * An authenticated error notify. It ends the quick mode whose SPI it names; without a SPI, the only one that is under way, if it is an
 * error that quick modes meet (a peer also reports what somebody forged in our name). Otherwise the operator hears of it.
 */
export const refusedByPeer = (
  lane: LaneContext,
  sa: IsakmpSa,
  established: Established,
  notify: number,
  spi: number | undefined,
): void => {
  const running = [...established.phase2.values()].filter(({ isSettled }) => !isSettled);
  const [only, ...others] = running;
  const isPlain = spi === undefined && others.length === 0 && ABOUT_QUICK_MODE.has(notify);
  const meant = spi === undefined ? undefined : running.find(({ spis }) => spis.includes(spi));
  const ended = meant ?? (isPlain ? only : undefined);
  const name = notifyName(notify);
  if (ended !== undefined) {
    const reason = `the peer answered ${name}${adviceFor(lane, sa, established, ended, notify)}`;
    endPhase2(lane, sa, ended, { cause: 'refused', reason });
  } else if (established.authentic.take(lane.now())) {
    say(lane, sa, 'peer-error', `peer ${sa.path.remote.address} (peer section ${sa.policy.name}) reports ${name}`);
  }
};

/** Peers name no SPI with these, or zeros (charon), when they refuse a quick mode. */
const ABOUT_QUICK_MODE: ReadonlySet<number> = new Set([
  NotifyType.DOI_NOT_SUPPORTED,
  NotifyType.SITUATION_NOT_SUPPORTED,
  NotifyType.INVALID_PROTOCOL_ID,
  NotifyType.INVALID_TRANSFORM_ID,
  NotifyType.ATTRIBUTES_NOT_SUPPORTED,
  NotifyType.NO_PROPOSAL_CHOSEN,
  NotifyType.BAD_PROPOSAL_SYNTAX,
  NotifyType.INVALID_KEY_INFORMATION,
  NotifyType.INVALID_ID_INFORMATION,
]);

/** What we had asked for, and what the operator can do about it. */
const adviceFor = (
  lane: LaneContext,
  sa: IsakmpSa,
  established: Established,
  { connection: name, messageId, request }: Phase2,
  notify: number,
): string => {
  const { policy } = setupOf(lane, sa, established, messageId);
  const connection = policy.connections.find((one) => one.name === name);
  if (connection === undefined || request === 0) return '';
  if (notify === NotifyType.NO_PROPOSAL_CHOSEN) {
    return ` to our ${listed(suiteWords(connection.suites))}: compare the Suites of ${name}, and PFS, with the peer's proposals`;
  }
  if (notify !== NotifyType.INVALID_ID_INFORMATION) return '';
  const { natId, localId, remoteId } = connection;
  const local = natId ?? localId;
  const ids = [local, remoteId].map((id) => (id === undefined ? 'its address' : identityText(id)));
  return ` to our ${ids.join(' to ')}: it has no connection with the Local-ID and Remote-ID of ${name}`;
};

/** An error notify that anybody may have sent: it goes into the report of a failure, should there be one. */
export const hearNotify = (lane: LaneContext, sa: IsakmpSa, { path, bytes }: Datagram, header: Header): void => {
  if (path.remote.address !== sa.path.remote.address || !isWaiting(sa) || sa.hearsay !== undefined) return;
  const opened = openMessage(undefined, bytes, header, CLEARTEXT_NOTIFY);
  const type = opened.kind === 'opened' ? opened.message.notifies[0]?.value.notifyType : undefined;
  if (type === undefined || type === 0 || type > NotifyType.UNEQUAL_PAYLOAD_LENGTHS) return;
  const name = notifyName(type);
  sa.hearsay = `it had answered ${name}, unauthenticated`;
  if (!lane.strangers.take(lane.now())) return;
  const what = sa.established === undefined ? 'phase 1' : 'quick mode';
  const text =
    `peer ${sa.path.remote.address} (peer section ${sa.policy.name}) answers ${name} to our ${what}` as const;
  say(lane, sa, 'refused-by-peer', `${text}${hintFor(sa, type)}`);
};

/** Something of ours has no answer yet: our offer, our proof of the secret (both sides' keys are there), or a quick mode. */
const isWaiting = ({ established, role, conversation }: IsakmpSa): boolean =>
  established === undefined
    ? role === 'initiator' || conversation?.protection !== undefined
    : [...established.phase2.values()].some(({ isSettled, request }) => !isSettled && request !== 0);

const hintFor = ({ policy, established }: IsakmpSa, notify: number): string => {
  if (established !== undefined) {
    return notify === NotifyType.INVALID_COOKIE ? ': it may have lost this ISAKMP SA' : '';
  }
  return notify === NotifyType.NO_PROPOSAL_CHOSEN
    ? `: we offer ${listed(offeredWords(policy.transforms))}; compare our Transforms with the peer's proposals`
    : (HINTS.get(notify) ?? '');
};

/** What the operator can do about it. */
const HINTS: ReadonlyMap<number, string> = new Map([
  [
    NotifyType.INVALID_ID_INFORMATION,
    ': it expects another identity; compare our ID with what the peer is configured for',
  ],
  [NotifyType.PAYLOAD_MALFORMED, ': it could not read our message; more often than not that is a wrong pre-shared key'],
  [NotifyType.INVALID_HASH_INFORMATION, ': probably a wrong pre-shared key'],
  [NotifyType.AUTHENTICATION_FAILED, ': probably a wrong pre-shared key'],
]);

/** An encrypted informational message before phase 1 is done: what a peer with another secret says to our proof of it (charon). */
export const hearUnreadable = (lane: LaneContext, sa: IsakmpSa, { path }: Datagram): void => {
  if (path.remote.address !== sa.path.remote.address || sa.hearsay !== undefined) return;
  if (sa.conversation?.protection === undefined) return;
  sa.hearsay = 'it had answered something that we cannot decrypt';
  if (!lane.strangers.take(lane.now())) return;
  const text =
    `peer ${sa.path.remote.address} (peer section ${sa.policy.name}) answers our phase 1 with something that we cannot decrypt` as const;
  say(lane, sa, 'refused-by-peer', `${text}: probably a wrong pre-shared key`);
};

const listed = (words: readonly string[]): string =>
  words.length <= MOST_WORDS
    ? words.join(', ')
    : `${words.slice(0, MOST_WORDS).join(', ')} and ${words.length - MOST_WORDS} more`;
const MOST_WORDS = 4;
