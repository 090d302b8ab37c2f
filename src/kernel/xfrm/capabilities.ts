/** Which algorithms this kernel has: it is asked, by adding SAs that no packet will have and deleting them. */
import { randomInt } from 'node:crypto';
import {
  AhTransform,
  AuthenticationAlgorithm,
  EncapsulationMode,
  EspTransform,
  ProtocolId,
} from '../../shared/constants/ipsec-doi.ts';
import { InvariantError } from '../../shared/errors.ts';
import { keymatSizes } from '../../shared/exchange/keymat.ts';
import { NO_ROUTE } from '../../shared/flow.ts';
import type { IpsecSa } from '../../shared/threads/contract.ts';
import { type Capabilities, KernelError, type SaContext } from '../backend.ts';
import { CIPHERS } from './algorithms.ts';
import type { Conversation } from './conversation.ts';
import { MessageType } from './layout.ts';
import { deleteSa, NO_LIMITS, putSa } from './sa-messages.ts';
import { specOf } from './sa-spec.ts';

/** `reqid`: of the throwaway SAs. `release`: of the kernel. Rejects with KernelError: 'unsupported' where it has no ESP at all. */
export const probeCapabilities = async (
  conversation: Conversation,
  reqid: number,
  release: string,
): Promise<Capabilities> => {
  let reason = '';
  const has = async (protocolId: number, transformId: number, authentication: number): Promise<boolean> => {
    const refusal = await refusalTo(conversation, reqid, throwaway(protocolId, transformId, authentication));
    if (refusal !== undefined && transformId === EspTransform.AES) reason = refusal.message;
    return refusal === undefined;
  };
  const [espTransforms, ahTransforms, authentications] = await Promise.all([
    chosen(CIPHERS, (number, { icvBits }) => has(ProtocolId.IPSEC_ESP, number, icvBits > 0 ? 0 : HMAC_SHA)),
    chosen(AH, (number, authentication) => has(ProtocolId.IPSEC_AH, number, authentication)),
    chosen(HMACS, (number) => has(ProtocolId.IPSEC_ESP, EspTransform.NULL, number)),
  ]);
  if (espTransforms.size === 0) {
    throw new KernelError('unsupported', `the kernel takes no ESP SA: ${reason}`);
  }
  return {
    espTransforms,
    ahTransforms,
    authentications,
    encapsulations: new Set(Object.values(EncapsulationMode)),
    onlySha2Truncation96: false,
    lastUse: tellsLastUse(release),
    routes: true,
  };
};

/** The keys of those for which `isThere` holds. */
const chosen = async <T>(
  candidates: ReadonlyMap<number, T>,
  isThere: (number: number, row: T) => Promise<boolean>,
): Promise<ReadonlySet<number>> => {
  const answers = await Promise.all(
    [...candidates].map(async ([number, row]) => ((await isThere(number, row)) ? [number] : [])),
  );
  return new Set(answers.flat());
};

/** Undefined: the kernel has taken it, and it is deleted again. Rejects where the refusal says nothing about algorithms. */
const refusalTo = async (conversation: Conversation, reqid: number, sa: IpsecSa): Promise<KernelError | undefined> => {
  const spec = specOf(sa, { ...CONTEXT, reqid }, true);
  const what = `probe transform ${sa.transformId} with authentication ${sa.authentication}`;
  try {
    await conversation.acknowledged({ question: 'put SA', what, message: putSa(MessageType.NEWSA, spec) });
  } catch (fault) {
    if (fault instanceof KernelError && fault.reason === 'unsupported') return fault;
    throw fault;
  }
  try {
    const message = deleteSa(spec.id, spec.source, NO_ROUTE);
    await conversation.acknowledged({ question: 'name SA', what, message });
  } catch (fault) {
    // Its life was over: loading the ciphers took that long.
    if (!(fault instanceof KernelError && fault.reason === 'missing')) throw fault;
  }
  return undefined;
};

/** From this host to itself, with keys that everybody knows. */
const throwaway = (protocolId: number, transformId: number, authentication: number): IpsecSa => {
  const sizes = keymatSizes(protocolId, transformId, undefined, authentication === 0 ? undefined : authentication);
  if (sizes === undefined) throw new InvariantError(`no keys for ${protocolId}/${transformId}/${authentication}`);
  return {
    direction: 'out',
    protocolId,
    transformId,
    authentication,
    spi: randomInt(LOWEST_SPI, 2 ** 32 - 1),
    encapsulation: EncapsulationMode.TRANSPORT,
    keyLength: 0,
    encryptionKey: Uint8Array.from({ length: sizes.encryption }, (_, i) => i + 1),
    authenticationKey: Uint8Array.from({ length: sizes.authentication }, (_, i) => i + 1),
    source: '127.0.0.1',
    destination: '127.0.0.1',
    replayWindow: 0,
  };
};

const CONTEXT: SaContext = {
  reqid: 0,
  acquire: undefined,
  udp: undefined,
  selectors: undefined,
  // Should we die before it is deleted.
  life: { ...NO_LIMITS, hardSeconds: 60 },
  sha2Truncation96: false,
  route: NO_ROUTE,
};

/** Linux has counted the last use of every SA since 6.2. */
const tellsLastUse = (release: string): boolean => {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return Number(major) > 6 || (Number(major) === 6 && Number(minor) >= 2);
};

const { HMAC_MD5, HMAC_SHA, HMAC_SHA2_256, HMAC_SHA2_384, HMAC_SHA2_512, HMAC_RIPEMD } = AuthenticationAlgorithm;

const AH: ReadonlyMap<number, number> = new Map([
  [AhTransform.MD5, HMAC_MD5],
  [AhTransform.SHA, HMAC_SHA],
  [AhTransform.SHA2_256, HMAC_SHA2_256],
  [AhTransform.SHA2_384, HMAC_SHA2_384],
  [AhTransform.SHA2_512, HMAC_SHA2_512],
  [AhTransform.RIPEMD, HMAC_RIPEMD],
]);

const HMACS: ReadonlyMap<number, undefined> = new Map([...AH.values()].map((number) => [number, undefined]));

/** RFC 2406 §2.1: lower ones are reserved. */
const LOWEST_SPI = 256;
