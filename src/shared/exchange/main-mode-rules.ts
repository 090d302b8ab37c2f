/** RFC 2409 §5.1 and §5.4: what each main mode message must carry, and whether it is encrypted. One rule per state that waits for it. */

import { isSignatureMethod } from '../crypto/signature.ts';
import type { Phase1Choice } from '../policy/phase1-proposal.ts';
import type { MessageRule } from './inbound.ts';

/** Peers put these into any message of phase 1: vendor ids, certificates and requests for them, NAT detection, notifies. */
const ANYWHERE = ['VID', 'CERT', 'CERTREQ', 'NAT_D', 'NOTIFY'] as const;

export const MAIN_MODE = {
  /** Messages 1 and 2. */
  sa: { encryption: 'never', hashFirst: false, required: ['SA'], allowed: ANYWHERE },
  /** Messages 3 and 4. */
  keyExchange: { encryption: 'never', hashFirst: false, required: ['KE', 'NONCE'], allowed: ANYWHERE },
  /** Messages 5 and 6 with pre-shared keys. */
  authentication: { encryption: 'always', hashFirst: false, required: ['ID', 'HASH'], allowed: ANYWHERE },
  /** Messages 5 and 6 with signatures. */
  signature: { encryption: 'always', hashFirst: false, required: ['ID', 'SIG'], allowed: ANYWHERE },
} as const satisfies Readonly<Record<string, MessageRule>>;

/** Of messages 5 and 6. */
export const authenticationRule = ({ authentication }: Phase1Choice): MessageRule =>
  isSignatureMethod(authentication) ? MAIN_MODE.signature : MAIN_MODE.authentication;
