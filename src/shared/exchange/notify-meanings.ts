/** What an error notify of a peer usually means, and what can be done about it here: `NO_PROPOSAL_CHOSEN: ...`. */
import { exchangeName, NotifyType } from '../constants/isakmp.ts';
import { isSignatureMethod } from '../crypto/signature.ts';
import { bounded } from '../log/bounded.ts';
import { identityText } from '../policy/identity.ts';
import { selectorWords } from '../policy/identity-settings.ts';
import type { ConnectionPolicy, PeerPolicy, Phase1Transform } from '../policy/peer-policy.ts';
import { offeredWords } from '../policy/phase1-proposal.ts';
import { suiteWords } from '../policy/phase2-comparison.ts';

/** About our phase 1. `localAddress`: what we call ourselves where no ID is configured. */
export const phase1Meaning = (notify: number, policy: PeerPolicy, localAddress: string): string => {
  const { name, configuration } = policy;
  const list = `[${configuration}]:Transforms`;
  if (ABOUT_OFFER.has(notify)) {
    return `we offer ${listed(offeredWords(policy.transforms))}; compare ${list} with the peer's proposals, and our address and ID with its peers`;
  }
  switch (notify) {
    case NotifyType.INVALID_ID_INFORMATION: {
      const ours = policy.localId === undefined ? localAddress : bounded(identityText(policy.localId));
      return `it expects another ID than our ${ours}; compare [${name}]:ID with what the peer is configured for`;
    }
    case NotifyType.INVALID_MAJOR_VERSION:
    case NotifyType.INVALID_MINOR_VERSION:
      return 'it does not take IKEv1; allow IKEv1 for us there';
    case NotifyType.INVALID_EXCHANGE_TYPE:
    case NotifyType.UNSUPPORTED_EXCHANGE_TYPE:
      return `it does not take ${exchangeName(policy.exchangeType)}; change [${configuration}]:EXCHANGE_TYPE, or the peer`;
    case NotifyType.INVALID_COOKIE:
      return 'it does not know this negotiation: it was restarted, or two peers share the address';
  }
  // pluto refuses certificates with the last one.
  const isAboutProof =
    ABOUT_SECRET.has(notify) || ABOUT_CERTIFICATES.has(notify) || notify === NotifyType.INVALID_KEY_INFORMATION;
  if (isAboutProof && policy.transforms.every(isSigned)) {
    return `it cannot verify our signature, or does not trust our certificate; compare [${name}]:ID with the names in our certificate, and look whether it has our CA or our public key`;
  }
  if (ABOUT_SECRET.has(notify)) {
    return `it cannot read or verify our message, probably a wrong pre-shared key; compare [${name}]:Authentication with the peer's`;
  }
  if (ABOUT_CERTIFICATES.has(notify)) {
    return `it wants certificates; let it use a pre-shared key, or name a transform with RSA_SIG in ${list}`;
  }
  return LOOK_THERE;
};

const isSigned = ({ authentication }: Phase1Transform): boolean =>
  authentication !== 'ANY' && isSignatureMethod(authentication);

/** About our quick mode for a connection. */
export const quickModeMeaning = (notify: number, connection: ConnectionPolicy): string => {
  const { name, suites, suitesTag, natId, localId, remoteId } = connection;
  if (ABOUT_OFFER.has(notify) || notify === NotifyType.INVALID_KEY_INFORMATION) {
    return `we offer ${listed(suiteWords(suites))}; compare ${suitesTag}, PFS included, with the peer's proposals`;
  }
  if (notify === NotifyType.INVALID_ID_INFORMATION) {
    const local = natId ?? localId;
    const ids =
      local === undefined ? 'the two addresses' : `our ${selectorWords(local)} and its ${selectorWords(remoteId)}`;
    return `it has no connection between ${ids}; compare [${name}]:Local-ID and Remote-ID with the peer's`;
  }
  return HAS_LOST_SA.has(notify) ? 'it may have lost this ISAKMP SA' : LOOK_THERE;
};

const LOOK_THERE = 'look into its log';

/** Peers refuse an offer with any of these, the first one far ahead. */
const ABOUT_OFFER: ReadonlySet<number> = new Set([
  NotifyType.NO_PROPOSAL_CHOSEN,
  NotifyType.BAD_PROPOSAL_SYNTAX,
  NotifyType.ATTRIBUTES_NOT_SUPPORTED,
  NotifyType.INVALID_TRANSFORM_ID,
  NotifyType.INVALID_PROTOCOL_ID,
  NotifyType.SITUATION_NOT_SUPPORTED,
  NotifyType.DOI_NOT_SUPPORTED,
]);

/** What is decrypted with a wrong key is garbage: peers call that by many names. */
const ABOUT_SECRET: ReadonlySet<number> = new Set([
  NotifyType.PAYLOAD_MALFORMED,
  NotifyType.INVALID_PAYLOAD_TYPE,
  NotifyType.UNEQUAL_PAYLOAD_LENGTHS,
  NotifyType.INVALID_HASH_INFORMATION,
  NotifyType.AUTHENTICATION_FAILED,
]);

const ABOUT_CERTIFICATES: ReadonlySet<number> = new Set([
  NotifyType.INVALID_SIGNATURE,
  NotifyType.INVALID_CERT_ENCODING,
  NotifyType.INVALID_CERTIFICATE,
  NotifyType.CERT_TYPE_UNSUPPORTED,
  NotifyType.INVALID_CERT_AUTHORITY,
  NotifyType.CERTIFICATE_UNAVAILABLE,
]);

const HAS_LOST_SA: ReadonlySet<number> = new Set([
  NotifyType.INVALID_COOKIE,
  NotifyType.INVALID_HASH_INFORMATION,
  NotifyType.PAYLOAD_MALFORMED,
]);

const listed = (words: readonly string[]): string =>
  words.length <= MOST_WORDS
    ? words.join(', ')
    : `${words.slice(0, MOST_WORDS).join(', ')} and ${words.length - MOST_WORDS} more`;
const MOST_WORDS = 3;
