/** What main and aggressive mode share: choice of the SA, keys, identities. How the two sides prove who they are is in proof.ts. RFC 2409 §5.1-5.4. */
import { compareBytes } from '../address.ts';
import { ProtocolId } from '../constants/ipsec-doi.ts';
import { Doi, NotifyType } from '../constants/isakmp.ts';
import { AuthenticationMethod } from '../constants/oakley.ts';
import { cipherSpec, isWeakKey } from '../crypto/cipher.ts';
import { groupSpec } from '../crypto/dh.ts';
import { forgetKey } from '../crypto/key-cache.ts';
import { InvariantError, ProtocolError } from '../errors.ts';
import { identityOfAddress, identitySecret, sameIdentity } from '../policy/identity.ts';
import type { Identity, Phase1Transform } from '../policy/peer-policy.ts';
import { choosePhase1, matchPhase1Answer, offerPhase1, type Phase1Choice } from '../policy/phase1-proposal.ts';
import type { OutPayload } from '../wire/message.ts';
import type { SecurityAssociation } from '../wire/payloads.ts';
import type { Effect, Effects, Env, IsakmpKeys, Phase1Setup } from './effects.ts';
import { type Inbound, insist } from './inbound.ts';
import { deriveSkeyids, expandEncryptionKey, phase1Iv, skeyidPreShared, skeyidSignature } from './keymat.ts';
import { dubiousIdentityRecord, noKeyRecords, refusalRecords, wrongIdentityRecords } from './refusals.ts';

/** Nonce that we send, bytes. */
export const NONCE_SIZE = 16;

/** Keys while phase 1 is still unauthenticated: SKEYID is needed until both HASHes are done. */
export interface Phase1Keys extends IsakmpKeys {
  readonly skeyid: Uint8Array;
  /** RFC 2409 appendix B: the IV of the first encrypted message. */
  readonly iv: Uint8Array;
}

/** Both sides' public contributions, as both HASHes and the IV need them. */
export interface Contributions {
  readonly gxi: Uint8Array;
  readonly gxr: Uint8Array;
  readonly ni: Uint8Array;
  readonly nr: Uint8Array;
}

/** Initiator: those of our transforms that we could prove ourselves with. */
export const usableTransforms = ({ policy, methods }: Phase1Setup): readonly Phase1Transform[] =>
  policy.transforms.filter(({ authentication }) => authentication !== 'ANY' && methods.has(authentication));

/** Initiator: our offer. Throws where nothing of what is configured can be offered. */
export const makeOffer = (
  setup: Phase1Setup,
  transforms: readonly Phase1Transform[] = usableTransforms(setup),
): Extract<OutPayload, { readonly kind: 'SA' }> => {
  const value = offerPhase1(transforms);
  if (value !== undefined) return { kind: 'SA', value };
  const isKeyMissing = setup.policy.transforms.some(
    ({ authentication }) => authentication !== 'ANY' && !setup.methods.has(authentication),
  );
  const why = isKeyMissing ? 'we have no private key to sign with (Private-key)' : 'see isakmpd --check';
  throw new ProtocolError(NotifyType.NO_PROPOSAL_CHOSEN, `none of its Transforms can be offered; ${why}`);
};

/** Initiator: what the responder chose from `offered`. Throws NO_PROPOSAL_CHOSEN for anything that we did not offer. */
export const readAnswer = (message: Inbound, offered: readonly Phase1Transform[]): Phase1Choice => {
  const choice = matchPhase1Answer(insist(message.sa, 'SA').value, offered);
  if (choice !== undefined) return choice;
  throw new ProtocolError(NotifyType.NO_PROPOSAL_CHOSEN, 'the peer chose a transform that was not offered');
};

/** Responder: the transform to answer with. Throws NO_PROPOSAL_CHOSEN after saying in `out` what differs. `publicSize`: only groups with public values of so many bytes. */
export const acceptOffer = (
  setup: Phase1Setup,
  offer: SecurityAssociation,
  header: Inbound['header'],
  out: Effects,
  publicSize?: number,
): { readonly choice: Phase1Choice; readonly answer: SecurityAssociation } => {
  const selection = choosePhase1(offer, setup.policy, setup.methods, publicSize);
  if (selection.kind === 'chosen') return selection;
  out.push(...refusalRecords(setup, header, selection.comparisons));
  throw new ProtocolError(NotifyType.NO_PROPOSAL_CHOSEN, 'no compatible proposal found');
};

/** One side's half of a Diffie-Hellman. */
interface Contribution {
  readonly privateValue: Uint8Array;
  readonly publicValue: Uint8Array;
}

/** A fresh private value and its public one. The private value is the caller's to keep and to drop. */
export const contribute = (group: number, env: Env): Contribution => {
  const spec = groupSpec(group);
  if (spec === undefined) throw new InvariantError(`group ${group} was chosen but is not there`);
  const privateValue = env.random(spec.privateSize);
  return { privateValue, publicValue: env.publicValue(group, privateValue) };
};

/** The same for a side that knows the other half already: the private value is gone when `use` is done, however that ends. */
export const contributeOnce = <T>(group: number, env: Env, use: (own: Contribution) => T): T => {
  const own = contribute(group, env);
  try {
    return use(own);
  } finally {
    own.privateValue.fill(0);
  }
};

/** The peer's KE and nonce, copied out of the datagram; the DH layer judges the value. */
export const contributionOf = (message: Inbound): { readonly ke: Uint8Array; readonly nonce: Uint8Array } => ({
  ke: insist(message.ke, 'KE').value.keyExchangeData.slice(),
  nonce: insist(message.nonce, 'NONCE').value.nonceData.slice(),
});

/** RFC 2409 §5 and appendix B. `preSharedKey` undefined: signatures. Costs one Diffie-Hellman. `gxy` does not outlive the call. */
export const agreeOnKeys = (
  choice: Phase1Choice,
  preSharedKey: Uint8Array | undefined,
  privateValue: Uint8Array,
  peerPublic: Uint8Array,
  { gxi, gxr, ni, nr }: Contributions,
  { initiatorCookie, responderCookie }: Inbound['header'],
  env: Env,
): Phase1Keys => {
  const cipher = cipherSpec(choice.encryption, choice.keyLength);
  if (cipher === undefined) throw new InvariantError('a cipher was chosen that is not there');
  const gxy = env.sharedSecret(choice.group, privateValue, peerPublic);
  const skeyid =
    preSharedKey === undefined
      ? skeyidSignature(choice.hash, ni, nr, gxy)
      : skeyidPreShared(choice.hash, preSharedKey, ni, nr);
  const { skeyidD, skeyidA, skeyidE } = deriveSkeyids(choice.hash, skeyid, gxy, initiatorCookie, responderCookie);
  const encryptionKey = expandEncryptionKey(choice.hash, skeyidE, cipher.keySize);
  gxy.fill(0);
  forgetKey(skeyidE);
  // RFC 2409 appendix A: weak keys must not be used. The peer computes the same key and starts again as well.
  if (isWeakKey(cipher, encryptionKey)) {
    for (const key of [skeyid, skeyidD, skeyidA, encryptionKey]) forgetKey(key);
    throw new ProtocolError(NotifyType.INVALID_KEY_INFORMATION, 'the agreed key is a weak one');
  }
  const iv = phase1Iv(choice.hash, gxi, gxr, cipher.blockSize);
  return { hash: choice.hash, cipher, skeyid, skeyidD, skeyidA, encryptionKey, iv };
};

/** Responder: our half of the Diffie-Hellman and our nonce, and the keys that follow from them; as `agreeOnKeys`. */
export const answerKeys = (
  choice: Phase1Choice,
  preSharedKey: Uint8Array | undefined,
  { ke: gxi, nonce: ni }: ReturnType<typeof contributionOf>,
  header: Inbound['header'],
  env: Env,
): { readonly keys: Phase1Keys; readonly contributions: Contributions } =>
  contributeOnce(choice.group, env, ({ privateValue, publicValue: gxr }) => {
    const contributions = { gxi, gxr, ni, nr: env.random(NONCE_SIZE) };
    const keys = agreeOnKeys(choice, preSharedKey, privateValue, gxi, contributions, header, env);
    return { keys, contributions };
  });

/** Messages are encrypted from now on. */
export const protectBy = ({ cipher, encryptionKey: key, iv }: Phase1Keys): Effect => ({
  kind: 'protect',
  protection: { cipher, key, iv },
});

/** What stays of the keys once both sides are authenticated. */
export const lastingKeys = ({ hash, cipher, skeyidD, skeyidA, encryptionKey }: Phase1Keys): IsakmpKeys => ({
  hash,
  cipher,
  skeyidD,
  skeyidA,
  encryptionKey,
});

/** The key buffers of a state, for run.ts to zero when the state is left. */
export const secretsOf = (keys: Phase1Keys): readonly Uint8Array[] => [
  keys.skeyid,
  keys.skeyidD,
  keys.skeyidA,
  keys.encryptionKey,
];

/** Which pre-shared key: the peer section's, else that of the section named after the peer's identity. Undefined: signatures were agreed on. */
export const preSharedKeyFor = (
  setup: Phase1Setup,
  { authentication }: Phase1Choice,
  remoteId: Identity | undefined,
  header: Inbound['header'],
  out: Effects,
): Uint8Array | undefined => {
  if (authentication !== AuthenticationMethod.PRE_SHARED) return undefined;
  const { policy, identitySecrets } = setup;
  if (policy.preSharedKey !== undefined) return policy.preSharedKey;
  const byIdentity = remoteId && identitySecret(identitySecrets, remoteId);
  if (byIdentity !== undefined) return byIdentity;
  out.push(...noKeyRecords(setup, header, ownIdentity(setup), remoteId));
  throw new ProtocolError(NotifyType.AUTHENTICATION_FAILED, `no pre-shared key for peer "${policy.name}"`);
};

export const ownIdentity = ({ policy, path }: Pick<Phase1Setup, 'policy' | 'path'>): Identity =>
  policy.localId ?? identityOfAddress(path.local.address);

export const identityPayload = ({ type, protocol, port, data }: Identity): OutPayload => ({
  kind: 'ID',
  value: { idType: type, protocolId: protocol, port, identificationData: data },
});

/** The identity and the payload body that HASH covers, copied out of the datagram. */
export const readIdentity = (
  payload: NonNullable<Inbound['id']>,
): { readonly identity: Identity; readonly body: Uint8Array } => {
  const { idType, protocolId, port, identificationData } = payload.value;
  return {
    identity: { type: idType, protocol: protocolId, port, data: identificationData.slice() },
    body: payload.body.slice(),
  };
};

/** Refuses an identity other than the configured one. Type, length and value all count (threat: wrong-identity acceptance). */
export const checkRemoteIdentity = (
  setup: Phase1Setup,
  identity: Identity,
  header: Inbound['header'],
  out: Effects,
): void => {
  const { remoteId } = setup.policy;
  if (!isOrdinary(identity)) out.push(dubiousIdentityRecord(setup, header, identity));
  if (remoteId === undefined || sameIdentity(withoutPort(identity), remoteId)) return;
  out.push(...wrongIdentityRecords(setup, header, identity, remoteId));
  throw new ProtocolError(NotifyType.INVALID_ID_INFORMATION, 'another identity than the configured Remote-ID');
};

/** RFC 2407 §4.6.2: in phase 1, protocol and port are 0/0 or those of IKE. */
const isOrdinary = ({ protocol, port }: Identity): boolean =>
  (protocol === 0 && port === 0) || (protocol === UDP && port === IKE_PORT);
const UDP = 17;
const IKE_PORT = 500;

/** Whatever they are, they say nothing about who somebody is. */
const withoutPort = (identity: Identity): Identity => ({
  type: identity.type,
  protocol: 0,
  port: 0,
  data: identity.data,
});

/** RFC 2407 §4.6.3.3; none where this is not the first SA with the peer. */
export const initialContactPayloads = (
  { firstContact }: Phase1Setup,
  header: Inbound['header'],
): readonly OutPayload[] => (firstContact ? [initialContactPayload(header)] : []);

/** With the cookies as SPI. */
const initialContactPayload = ({ initiatorCookie, responderCookie }: Inbound['header']): OutPayload => {
  const spi = new Uint8Array(16);
  spi.set(initiatorCookie, 0);
  spi.set(responderCookie, 8);
  return {
    kind: 'NOTIFY',
    value: {
      doi: Doi.IPSEC,
      protocolId: ProtocolId.ISAKMP,
      notifyType: NotifyType.INITIAL_CONTACT,
      spi,
      notificationData: new Uint8Array(0),
    },
  };
};

/** Counts only in an encrypted message whose sender has just been authenticated (the callers see to that), and about this very SA. */
export const saysInitialContact = ({ encrypted, notifies, header }: Inbound): boolean =>
  encrypted &&
  notifies.some(
    ({ value: { notifyType, spi } }) =>
      notifyType === NotifyType.INITIAL_CONTACT && (spi.length === 0 || isOfThisSa(spi, header)),
  );

const isOfThisSa = (spi: Uint8Array, { initiatorCookie, responderCookie }: Inbound['header']): boolean =>
  compareBytes(spi.subarray(0, 8), initiatorCookie) === 0 && compareBytes(spi.subarray(8), responderCookie) === 0;
