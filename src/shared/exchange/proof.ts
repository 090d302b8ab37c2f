/** How each side of phase 1 proves who it is, and the other checks it: by HASH with a pre-shared key, by SIG with a private one (RFC 2409 §5.1 and §5.4). */
import { NotifyType } from '../constants/isakmp.ts';
import type { Authenticated } from '../credentials/authenticated.ts';
import { keynoteTexts } from '../credentials/peer-credentials.ts';
import { provenKey } from '../credentials/peer-key.ts';
import { equalConstantTime } from '../crypto/prf.ts';
import { hashForProof, isProof, isSignatureMethod, signProof } from '../crypto/signature.ts';
import { spkiOf } from '../crypto/spki.ts';
import { InvariantError, ProtocolError } from '../errors.ts';
import type { Identity } from '../policy/peer-policy.ts';
import type { Phase1Choice } from '../policy/phase1-proposal.ts';
import type { OutPayload } from '../wire/message.ts';
import type { Effects, Env, Phase1Setup } from './effects.ts';
import { type Inbound, insist } from './inbound.ts';
import { hashI, hashR } from './keymat.ts';
import { type Contributions, ownIdentity, type Phase1Keys } from './phase1.ts';
import { unprovenRecords, weakCertificateRecords } from './refusals.ts';
import { type Collected, certificatePayloads, collected, keynotePayloads } from './riders/certificates.ts';

/** What HASH_I and HASH_R are made of, besides the identity. */
export interface ProofBasis {
  readonly setup: Phase1Setup;
  readonly choice: Phase1Choice;
  readonly keys: Phase1Keys;
  readonly contributions: Contributions;
  /** Body of the initiator's SA payload. */
  readonly saBody: Uint8Array;
  /** Undefined: signatures. */
  readonly secret: Uint8Array | undefined;
  /** What the peer has sent of certificates, and asked for, in its messages before the one at hand. */
  readonly collected: Collected;
}

type Side = 'initiator' | 'responder';

/**
 * Our HASH, or our SIG behind the credentials and certificates that say whose it is, whether we were asked for them or not. It goes into the answer to
 * `message`; `idBody`: body of our ID payload. `header` has both cookies.
 */
export const ownProof = (
  side: Side,
  basis: ProofBasis,
  message: Inbound,
  idBody: Uint8Array,
  env: Env,
  header = message.header,
): readonly OutPayload[] => {
  const hashData = authenticationHash(side, basis, header, idBody);
  const { authentication } = basis.choice;
  if (!isSignatureMethod(authentication)) return [{ kind: 'HASH', value: { hashData } }];
  const { credentials, wallClock } = env;
  const identity = ownIdentity(basis.setup);
  const key = credentials.privateKey(identity, authentication);
  if (key === undefined) throw new InvariantError(`method ${authentication} was agreed on without a key for it`);
  const { authorities } = collected(basis.collected, message, basis.choice);
  return [
    ...keynotePayloads(credentials.keynoteCredentials(identity, authentication)),
    ...certificatePayloads(credentials.ownCertificates(identity, authentication, authorities, wallClock)),
    { kind: 'SIG', value: { signatureData: signProof(authentication, key, hashData) } },
  ];
};

/**
 * Checks the HASH or SIG of the other side, which calls itself `identity` (`idBody`: body of that ID payload). Throws after saying in `out` what is wrong:
 * AUTHENTICATION_FAILED for a HASH (it means a wrong secret more often than an attack), INVALID_ID_INFORMATION where no key of this identity is known,
 * INVALID_SIGNATURE, INVALID_CERTIFICATE.
 */
export const checkProof = (
  side: Side,
  basis: ProofBasis,
  message: Inbound,
  identity: Identity,
  idBody: Uint8Array,
  env: Env,
  out: Effects,
): Authenticated => {
  const { setup, choice, secret } = basis;
  const hash = authenticationHash(side, basis, message.header, idBody);
  if (secret !== undefined) {
    if (!equalConstantTime(insist(message.hash, 'HASH').value.hashData, hash)) {
      throw new ProtocolError(NotifyType.AUTHENTICATION_FAILED, 'the hash does not fit');
    }
    return { kind: 'passphrase', secret };
  }
  const { signatureData } = insist(message.signature, 'SIG').value;
  const { authentication: method } = choice;
  const { certificates } = collected(basis.collected, message, basis.choice);
  const proven = provenKey(env.credentials, {
    identity,
    method,
    certificates,
    phase1: { exchangeType: setup.policy.exchangeType, group: choice.group, path: setup.path },
    isSignedWith: (key) => isProof(method, key, hash, signatureData),
    at: env.wallClock,
  });
  if (proven.kind === 'refused') {
    out.push(...unprovenRecords(setup, message.header, identity, method, proven));
    const { notify, text } = FAULTS[proven.fault];
    throw new ProtocolError(notify, text);
  }
  out.push(...weakCertificateRecords(setup, message.header, identity, proven.warnings));
  return {
    kind: 'publicKey',
    key: spkiOf(proven.key),
    chain: proven.chain,
    rawKeyOf: proven.isRaw ? identity : undefined,
    keynote: keynoteTexts(certificates),
  };
};

/** What the peer is told (RFC 2408 §3.14.1). */
const FAULTS = {
  unknown: { notify: NotifyType.INVALID_ID_INFORMATION, text: 'no public key of this identity is known' },
  signature: { notify: NotifyType.INVALID_SIGNATURE, text: 'the signature does not fit' },
  certificate: { notify: NotifyType.INVALID_CERTIFICATE, text: 'the certificate is not to be trusted' },
  credentials: { notify: NotifyType.INVALID_CERTIFICATE, text: 'the KeyNote credentials do not say who it is' },
};

/** HASH_I or HASH_R over one side's identity payload body, RFC 2409 §5. */
const authenticationHash = (
  side: Side,
  { choice, keys, contributions, saBody }: ProofBasis,
  { initiatorCookie, responderCookie }: Inbound['header'],
  idBody: Uint8Array,
): Uint8Array => {
  const compute = side === 'initiator' ? hashI : hashR;
  const hash = hashForProof(choice.authentication, choice.hash);
  const { gxi, gxr } = contributions;
  return compute(hash, keys.skeyid, gxi, gxr, initiatorCookie, responderCookie, saBody, idBody);
};
