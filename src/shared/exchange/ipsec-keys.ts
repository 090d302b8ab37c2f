/** The key buffers of negotiated SAs: whoever hands SAs on, or drops them, answers for these. */
import type { IpsecSa } from '../threads/contract.ts';

export const keysOf = (sas: readonly IpsecSa[]): readonly Uint8Array[] =>
  sas.flatMap(({ encryptionKey, authenticationKey }) => [encryptionKey, authenticationKey]);
