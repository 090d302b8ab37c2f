/** What both roles of quick mode share: rules, hashes, selectors, keys and the agreement. RFC 2409 §5.5. */

import { compareBytes } from '../address.ts';
import { NotifyType } from '../constants/isakmp.ts';
import { equalConstantTime, prf } from '../crypto/prf.ts';
import { InvariantError, ProtocolError } from '../errors.ts';
import { identityOfAddress } from '../policy/identity.ts';
import type { ConnectionPolicy, Identity } from '../policy/peer-policy.ts';
import type { Phase2Choice, Phase2ProtocolChoice } from '../policy/phase2-fit.ts';
import type { Selectors } from '../policy/selectors.ts';
import { spiBytes } from '../policy/spi.ts';
import type { Agreement, IpsecSa, PeerChose, Role } from '../threads/contract.ts';
import type { Effects, Env, PeerSpi, Phase2Setup } from './effects.ts';
import { type Inbound, insist, type MessageRule } from './inbound.ts';
import { keymat, keymatSizes } from './keymat.ts';

const ANYWHERE = ['KE', 'ID', 'VID', 'NOTIFY', 'NAT_OA'] as const;

export const QUICK_MODE = {
  /** Messages 1 and 2. */
  offer: { encryption: 'always', hashFirst: true, required: ['HASH', 'SA', 'NONCE'], allowed: ANYWHERE },
  /** Message 3. */
  proof: { encryption: 'always', hashFirst: true, required: ['HASH'], allowed: ['VID', 'NOTIFY'] },
} as const satisfies Readonly<Record<string, MessageRule>>;

const messageIdBytes = (messageId: number): Uint8Array => spiBytes(messageId);

/** HASH(1) and HASH(2): prf(SKEYID_a, message id | extra | the rest of the message). Compared in constant time. */
export const checkMessageHash = (setup: Phase2Setup, message: Inbound, extra: readonly Uint8Array[]): void => {
  const { hash, skeyidA } = setup.keys;
  checkEqual(message, prf(hash, skeyidA, messageIdBytes(setup.messageId), ...extra, message.afterHash));
};

export const checkEqual = (message: Inbound, expected: Uint8Array): void => {
  if (!equalConstantTime(insist(message.hash, 'HASH').value.hashData, expected)) {
    throw new ProtocolError(NotifyType.INVALID_HASH_INFORMATION, 'the hash does not fit');
  }
};

/** HASH(3): prf(SKEYID_a, 0 | message id | Ni_b | Nr_b). */
export const proofHash = ({ keys, messageId }: Phase2Setup, ni: Uint8Array, nr: Uint8Array): Uint8Array =>
  prf(keys.hash, keys.skeyidA, Uint8Array.of(0), messageIdBytes(messageId), ni, nr);

/** The ISAKMP addresses as selectors: what quick mode is about where no ID payloads are exchanged. */
export const addressSelectors = ({ path }: Phase2Setup): Selectors => ({
  local: identityOfAddress(path.local.address),
  remote: identityOfAddress(path.remote.address),
});

/** A SPI outside the reserved range, RFC 2406 §2.1. Whether it is unique is seen when it is installed. */
export const drawSpi = (env: Env): number => {
  const bytes = env.random(4);
  const spi = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  return spi >= 0x100 ? spi : spi + 0x100;
};

export interface KeyingMaterial {
  readonly ni: Uint8Array;
  readonly nr: Uint8Array;
  /** Undefined without PFS. */
  readonly gxy: Uint8Array | undefined;
}

/** The SAs of one direction, one for each protocol. `spis` are those of the receiving side, in the order of the choice. */
export const directionSas = (
  direction: 'in' | 'out',
  setup: Phase2Setup,
  choice: Phase2Choice,
  spis: readonly number[],
  material: KeyingMaterial,
): readonly IpsecSa[] =>
  choice.protocols.map((protocol, index) => {
    const spi = spis[index];
    const sizes = sizesOf(protocol);
    if (spi === undefined) throw new InvariantError('a protocol without SPI');
    const { local, remote } = setup.path;
    const total = sizes.encryption + sizes.authentication;
    // RFC 2409 §5.5: KEYMAT uses the SPI of the receiving side, so the two directions have different keys.
    const bytes = keymat(
      setup.keys.hash,
      setup.keys.skeyidD,
      material.gxy,
      protocol.protocolId,
      spiBytes(spi),
      material.ni,
      material.nr,
      total,
    );
    const encryptionKey = bytes.slice(0, sizes.encryption);
    const authenticationKey = bytes.slice(sizes.encryption, total);
    bytes.fill(0);
    return {
      direction,
      protocolId: protocol.protocolId,
      spi,
      transformId: protocol.transformId,
      authentication: protocol.authentication ?? 0,
      encapsulation: protocol.encapsulation,
      keyLength: protocol.keyLength ?? 0,
      encryptionKey,
      authenticationKey,
      source: direction === 'out' ? local.address : remote.address,
      destination: direction === 'out' ? remote.address : local.address,
      replayWindow: protocol.replayWindow,
    };
  });

export const peerSpis = (choice: Phase2Choice): readonly number[] => choice.protocols.map(({ peerSpi }) => peerSpi);

const sizesOf = (protocol: Phase2ProtocolChoice) => {
  const { protocolId, transformId, keyLength, authentication } = protocol;
  const sizes = keymatSizes(protocolId, transformId, keyLength, authentication);
  if (sizes === undefined) throw new InvariantError('an unsupported transform was chosen');
  return sizes;
};

export interface AgreementInput {
  readonly setup: Phase2Setup;
  readonly connection: ConnectionPolicy;
  readonly peerChose: PeerChose;
  readonly role: Role;
  readonly selectors: Selectors;
  readonly choice: Phase2Choice;
  /** Our SPIs in the order of the choice. */
  readonly spis: readonly number[];
  readonly ni: Uint8Array;
  readonly nr: Uint8Array;
  readonly startedAt: number;
}

export const agreementOf = (input: AgreementInput): Agreement => {
  const { setup, connection, peerChose, role, selectors, choice, spis, ni, nr, startedAt } = input;
  return {
    isakmp: setup.isakmp,
    peer: setup.policy.name,
    connection: connection.name,
    role,
    messageId: setup.messageId,
    path: setup.path,
    localIdentity: setup.localIdentity,
    remoteIdentity: setup.remoteIdentity,
    localSelector: selectors.local,
    remoteSelector: selectors.remote,
    peerChose,
    lifeSeconds: choice.lifetimes.seconds,
    lifeKilobytes: choice.lifetimes.kilobytes,
    group: choice.group ?? 0,
    route: connection.route,
    startedAt,
    lowestNonce: compareBytes(ni, nr) <= 0 ? ni : nr,
    nat: setup.nat,
    protocols: choice.protocols.map((protocol, index) => {
      const sizes = sizesOf(protocol);
      return {
        protocolId: protocol.protocolId,
        transformId: protocol.transformId,
        authentication: protocol.authentication ?? 0,
        encapsulation: protocol.encapsulation,
        keyLength: protocol.keyLength ?? 0,
        encryptionKeyBytes: sizes.encryption,
        authenticationKeyBytes: sizes.authentication,
        spiIn: spis[index] ?? 0,
        spiOut: protocol.peerSpi,
      };
    }),
  };
};

/** The peer's SPI in an SA payload: what a refusal of it is about. */
export const peerSpiIn = ({ sa }: Inbound): PeerSpi | undefined => {
  const [proposal] = sa?.value.proposals ?? [];
  return proposal === undefined ? undefined : { protocolId: proposal.protocolId, spi: proposal.spi.slice() };
};

/** The kernel does not take the SAs. `notify` and the DELETE of SPIs are for a peer that may believe in them. */
export const failInstall = (
  { protocols }: Agreement,
  kernelReason: string,
  owed: { readonly notify: NotifyType | 0; readonly deletes: boolean },
  out: Effects,
): { readonly tag: 'failed' } => {
  const [first] = protocols;
  const about = first && { protocolId: first.protocolId, spi: spiBytes(first.spiOut) };
  if (owed.deletes) {
    for (const { protocolId, spiIn } of protocols) out.push({ kind: 'deleteSpis', protocolId, spis: [spiIn] });
  }
  const reason = `the kernel refused the SAs (${kernelReason}): look whether it has the algorithms and who else manages its SAs`;
  out.push({ kind: 'failed', failure: { cause: 'error', reason }, notify: owed.notify, about });
  return { tag: 'failed' };
};

/** The identity in an ID payload, copied out of the datagram. */
export const selectorIn = (payload: NonNullable<Inbound['id']>): Identity => ({
  type: payload.value.idType,
  protocol: payload.value.protocolId,
  port: payload.value.port,
  data: payload.value.identificationData.slice(),
});
