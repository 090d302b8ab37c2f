/** What it usually means when the other side of a negotiation says nothing more: by who is silent, and after which message. */
import { isSignatureMethod } from '../crypto/signature.ts';
import type { PeerPolicy } from '../policy/peer-policy.ts';

/** How far a phase 1 has come. */
export interface Phase1Progress {
  /** The state of its exchange, RFC 2409 §5.1-5.4. */
  readonly tag: string;
  readonly policy: Pick<PeerPolicy, 'name'>;
  /** AuthenticationMethod that was agreed on; undefined: none was. */
  readonly method: number | undefined;
  /** Its last message was refused: why is told besides, no guesses are needed. */
  readonly isRefused: boolean;
  /** Something has come that proves nothing: it is told besides. */
  readonly hasSpoken: boolean;
}

/** Ours, unanswered: what follows `no response from peer A:P`. */
export const silenceOfResponder = ({ tag, policy: { name }, method, isRefused, hasSpoken }: Phase1Progress): string => {
  switch (tag) {
    case 'awaitKe':
      return ` to our message 3 (key exchange)${isRefused ? '' : LOST_ON_THE_WAY}`;
    case 'awaitId':
      return ` to our message 5 (authentication)${
        isRefused
          ? ''
          : isSignature(method)
            ? `, probably it does not know our public key or certificate, or expects another ID than ours; compare [${name}]:ID with the peer's, and look into its log`
            : `, probably a wrong pre-shared key, or it expects another ID than ours; compare [${name}]:Authentication and [${name}]:ID with the peer's`
      }`;
  }
  if (isRefused || hasSpoken) return '';
  const wanted = tag === 'awaitAnswer' ? 'it takes aggressive mode from our ID' : 'it speaks IKEv1';
  return `; nothing has come from it at all: check [${name}]:Address, the route, firewalls both ways, and that ${wanted}`;
};

const isSignature = (method: number | undefined): boolean => method !== undefined && isSignatureMethod(method);

const LOST_ON_THE_WAY = ', after it answered message 1; look for a path that loses large packets, and into its log';

/** The peer's, broken off: where it stopped and what that usually means. */
export const silenceOfInitiator = ({ tag, policy: { name }, method, isRefused }: Phase1Progress): string => {
  switch (tag) {
    case 'awaitProof':
      return `it stopped after our message 2 (authentication)${
        isRefused
          ? ''
          : isSignature(method)
            ? ', probably it does not know our public key or certificate, or expects another ID than ours; look into its log'
            : `, probably a wrong pre-shared key; compare [${name}]:Authentication with the peer's, and our ID`
      }`;
    case 'awaitKe':
      return `it stopped after our message 2 (choice of transform)${
        isRefused ? '' : '; our answers may not reach it: look at firewalls and NAT on the way'
      }`;
    default:
      return `it stopped after our message 4 (key exchange)${
        isRefused ? '' : '; its message 5 may be lost on the way (large packets): look into its log'
      }`;
  }
};

/** Our quick mode, unanswered. */
export const silenceToQuickMode = (connection: string): string =>
  ` to our quick mode; it may have lost the ISAKMP SA, or refuse without a word: compare Suites, Local-ID and Remote-ID of ${connection} with the peer's`;

/** A quick mode of the peer that stopped after message 2. */
export const BROKEN_OFF_QUICK_MODE = 'it stopped after our message 2; it may not accept our answer: look into its log';

/** A quick mode that waits for the kernel. */
export const SILENT_KERNEL =
  'the kernel has not answered within Exchange-max-time: look into its log, and start the daemon anew if it goes on';
