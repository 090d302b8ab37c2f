/** Rows for tests, in which everything follows from one number: a row put together from two of them shows. */
import type { SaRow } from '../../../src/shared/sa-table/rows.ts';

const repeated = (length: number, n: number): Uint8Array => new Uint8Array(length).fill(n);

/** `n` below 2^32. Strings of neighbouring rows differ in content and length but share block sizes, so that blocks are soon used again. */
export const sampleRow = (n: number): SaRow => {
  const text = (prefix: string): string => `${prefix}-${n}-${'x'.repeat(n % 13)}`;
  const protocol = { protocolId: 3, transformId: n % 256, authentication: n % 65536, keyLength: 256, encapsulation: 1 };
  const keys = { spiOut: n, spiIn: n, encryptionKeyBytes: 32, authenticationKeyBytes: n % 65536 };
  return {
    phase: n % 2 === 0 ? 1 : 2,
    state: n % 256,
    flags: n,
    role: n % 2 === 0 ? 1 : 2,
    exchangeType: 2,
    initiatorCookie: repeated(8, n),
    responderCookie: repeated(8, n + 1),
    messageId: n,
    family: n % 2 === 0 ? 4 : 6,
    localAddress: repeated(n % 2 === 0 ? 4 : 16, n),
    remoteAddress: repeated(n % 2 === 0 ? 4 : 16, n + 1),
    localPort: 500,
    remotePort: n % 65536,
    zone: '',
    name: text('connection'),
    peerName: text('peer'),
    localIdentity: 'gateway.example',
    remoteIdentity: text('peer.example'),
    localSelector: text('10.1.0.0/16'),
    remoteSelector: text('10.2.0.0/16'),
    establishedAt: n,
    softAt: n + 0.25,
    hardAt: n + 0.5,
    lifeSeconds: 3600,
    lifeKilobytes: n,
    encryption: 7,
    keyLength: 256,
    hash: 4,
    group: 14,
    authenticationMethod: 65001,
    protocols: Array.from({ length: n % 3 }, () => ({ ...protocol, ...keys })),
    slabSlot: n % 2 === 0 ? n % 1000 : -1,
  };
};
