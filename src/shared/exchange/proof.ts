/** How each side of phase 1 proves who it is, and the other checks it: by HASH with a pre-shared key, by SIG with a private one (RFC 2409 §5.1 and §5.4). */
import type { KeyObject } from 'node:crypto';
import { NotifyType } from '../constants/isakmp.ts';
import { equalConstantTime } from '../crypto/prf.ts';
import { hashForProof, isProof, isSignatureMethod, signProof } from '../crypto/signature.ts';
import { InvariantError, ProtocolError } from '../errors.ts';
import type { Identity } from '../policy/peer-policy.ts';
import type { Phase1Choice } from '../policy/phase1-proposal.ts';
import type { OutPayload } from '../wire/message.ts';
import type { Authenticated, Effects, Env, Phase1Setup } from './effects.ts';
import { type Inbound, insist } from './inbound.ts';
import { hashI, hashR } from './keymat.ts';
import { type Contributions, ownIdentity, type Phase1Keys } from './phase1.ts';
import { unknownKeyRecords, wrongSignatureRecords } from './refusals.ts';

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
}

type Side = 'initiator' | 'responder';

/** Our HASH, or our SIG with what says whose it is. `idBody`: body of our ID payload. */
export const ownProof = (
  side: Side,
  basis: ProofBasis,
  header: Inbound['header'],
  idBody: Uint8Array,
  env: Env,
): readonly OutPayload[] => {
  const hashData = authenticationHash(side, basis, header, idBody);
  const { authentication } = basis.choice;
  if (!isSignatureMethod(authentication)) return [{ kind: 'HASH', value: { hashData } }];
  const key = env.credentials.privateKey(ownIdentity(basis.setup), authentication);
  if (key === undefined) throw new InvariantError(`method ${authentication} was agreed on without a key for it`);
  return [{ kind: 'SIG', value: { signatureData: signProof(authentication, key, hashData) } }];
};

/**
 * Checks the HASH or SIG of the other side, which calls itself `identity` (`idBody`: body of that ID payload). Throws after saying in `out` what is wrong:
 * AUTHENTICATION_FAILED for a HASH (it means a wrong secret more often than an attack), INVALID_ID_INFORMATION where no key of this identity is known,
 * INVALID_SIGNATURE.
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
  const key = peerKey(setup, choice, message, identity, env, out);
  if (!isProof(choice.authentication, key, hash, signatureData)) {
    out.push(...wrongSignatureRecords(setup, message.header, identity));
    throw new ProtocolError(NotifyType.INVALID_SIGNATURE, 'the signature does not fit');
  }
  const spki = new Uint8Array(key.export({ type: 'spki', format: 'der' }));
  return { kind: 'publicKey', key: spki, chain: [], keynote: [] };
};

/** The key that an identity has to sign with. */
const peerKey = (
  setup: Phase1Setup,
  { authentication }: Phase1Choice,
  { header }: Inbound,
  identity: Identity,
  { credentials }: Env,
  out: Effects,
): KeyObject => {
  const key = credentials.publicKey(identity, authentication);
  if (key !== undefined) return key;
  out.push(...unknownKeyRecords(setup, header, identity, authentication));
  throw new ProtocolError(NotifyType.INVALID_ID_INFORMATION, 'no public key of this identity is known');
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
