/** From what was negotiated to an SA that seals or opens packets. */
import { randomFillSync } from 'node:crypto';
import { parseAddress } from '../../shared/address.ts';
import { ProtocolId } from '../../shared/constants/ipsec-doi.ts';
import { errorCode } from '../../shared/crypto/node-crypto.ts';
import { createOpener, createSealer } from '../../shared/esp/create-transform.ts';
import { pooledFill } from '../../shared/esp/iv-pool.ts';
import { LARGEST_WINDOW, ReplayWindow } from '../../shared/esp/replay-window.ts';
import { compileSelector } from '../../shared/esp/selector.ts';
import { type EspSuite, espSuite, isAuthenticated } from '../../shared/esp/suite.ts';
import { isTransport } from '../../shared/policy/encapsulation.ts';
import type { IpsecSa } from '../../shared/threads/contract.ts';
import { KernelError, type SaContext } from '../backend.ts';
import { toSocketAddress } from '../udp/endpoint-bytes.ts';
import type { EspSa, OuterEnd } from './esp-sa.ts';

/** Throws KernelError 'unsupported' for what this process cannot do, and for keys of other sizes. The keys may be zeroed then. */
export const makeSa = (sa: IpsecSa, context: SaContext, slot: number): EspSa => {
  const suite = suiteOf(sa, context);
  checkKeys(suite, sa);
  const { udp, selectors } = context;
  const facts = {
    reqid: context.reqid,
    spi: sa.spi,
    slot,
    suite,
    life: context.life,
    selectors:
      selectors === undefined
        ? undefined
        : { source: compileSelector(selectors.source), destination: compileSelector(selectors.destination) },
    id: { protocolId: sa.protocolId, spi: sa.spi, destination: sa.destination },
    source: outerEnd(sa.source, udp?.source ?? 0),
    destination: outerEnd(sa.destination, udp?.destination ?? 0),
    isDying: false,
    timers: [],
  };
  const { encryptionKey, authenticationKey } = sa;
  if (sa.direction === 'out') {
    const sealer = provided(() => createSealer(suite, encryptionKey, authenticationKey, RANDOM));
    return { direction: 'out', ...facts, sealer, pathMtu: 0, pathMtuUntil: 0 };
  }
  const opener = provided(() => createOpener(suite, encryptionKey, authenticationKey));
  const size = Math.min(Math.max(sa.replayWindow, LEAST_WINDOW), LARGEST_WINDOW);
  const window = isAuthenticated(suite) ? new ReplayWindow(size) : undefined;
  return { direction: 'in', ...facts, opener, window, reported: '' };
};

/** Throws KernelError 'failed' for what is no address. */
export const outerEnd = (text: string, port: number): OuterEnd => {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new KernelError('failed', `${text} is no address for an SA`);
  return { text: parsed.text, address: parsed.bytes, port, name: toSocketAddress({ address: parsed.text, port }) };
};

const suiteOf = (sa: IpsecSa, context: SaContext): EspSuite => {
  if (sa.protocolId !== ProtocolId.IPSEC_ESP) throw unsupported(`security protocol ${sa.protocolId}`);
  if (isTransport(sa.encapsulation)) throw unsupported(`encapsulation mode ${sa.encapsulation}`);
  const suite = espSuite(sa.transformId, sa.keyLength, sa.authentication, context.sha2Truncation96);
  if (suite !== undefined) return suite;
  throw unsupported(
    `ESP transform ${sa.transformId} with ${sa.keyLength} bits and authentication ${sa.authentication}`,
  );
};

const checkKeys = (suite: EspSuite, { encryptionKey, authenticationKey }: IpsecSa): void => {
  const [encryption, authentication] = [suite.keySize + suite.saltSize, suite.hmacKeySize];
  if (encryptionKey.length === encryption && authenticationKey.length === authentication) return;
  const sizes = `${encryptionKey.length} and ${authenticationKey.length} bytes, but for ${encryption} and ${authentication}`;
  throw unsupported(`this suite for keys of ${sizes}`);
};

const provided = <T>(make: () => T): T => {
  try {
    return make();
  } catch (fault) {
    if (isMissingAlgorithm(fault)) throw unsupported("an algorithm of OpenSSL's legacy provider");
    throw fault;
  }
};

const unsupported = (what: string): KernelError => new KernelError('unsupported', `userland ESP does not have ${what}`);

const RANDOM = pooledFill(randomFillSync);

/** Whether node:crypto says that its OpenSSL does not have the algorithm. */
export const isMissingAlgorithm = (fault: unknown): boolean => MISSING.has(errorCode(fault) ?? '');

/** What Node says of an algorithm whose provider is not loaded, or that its OpenSSL was built without. */
const MISSING: ReadonlySet<string> = new Set([
  'ERR_OSSL_EVP_UNSUPPORTED',
  'ERR_CRYPTO_UNKNOWN_CIPHER',
  'ERR_CRYPTO_INVALID_DIGEST',
]);

/** RFC 4303 §3.4.3. */
const LEAST_WINDOW = 32;
