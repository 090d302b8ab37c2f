/** RFC 2409 §5.1 and §5.4: what each aggressive mode message must carry, and whether it is encrypted. */
import type { MessageRule } from './inbound.ts';

const ANYWHERE = ['VID', 'CERT', 'CERTREQ', 'NAT_D', 'NOTIFY'] as const;

export const AGGRESSIVE_MODE = {
  /** Message 1. */
  offer: { encryption: 'never', hashFirst: false, required: ['SA', 'KE', 'NONCE', 'ID'], allowed: ANYWHERE },
  /** Message 2: whether HASH or SIG is due says its SA payload, so the step looks. */
  answer: {
    encryption: 'never',
    hashFirst: false,
    required: ['SA', 'KE', 'NONCE', 'ID'],
    allowed: [...ANYWHERE, 'HASH', 'SIG'],
  },
  /** Message 3 with pre-shared keys; RFC 2409 leaves it to the initiator whether it is encrypted. */
  proof: { encryption: 'either', hashFirst: false, required: ['HASH'], allowed: ANYWHERE },
  /** Message 3 with signatures. */
  signature: { encryption: 'either', hashFirst: false, required: ['SIG'], allowed: ANYWHERE },
} as const satisfies Readonly<Record<string, MessageRule>>;
