/** Finds a path from a certificate to a CA that is trusted (RFC 4158), and has it checked. Pure and synchronous; nothing is fetched. */
import { type Certificate, certificateText, isSelfIssued } from './certificate.ts';
import { type PathContext, type PathOutcome, type Purpose, pathContext, signatureId } from './path-context.ts';
import { checkPath } from './path-rules.ts';
import { algorithmRefusal } from './strength.ts';
import type { TrustStore } from './trust-store.ts';

/**
 * The first path that holds, over all CAs that could have issued each certificate: cross-signed ones are tried one after the other, none appears twice,
 * and the whole search checks no more than MOST_STEPS signatures. `untrusted` is what came along with the certificate. `at` is in ms since 1970.
 */
export const validatePath = (
  certificate: Certificate,
  {
    untrusted,
    store,
    at,
  }: { readonly untrusted: readonly Certificate[]; readonly store: TrustStore; readonly at: number },
): PathOutcome => {
  const context = pathContext(store, untrusted.slice(0, MOST_UNTRUSTED), at, search);
  const outcome = search(context, certificate, 'peer');
  if (outcome.kind === 'valid') {
    rememberSignatures(store, outcome.chain);
    return outcome;
  }
  if (!isSelfSigned(context, certificate) || store.anchors.has(certificate.fingerprint)) return outcome;
  if (store.settings.acceptSelfSigned) return checkPath(context, [certificate], 'peer');
  return {
    kind: 'refused',
    reason: `certificate of ${certificateText(certificate)}: signed by itself, and it is not among the CA certificates (Accept-self-signed would take it)`,
  };
};

interface Search {
  readonly context: PathContext;
  readonly certificate: Certificate;
  readonly purpose: Purpose;
  /** Keeps the reason with the highest rank: that of the path which came furthest is the one to tell. */
  readonly note: (rank: number, reason: string) => void;
}

const search = (context: PathContext, certificate: Certificate, purpose: Purpose): PathOutcome => {
  let best = { rank: -1, reason: '' };
  const note = (rank: number, reason: string): void => {
    if (rank > best.rank) best = { rank, reason };
  };
  const outcome = extend({ context, certificate, purpose, note }, [certificate], certificate);
  return outcome ?? { kind: 'refused', reason: best.reason };
};

/** The first valid path that goes on from `chain`, whose last certificate is `top`. */
const extend = (
  search: Search,
  chain: readonly Certificate[],
  top: Certificate,
): Extract<PathOutcome, { kind: 'valid' }> | undefined => {
  const { context, note } = search;
  if (context.store.anchors.has(top.fingerprint)) {
    const outcome = checkPath(context, chain, search.purpose);
    if (outcome.kind === 'valid') return outcome;
    note(COMPLETE, outcome.reason);
    return undefined;
  }
  const end = endOfWay(search, chain, top);
  if (end !== undefined) {
    note(chain.length, end);
    return undefined;
  }
  note(chain.length, `${said(top)}: no certificate of its issuer ${top.issuer.said} is there`);
  for (const issuer of issuersOf(context, top, chain)) {
    if (!context.step()) {
      note(EXHAUSTED, `${said(search.certificate)}: too many certificates could have issued each other`);
      return undefined;
    }
    // A key with inherited parameters is known from above only: checkPath verifies with it.
    if (issuer.publicKey !== undefined && !context.isSignedBy(top, issuer, issuer.publicKey)) {
      note(chain.length + 0.5, `${said(top)}: the key of ${certificateText(issuer)} did not make its signature`);
      continue;
    }
    const outcome = extend(search, [...chain, issuer], issuer);
    if (outcome !== undefined) return outcome;
  }
  return undefined;
};

/** Why no issuer needs to be looked for. */
const endOfWay = (
  { context, certificate }: Search,
  chain: readonly Certificate[],
  top: Certificate,
): string | undefined => {
  if (chain.length >= MOST_CERTIFICATES) {
    return `${said(certificate)}: its path has more than ${MOST_CERTIFICATES} certificates`;
  }
  const weakness = algorithmRefusal(top.algorithm, context.store.settings);
  return weakness && `${said(top)}: ${weakness}`;
};

/** The likeliest first: with the key identifier that is asked for, trusted, valid now. None that is in the path already. */
const issuersOf = (context: PathContext, top: Certificate, chain: readonly Certificate[]): readonly Certificate[] => {
  const wanted = top.extensions.authorityKeyId;
  const rank = (candidate: Certificate): number => {
    const own = candidate.extensions.subjectKeyId;
    const byKey = wanted === undefined || own === undefined ? 1 : wanted === own ? 0 : 2;
    const isValid = candidate.notBefore <= context.at && context.at <= candidate.notAfter;
    return byKey * 4 + (context.store.anchors.has(candidate.fingerprint) ? 0 : 2) + (isValid ? 0 : 1);
  };
  return context
    .candidates(top.issuer.key)
    .filter((candidate) => !chain.some((below) => isSameEntity(below, candidate)))
    .sort((a, b) => rank(a) - rank(b));
};

/** Name and key: a certificate of the same CA by another issuer would only lead around in a circle. */
const isSameEntity = (a: Certificate, b: Certificate): boolean =>
  a.subject.key === b.subject.key && Buffer.compare(a.spki, b.spki) === 0;

const isSelfSigned = (context: PathContext, certificate: Certificate): boolean => {
  const { publicKey, algorithm } = certificate;
  if (!isSelfIssued(certificate) || publicKey === undefined) return false;
  return (
    algorithmRefusal(algorithm, context.store.settings) === undefined &&
    context.isSignedBy(certificate, certificate, publicKey)
  );
};

/** Only those of paths that hold: what strangers send does not push out what is of use. */
const rememberSignatures = (store: TrustStore, chain: readonly Certificate[]): void => {
  for (const [index, issuer] of chain.slice(1).entries()) {
    const below = chain[index];
    if (below !== undefined && issuer.publicKey !== undefined) {
      store.goodSignatures.set(signatureId(issuer, below), true);
    }
  }
};

const said = (certificate: Certificate): string => `certificate of ${certificateText(certificate)}`;

const COMPLETE = 100;
const EXHAUSTED = 200;
const MOST_UNTRUSTED = 32;
/** Certificates of a path, the first and the last one included. */
const MOST_CERTIFICATES = 8;
