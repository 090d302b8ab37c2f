/**
 * CERT and CERTREQ payloads, which ride on any message of phase 1 (RFC 2408 §3.9 and §3.10, RFC 4945 §3.2 and §3.3): what of the peer's is kept until it
 * says who it is, what we ask for, and what we send of our own.
 */
import { CertificateEncoding } from '../../constants/isakmp.ts';
import { isSignatureMethod } from '../../crypto/signature.ts';
import type { Phase1Choice } from '../../policy/phase1-proposal.ts';
import { GENERIC_HEADER_SIZE } from '../../wire/generic-header.ts';
import { HEADER_SIZE, type OutPayload, writeBody } from '../../wire/message.ts';
import type { Env, Phase1Setup } from '../effects.ts';
import type { Inbound } from '../inbound.ts';

/** A CERT payload. */
export interface SentCertificate {
  /** CertificateEncoding. */
  readonly encoding: number;
  readonly data: Uint8Array;
}

/** What has come of certificates and requests so far. */
export interface Collected {
  readonly certificates: readonly SentCertificate[];
  /** X.501 names (DER) of the authorities that the peer trusts; an empty one stands for any. */
  readonly authorities: readonly Uint8Array[];
}

export const NOTHING_COLLECTED: Collected = { certificates: [], authorities: [] };

/**
 * What was collected with that of this message, copied; nothing where nobody signs. Of messages in the clear, whose sender has proved nothing, at most MOST_IN_CLEAR bytes are kept in
 * all; an encrypted one is the last and not kept, so its own size is the bound. What is too much is left out.
 */
export const collected = (
  before: Collected,
  { certificates, certificateRequests, encrypted }: Inbound,
  { authentication }: Pick<Phase1Choice, 'authentication'>,
): Collected => {
  if (!isSignatureMethod(authentication)) return NOTHING_COLLECTED;
  if (certificates.length === 0 && certificateRequests.length === 0) return before;
  let room = encrypted ? Number.POSITIVE_INFINITY : MOST_IN_CLEAR - sizeOf(before);
  const fits = (size: number): boolean => {
    room -= size;
    return room >= 0;
  };
  return {
    certificates: [
      ...before.certificates,
      ...certificates
        .filter(({ value }) => fits(value.certificateData.length))
        .map(({ value: { encoding, certificateData } }) => ({ encoding, data: certificateData.slice() })),
    ].slice(0, MOST_PAYLOADS),
    authorities: [
      ...before.authorities,
      ...certificateRequests
        .filter(({ value }) => isForCertificates(value.certificateType) && fits(value.authority.length))
        .map(({ value }) => value.authority.slice()),
    ].slice(0, MOST_PAYLOADS),
  };
};

/**
 * Bytes. A chain of three RSA certificates has 3 to 5 kB. A lane has 8192 half-open negotiations at most, each of them from an address that was proved real
 * if it has come so far, so strangers make it keep 128 MB for two minutes, if they get it to compute as many Diffie-Hellmans.
 */
const MOST_IN_CLEAR = 16_384;
const MOST_PAYLOADS = 64;

const sizeOf = ({ certificates, authorities }: Collected): number =>
  certificates.reduce((sum, { data }) => sum + data.length, 0) +
  authorities.reduce((sum, { length }) => sum + length, 0);

/** RFC 4945 §3.2: PKCS #7 is a wrapping for the same certificates. */
const isForCertificates = (type: number): boolean =>
  type === CertificateEncoding.X509_SIGNATURE || type === CertificateEncoding.PKCS7;

/**
 * A request for each of our CAs, since some peers send their certificate only when they are asked (behaviour of Cisco, and of strongSwan by default); one
 * for any CA where there are many. None to a peer whose raw key we have, and none where nothing is signed.
 */
export const certificateRequests = (
  { policy: { remoteId } }: Phase1Setup,
  { authentication }: Pick<Phase1Choice, 'authentication'>,
  { credentials }: Env,
): readonly OutPayload[] => {
  if (!isSignatureMethod(authentication)) return [];
  if (remoteId !== undefined && credentials.publicKey(remoteId, authentication) !== undefined) return [];
  const names = credentials.authorityNames();
  const size = names.reduce((sum, { length }) => sum + length, 0);
  const asked = names.length > MOST_REQUESTS || size > MOST_REQUEST_BYTES ? [ANY_AUTHORITY] : names;
  return asked.map((authority) => ({
    kind: 'CERTREQ',
    value: { certificateType: CertificateEncoding.X509_SIGNATURE, authority },
  }));
};

const ANY_AUTHORITY = new Uint8Array(0);
const MOST_REQUESTS = 8;
const MOST_REQUEST_BYTES = 1024;

/**
 * What an answer to a message of `question` bytes has of `payloads` where the address of its sender is not proved (aggressive mode): of certificates and credentials
 * only as many as make it three times as long (decisions 3.11). What says who we are stays all the same, a certificate before credentials: without it there is no answer.
 */
export const withinAnswer = (payloads: readonly OutPayload[], question: number): readonly OutPayload[] => {
  const certificates = payloads.filter(({ kind }) => kind === 'CERT');
  if (certificates.length <= 1) return payloads;
  const own = certificates.find(isX509) ?? certificates[0];
  const isSpare = (payload: OutPayload): boolean => payload.kind === 'CERT' && payload !== own;
  const needed = payloads.filter((payload) => !isSpare(payload));
  let room = 3 * question - needed.reduce((sum, payload) => sum + lengthOf(payload), HEADER_SIZE);
  return payloads.filter((payload) => {
    if (!isSpare(payload)) return true;
    room -= lengthOf(payload);
    return room >= 0;
  });
};

const isX509 = (payload: OutPayload): boolean =>
  payload.kind === 'CERT' && payload.value.encoding === CertificateEncoding.X509_SIGNATURE;

const lengthOf = (payload: OutPayload): number => GENERIC_HEADER_SIZE + writeBody(payload).length;

/** One CERT payload with all credentials, as isakmpd sends them; empty: none. */
export const keynotePayloads = (credentials: Uint8Array | undefined): readonly OutPayload[] =>
  credentials === undefined
    ? []
    : [{ kind: 'CERT', value: { encoding: CertificateEncoding.KEYNOTE, certificateData: credentials } }];

/** CERT payloads, each with one certificate (RFC 4945 §3.3: all of them as X.509, the first one is that of the sender). */
export const certificatePayloads = (chain: readonly Uint8Array[]): readonly OutPayload[] =>
  chain.map((certificateData) => ({
    kind: 'CERT',
    value: { encoding: CertificateEncoding.X509_SIGNATURE, certificateData },
  }));
