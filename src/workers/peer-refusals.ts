/** What peers say when they refuse something of ours: authenticated it ends a quick mode, in the clear it is only told to the operator. */
import { NotifyType, notifyName } from '../shared/constants/isakmp.ts';
import { isSignatureMethod } from '../shared/crypto/signature.ts';
import { openMessage } from '../shared/exchange/envelope.ts';
import { CLEARTEXT_NOTIFY } from '../shared/exchange/informational.ts';
import { phase1Meaning, quickModeMeaning } from '../shared/exchange/notify-meanings.ts';
import { quickModeFields, whoWords } from '../shared/log/who.ts';
import type { LaneEvent } from '../shared/threads/contract.ts';
import type { Header } from '../shared/wire/message.ts';
import { capture } from './capture.ts';
import type { Established, IsakmpSa, Phase2 } from './isakmp-sa.ts';
import type { LaneContext } from './lane-context.ts';
import { fieldsOf, say } from './lane-log.ts';
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
    const reason = `the peer answered ${name}${meaningFor(lane, sa, established, ended, notify)}`;
    endPhase2(lane, sa, ended, { cause: 'refused', reason });
  } else if (established.authentic.take(lane.now())) {
    say(lane, sa, 'peer-error', `error reported by ${whoWords(fieldsOf(sa))}: ${name}; look into its log`);
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
const meaningFor = (
  lane: LaneContext,
  sa: IsakmpSa,
  established: Established,
  { connection: name, messageId, request }: Phase2,
  notify: number,
): string => {
  const { policy } = setupOf(lane, sa, established, messageId);
  const connection = policy.connections.find((one) => one.name === name);
  return connection === undefined || request === 0 ? '' : `: ${quickModeMeaning(notify, connection)}`;
};

/** An error notify that anybody may have sent: it goes into the report of a failure, should there be one. */
export const hearNotify = (lane: LaneContext, sa: IsakmpSa, { path, bytes }: Datagram, header: Header): void => {
  if (path.remote.address !== sa.path.remote.address || !isWaiting(sa) || sa.hearsay !== undefined) return;
  const opened = openMessage(undefined, bytes, header, CLEARTEXT_NOTIFY);
  const type = opened.kind === 'opened' ? opened.message.notifies[0]?.value.notifyType : undefined;
  if (type === undefined || type === 0 || type > NotifyType.UNEQUAL_PAYLOAD_LENGTHS) return;
  if (opened.kind === 'opened') capture(lane, path, false, opened.message.clear);
  const name = notifyName(type);
  sa.hearsay = `it had answered ${name}, unauthenticated`;
  if (!lane.strangers.take(lane.now())) return;
  const waiting = sa.established === undefined ? undefined : waitingIn(sa.established);
  const connection = lane.peers.get(sa.policy.name)?.connections.find((one) => one.name === waiting?.connection);
  if (waiting === undefined) {
    const text = `phase 1 refused by ${whoWords(fieldsOf(sa))}: it answers ${name}, unauthenticated` as const;
    say(lane, sa, 'refused-by-peer', `${text}: ${phase1Meaning(type, sa.policy, sa.path.local.address)}`);
    return;
  }
  const fields = quickModeFields(waiting);
  const text =
    `quick mode refused by ${whoWords({ ...fieldsOf(sa), ...fields })}: it answers ${name}, unauthenticated` as const;
  const meaning = connection === undefined ? 'look into its log' : quickModeMeaning(type, connection);
  say(lane, sa, 'refused-by-peer', `${text}: ${meaning}`, fields);
};

/** Something of ours has no answer yet: our offer, our proof of the secret (both sides' keys are there), or a quick mode. */
const isWaiting = ({ established, role, conversation }: IsakmpSa): boolean =>
  established === undefined
    ? role === 'initiator' || conversation?.protection !== undefined
    : waitingIn(established) !== undefined;

const waitingIn = ({ phase2 }: Established): Phase2 | undefined =>
  [...phase2.values()].find(({ isSettled, request }) => !isSettled && request !== 0);

/** An encrypted informational message before phase 1 is done: what a peer with another secret, or that does not take our signature, says to our proof (charon). */
export const hearUnreadable = (lane: LaneContext, sa: IsakmpSa, { path }: Datagram): void => {
  if (path.remote.address !== sa.path.remote.address || sa.hearsay !== undefined) return;
  if (sa.conversation?.protection === undefined) return;
  sa.hearsay = 'it had answered something that we cannot decrypt';
  if (!lane.strangers.take(lane.now())) return;
  const refused = `phase 1 refused by ${whoWords(fieldsOf(sa))}` as const;
  if (isSignatureMethod(sa.conversation.exchange.choice()?.authentication ?? 0)) {
    const what =
      'it answers something that we cannot decrypt yet, probably it does not know our public key or certificate';
    say(lane, sa, 'refused-by-peer', `${refused}: ${what}, or expects another ID than ours; look into its log`);
    return;
  }
  const cure = `compare [${sa.policy.name}]:Authentication with the peer's` as const;
  const what = 'it answers something that we cannot decrypt, probably a wrong pre-shared key';
  say(lane, sa, 'refused-by-peer', `${refused}: ${what}; ${cure}`);
};
