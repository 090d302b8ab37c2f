/** What the operator trusts: CA certificates, certificates that may help to find a path, and CRLs, with the caches that belong to them. */
import { atOnce, type Steps } from '../steps.ts';
import { type BoundedCache, boundedCache } from './bounded-cache.ts';
import { type Certificate, fingerprintOf, isSelfIssued, parseCertificate } from './certificate.ts';
import { CertificateError } from './certificate-error.ts';
import { derPieces, PEM_CERTIFICATE, PEM_REVOCATION_LIST } from './pem.ts';
import { parseRevocationList, type RevocationList } from './revocation-list.ts';

export interface TrustSettings {
  /** RSA and DSA keys below are refused, in CAs as well. */
  readonly minimumRsaBits: number;
  /** Signatures over SHA-1 are taken, with a warning. */
  readonly acceptSha1: boolean;
  /** A peer's certificate that it signed itself is taken without any CA. */
  readonly acceptSelfSigned: boolean;
  /** A certificate is refused unless CRLs tell of all reasons. Without it a CA that has no CRL is fine. */
  readonly requireRevocationList: boolean;
  /** CRLs past their nextUpdate are used, with a warning. Without it they refuse whatever they tell of. */
  readonly acceptStaleLists: boolean;
  /** `*.example.net` in a certificate stands for every host of example.net. */
  readonly matchWildcards: boolean;
}

export const DEFAULT_TRUST_SETTINGS: TrustSettings = {
  minimumRsaBits: 2048,
  acceptSha1: false,
  acceptSelfSigned: false,
  requireRevocationList: false,
  acceptStaleLists: false,
  matchWildcards: false,
};

/** A file of the operator's. */
export interface NamedFile {
  readonly file: string;
  readonly bytes: Uint8Array;
}

export interface TrustFiles {
  readonly authorities: readonly NamedFile[];
  readonly certificates: readonly NamedFile[];
  readonly revocationLists: readonly NamedFile[];
}

export interface StoredCertificate {
  readonly file: string;
  readonly certificate: Certificate;
}

export interface StoredList {
  readonly file: string;
  readonly list: RevocationList;
}

/** One sentence that follows the file's name. */
interface FileProblem {
  readonly file: string;
  readonly problem: string;
}

export interface TrustStore {
  readonly settings: TrustSettings;
  readonly authorities: readonly StoredCertificate[];
  readonly certificates: readonly StoredCertificate[];
  readonly revocationLists: readonly StoredList[];
  /** What could not be read, and why; it is left out. */
  readonly problems: readonly FileProblem[];
  /** Fingerprints of the certificates at which a path may end. */
  readonly anchors: ReadonlySet<string>;
  /** Authorities and certificates by their subject's key. */
  readonly bySubject: ReadonlyMap<string, readonly Certificate[]>;
  /** By their issuer's key, the newest first. */
  readonly listsByIssuer: ReadonlyMap<string, readonly RevocationList[]>;
  /** parseCertificate with a memory of the last CACHED_CERTIFICATES. Throws CertificateError. */
  readonly certificateOf: (der: Uint8Array) => Certificate;
  /** Signatures of valid paths, `signer's fingerprint, signed one's`: they need not be checked again. */
  readonly goodSignatures: BoundedCache<true>;
}

/** A parsed certificate has about 10 kB, a signature's entry 0.2 kB. */
export const CACHED_CERTIFICATES = 512;
const CACHED_SIGNATURES = 2048;

/**
 * Reads the files once; what is broken is left out and told in `problems`. Paths end at the authorities that signed themselves, and at those
 * whose issuer is not among the authorities: a CA below another one that is trusted too stays subject to that one's CRL and constraints.
 */
export const createTrustStore = (files: TrustFiles, settings: TrustSettings): TrustStore =>
  atOnce(trustStoreInSteps(files, settings));

/** The same, file by file. A CRL of many thousand entries is one long step. */
export function* trustStoreInSteps(files: TrustFiles, settings: TrustSettings): Steps<TrustStore> {
  const problems: FileProblem[] = [];
  const certificatesIn = (of: readonly NamedFile[]) => readFiles(of, PEM_CERTIFICATE, parseCertificate, problems);
  const authorities = (yield* certificatesIn(files.authorities)).map(asCertificate);
  const certificates = (yield* certificatesIn(files.certificates)).map(asCertificate);
  const read = yield* readFiles(files.revocationLists, PEM_REVOCATION_LIST, parseRevocationList, problems);
  const revocationLists = read.map(({ file, value }) => ({ file, list: value }));
  return {
    settings,
    authorities,
    certificates,
    revocationLists,
    problems,
    anchors: anchorsAmong(authorities),
    bySubject: groupedBy(eachOnce([...authorities, ...certificates]), ({ subject }) => subject.key),
    listsByIssuer: groupedBy(
      revocationLists.map(({ list }) => list).sort((a, b) => b.thisUpdate - a.thisUpdate),
      ({ issuer }) => issuer.key,
    ),
    certificateOf: cachedParser(),
    goodSignatures: boundedCache<true>(CACHED_SIGNATURES),
  };
}

const anchorsAmong = (authorities: readonly StoredCertificate[]): ReadonlySet<string> => {
  const subjects = new Set(authorities.map(({ certificate }) => certificate.subject.key));
  const anchors = authorities.filter(
    ({ certificate }) => isSelfIssued(certificate) || !subjects.has(certificate.issuer.key),
  );
  return new Set(anchors.map(({ certificate }) => certificate.fingerprint));
};

const eachOnce = (stored: readonly StoredCertificate[]): readonly Certificate[] => [
  ...new Map(stored.map(({ certificate }) => [certificate.fingerprint, certificate])).values(),
];

const cachedParser = (): TrustStore['certificateOf'] => {
  const parsed = boundedCache<Certificate>(CACHED_CERTIFICATES);
  return (der) => {
    const fingerprint = fingerprintOf(der);
    const cached = parsed.get(fingerprint);
    if (cached !== undefined) return cached;
    const certificate = parseCertificate(der);
    parsed.set(fingerprint, certificate);
    return certificate;
  };
};

const groupedBy = <T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> => {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
};

const asCertificate = ({ file, value }: Piece<Certificate>): StoredCertificate => ({ file, certificate: value });

interface Piece<T> {
  readonly file: string;
  readonly value: T;
}

/** Each piece of a file stands for itself: a broken one does not take the others with it. */
function* readFiles<T>(
  files: readonly NamedFile[],
  labels: readonly string[],
  parse: (der: Uint8Array) => T,
  problems: FileProblem[],
): Steps<readonly Piece<T>[]> {
  const pieces: Piece<T>[] = [];
  const attempt = <R>(file: string, place: string, action: () => R): R | undefined => {
    try {
      return action();
    } catch (fault) {
      if (!(fault instanceof CertificateError)) throw fault;
      problems.push({ file, problem: `${place}${fault.message}` });
      return undefined;
    }
  };
  for (const { file, bytes } of files) {
    const found = attempt(file, '', () => derPieces(bytes, labels)) ?? [];
    for (const [index, der] of found.entries()) {
      const value = attempt(file, found.length > 1 ? `number ${index + 1}: ` : '', () => parse(der));
      if (value !== undefined) pieces.push({ file, value });
      yield;
    }
  }
  return pieces;
}
