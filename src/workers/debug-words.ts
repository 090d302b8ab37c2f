/** The texts of a lane's debug records. Names, numbers and lengths only: no key, no hash value, no plaintext, and nothing that a peer may word. */

import type { Endpoint } from '../shared/address.ts';
import { AhTransform, AuthenticationAlgorithm, EspTransform, ProtocolId } from '../shared/constants/ipsec-doi.ts';
import { exchangeName, HeaderFlag, payloadName } from '../shared/constants/isakmp.ts';
import { EncryptionAlgorithm, GroupDescription, HashAlgorithm, nameOf } from '../shared/constants/oakley.ts';
import type { IsakmpKeys } from '../shared/exchange/effects.ts';
import { idText } from '../shared/log/who.ts';
import type { Phase1Choice } from '../shared/policy/phase1-proposal.ts';
import type { AgreedProtocol, Agreement, Failure, Path } from '../shared/threads/contract.ts';
import { type Header, readHeader } from '../shared/wire/message.ts';
import { cookiesOf, hex, type IsakmpSa, type Phase2 } from './isakmp-sa.ts';

/** `message_recv: from 192.0.2.1:500 to 192.0.2.2:500: ID_PROT 0011223344556677:8899aabbccddeeff MESSAGE_ID 00000000 ...` */
export const receivedWords = ({ remote, local }: Path, header: Header): string =>
  `message_recv: from ${at(remote)} to ${at(local)}: ${headerWords(header)}`;

/** `again`: it has been sent before. */
export const sentWords = ({ remote, local }: Path, bytes: Uint8Array, again: boolean): string =>
  `message_send: ${again ? 'again ' : ''}from ${at(local)} to ${at(remote)}: ${headerWords(readHeader(bytes))}`;

export const fragmentedWords = (fragments: number): string => `message_send: in ${fragments} fragments`;

export const reassembledWords = (header: Header): string => `message_recv: reassembled: ${headerWords(header)}`;

const headerWords = (header: Header): string => {
  const { initiatorCookie, responderCookie, nextPayload, exchangeType, flags, messageId, length } = header;
  const cookies = `${hex(initiatorCookie)}:${hex(responderCookie)}`;
  const isEncrypted = (flags & HeaderFlag.ENCRYPTION) !== 0 ? ' ENC' : '';
  return `${exchangeName(exchangeType)} ${cookies} MESSAGE_ID ${idText(messageId)} NEXT_PAYLOAD ${payloadName(nextPayload)} FLAGS [${isEncrypted} ] LENGTH ${length}`;
};

/** The payloads of a message in their order. */
export const payloadWords = (verb: 'parse' | 'add', kinds: readonly string[]): string =>
  `message_${verb}_payloads: ${kinds.join(' ')}`;

export const cipherWords = (
  verb: 'encrypt' | 'decrypt',
  { cipher }: Pick<IsakmpKeys, 'cipher'>,
  bytes: number,
): string => `crypto_${verb}: ${bytes} bytes, ${cipher.name}, key of ${cipher.keySize} bytes`;

export const diffieHellmanWords = (what: 'public value' | 'g^xy', group: number, bytes: number): string =>
  `dh: ${what} of ${bytes} bytes, ${nameOf(GroupDescription, group)}`;

export const phase1KeyWords = ({ hash, cipher }: IsakmpKeys, { group }: Phase1Choice): string =>
  `ike_phase_1_post_exchange_KE_NONCE: SKEYID by PRF ${nameOf(HashAlgorithm, hash)}, ${nameOf(GroupDescription, group)}; encryption ${nameOf(EncryptionAlgorithm, cipher.algorithm)}, key of ${cipher.keySize} bytes`;

export const ipsecKeyWords = ({ group, protocols }: Agreement): string =>
  `post_quick_mode: ${group === 0 ? 'no PFS' : `PFS ${nameOf(GroupDescription, group)}`}; ${protocols.map(protocolWords).join('; ')}`;

const protocolWords = (protocol: AgreedProtocol): string => {
  const { protocolId, transformId, authentication, encryptionKeyBytes, authenticationKeyBytes } = protocol;
  const transforms = protocolId === ProtocolId.IPSEC_AH ? AhTransform : EspTransform;
  const integrity = authentication === 0 ? 'no authentication' : nameOf(AuthenticationAlgorithm, authentication);
  return `${nameOf(ProtocolId, protocolId)} ${nameOf(transforms, transformId)} (${encryptionKeyBytes} bytes), ${integrity} (${authenticationKeyBytes} bytes)`;
};

export const armedWords = (name: string, sa: IsakmpSa, phase2: Phase2 | undefined, milliseconds: number): string =>
  `timer_add_event: event ${name} of ${exchangeOf(sa, phase2)} added, expiration in ${(milliseconds / 1000).toFixed(1)}s`;

export const firedWords = (name: string, sa: IsakmpSa, phase2: Phase2 | undefined): string =>
  `timer_handle_expirations: event ${name} of ${exchangeOf(sa, phase2)}`;

export const createdWords = (sa: IsakmpSa): string => `sa_create: ISAKMP SA ${exchangeOf(sa, undefined)}`;

export const deletedWords = (why: string, sa: IsakmpSa): string =>
  `sa_delete: ISAKMP SA ${exchangeOf(sa, undefined)}: ${why}`;

export const ipsecSaWords = ({ connection, protocols, lifeSeconds, lifeKilobytes }: Agreement): string => {
  const spis = protocols.map(({ spiIn, spiOut }) => `SPI in ${idText(spiIn)} out ${idText(spiOut)}`);
  return `sa_create: IPsec SAs ${connection}, ${spis.join(', ')}, life ${lifeSeconds} s ${lifeKilobytes} kB`;
};

export const begunWords = (sa: IsakmpSa, phase2: Phase2 | undefined): string => {
  const { role, policy, path } = sa;
  const isOurs = phase2 === undefined ? role === 'initiator' : phase2.request !== 0;
  const type = phase2 === undefined ? exchangeName(policy.exchangeType) : 'QUICK_MODE';
  const origin = `exchange_${isOurs ? 'establish' : 'setup'}_p${phase2 === undefined ? 1 : 2}`;
  return `${origin}: ${exchangeOf(sa, phase2)} ${type} policy ${policy.name}, ${isOurs ? 'initiator' : 'responder'}, peer ${at(path.remote)}`;
};

export const stepWords = (sa: IsakmpSa, phase2: Phase2 | undefined, from: string, to: string): string =>
  `exchange_run: ${exchangeOf(sa, phase2)} ${from} -> ${to}`;

export const endedWords = (sa: IsakmpSa, phase2: Phase2 | undefined, failure: Failure | undefined): string =>
  `exchange_finalize: ${exchangeOf(sa, phase2)} ${failure === undefined ? 'established' : `ended, ${failure.cause}`}`;

/** `west 0011223344556677:8899aabbccddeeff`, for a quick mode with connection and message id. */
const exchangeOf = (sa: IsakmpSa, phase2: Phase2 | undefined): string => {
  const cookies = cookiesOf(sa);
  const pair = `${cookies.slice(0, 16)}:${cookies.slice(16)}`;
  if (phase2 === undefined) return `${sa.policy.name} ${pair}`;
  return `${phase2.connection === '' ? '<unnamed>' : phase2.connection} ${pair} msgid ${idText(phase2.messageId)}`;
};

const at = ({ address, port }: Endpoint): string => `${address}:${port}`;
