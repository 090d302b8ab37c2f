/** Mutated certificates, CRLs, PKCS #7 and CERT payloads: read, and judged where they can be read. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import { AuthenticationMethod } from '../../src/shared/constants/oakley.ts';
import { createCredentials } from '../../src/shared/credentials/credentials.ts';
import { provenKey } from '../../src/shared/credentials/peer-key.ts';
import { ProtocolError } from '../../src/shared/errors.ts';
import { identityText } from '../../src/shared/policy/identity.ts';
import type { Identity } from '../../src/shared/policy/peer-policy.ts';
import { cursor } from '../../src/shared/wire/cursor.ts';
import { PAYLOADS } from '../../src/shared/wire/payloads.ts';
import { parseCertificate } from '../../src/shared/x509/certificate.ts';
import { CertificateError } from '../../src/shared/x509/certificate-error.ts';
import { bindsIdentity, certificateIdentities } from '../../src/shared/x509/certificate-identity.ts';
import { certificatesOfPkcs7 } from '../../src/shared/x509/pkcs7.ts';
import {
  createTrustStore,
  DEFAULT_TRUST_SETTINGS,
  type TrustFiles,
  type TrustStore,
} from '../../src/shared/x509/trust-store.ts';
import { validatePath } from '../../src/shared/x509/validate-path.ts';
import { credentialFiles } from './credential-keys.ts';
import { PATH } from './lane-pair.ts';
import type { Prng } from './prng.ts';
import { sharedPath } from './shared-folder.ts';

export type X509Kind = 'certificate' | 'crl' | 'pkcs7' | 'payload';

export interface X509Seeds {
  readonly certificates: readonly Uint8Array[];
  readonly crls: readonly Uint8Array[];
  readonly bundles: readonly Uint8Array[];
  readonly root: Uint8Array;
  /** A certificate that is valid below the root, and that of its issuer. */
  readonly path: readonly [Uint8Array, Uint8Array];
  /** What the first of those names. */
  readonly pathNames: readonly Identity[];
  /** Trusts the root, knows two of the CRLs. */
  readonly store: TrustStore;
}

const folder = sharedPath('vectors', 'x509', 'pkits');
export const NEEDS_PKITS: { readonly skip: string | false } = {
  skip: folder === undefined ? 'there is no ../shared/vectors/x509' : false,
};

/** NIST's PKITS; the bundles are made of them. */
export const x509Seeds = (): X509Seeds => {
  const all = (kind: string): readonly Uint8Array[] =>
    readdirSync(join(folder ?? '', kind)).map((name) => new Uint8Array(readFileSync(join(folder ?? '', kind, name))));
  const certificates = all('certs');
  const one = (name: string): Uint8Array => new Uint8Array(readFileSync(join(folder ?? '', 'certs', `${name}.crt`)));
  const root = one('TrustAnchorRootCertificate');
  const path = [one('ValidCertificatePathTest1EE'), one('GoodCACert')] as const;
  const pathNames = certificateIdentities(parseCertificate(path[0]));
  const bundles = [1, 2, 5].map((count) => bundleOf(certificates.slice(count, 2 * count)));
  const crls = all('crls');
  return { certificates, crls, bundles, root, path, pathNames, store: storeOf(root, crls.slice(0, 2)) };
};

/**
 * One mutant a call, of one kind: it says whether it could be read, of CERT payloads whether they prove who the peer is. Throws where anything but a
 * CertificateError comes of it, and where a certificate that was changed is valid.
 */
export const x509Fuzz = (kind: X509Kind, seeds: X509Seeds): ((random: Prng) => string) => {
  const action = ACTIONS[kind](seeds);
  return (random) => {
    try {
      return action(random);
    } catch (fault) {
      if (!(fault instanceof CertificateError) && !(fault instanceof ProtocolError)) throw fault;
      assert.match(fault.message, PRINTABLE);
      return 'unread';
    }
  };
};

type Action = (seeds: X509Seeds) => (random: Prng) => string;

const ACTIONS: Readonly<Record<X509Kind, Action>> = {
  certificate: (seeds) => (random) => judge(seeds, mutated(seeds.certificates, random)),
  crl: (seeds) => (random) => {
    const crl = mutated(seeds.crls, random);
    const store = storeOf(seeds.root, [crl]);
    for (const { problem } of store.problems) assert.match(problem, PRINTABLE);
    const certificate = parseCertificate(any(seeds.certificates, random));
    const untrusted = [certificate, parseCertificate(any(seeds.certificates, random))];
    validatePath(certificate, { untrusted, store, at: AT });
    return store.problems.length > 0 ? 'unread' : 'read';
  },
  pkcs7: (seeds) => (random) => {
    for (const der of certificatesOfPkcs7(mutated(seeds.bundles, random))) judge(seeds, der);
    return 'read';
  },
  payload: (seeds) => payloadAction(seeds),
};

/** The CERT payloads of a peer whose signature fits whatever key they have: from the payloads' bodies to the proof of an identity. */
const payloadAction = (seeds: X509Seeds): ((random: Prng) => string) => {
  const credentials = createCredentials(
    credentialFiles(undefined, {}, { authorities: [{ file: 'root', bytes: seeds.root }], settings: SETTINGS }),
  );
  const originals = new Set(seeds.certificates.map((der) => Buffer.from(der).toString('latin1')));
  const names = seeds.certificates.flatMap((der) => {
    try {
      return certificateIdentities(parseCertificate(der));
    } catch {
      return []; // PKITS has certificates that nobody should read.
    }
  });
  return (random) => {
    const isWhole = random.chance(0.5);
    const [leaf, issuer] = isWhole ? seeds.path : [any(seeds.certificates, random), any(seeds.certificates, random)];
    const sources = [leaf, issuer, any(seeds.bundles, random), any(seeds.crls, random)];
    const bodies = sources.map((der, index) => Uint8Array.of(ENCODINGS[index] ?? 4, ...der));
    const changed = random.word() % bodies.length;
    const sent = bodies.map((body, index) => (index === changed ? mutated([body], random) : body));
    const proven = provenKey(credentials, {
      identity: any(isWhole ? seeds.pathNames : names, random),
      method: AuthenticationMethod.RSA_SIG,
      certificates: sent.map((body) => {
        const { encoding, certificateData: data } = PAYLOADS.CERT.read(cursor(body));
        return { encoding, data };
      }),
      phase1: { exchangeType: ExchangeType.ID_PROT, group: 14, path: PATH },
      isSignedWith: () => true,
      at: AT,
    });
    if (proven.kind === 'refused') {
      assert.match(proven.reason, /^[ -~]*$/);
      return `refused (${proven.fault})`;
    }
    for (const der of proven.chain)
      assert.ok(originals.has(Buffer.from(der).toString('latin1')), 'a changed certificate proves something');
    return 'proven';
  };
};

const judge = (seeds: X509Seeds, der: Uint8Array): string => {
  const certificate = parseCertificate(der);
  for (const identity of certificateIdentities(certificate)) {
    assert.match(identityText(identity), /^[ -~]*$/);
    bindsIdentity(certificate, identity, { matchWildcards: true });
  }
  const outcome = validatePath(certificate, { untrusted: [], store: seeds.store, at: AT });
  if (outcome.kind === 'refused') assert.match(outcome.reason, PRINTABLE);
  else
    assert.ok(
      seeds.certificates.some((original) => Buffer.compare(original, der) === 0),
      'a changed certificate is valid',
    );
  return 'read';
};

const storeOf = (root: Uint8Array, crls: readonly Uint8Array[]): TrustStore => {
  const files: TrustFiles = {
    authorities: [{ file: 'root', bytes: root }],
    certificates: [],
    revocationLists: crls.map((bytes) => ({ file: 'crl', bytes })),
  };
  return createTrustStore(files, SETTINGS);
};

const mutated = (seeds: readonly Uint8Array[], random: Prng): Uint8Array => {
  let bytes = any(seeds, random);
  for (let changes = 1 + (random.word() % 4); changes > 0; changes--) {
    const at = random.word() % Math.max(bytes.length, 1);
    bytes = random.pick([...CHANGES])(bytes, at, random, seeds);
  }
  return bytes;
};

type Change = (bytes: Uint8Array, at: number, random: Prng, seeds: readonly Uint8Array[]) => Uint8Array;

/** Bits, bytes, DER's lengths and tags; pieces lost, doubled and taken from elsewhere, with and without the lengths around them put right. */
const CHANGES: readonly [Change, ...Change[]] = [
  (bytes, at, random) => withByte(bytes, at, (bytes[at] ?? 0) ^ (1 << (random.word() % 8))),
  (bytes, at, random) => withByte(bytes, at, random.word() & 0xff),
  (bytes, at, random) => withByte(bytes, at, HOSTILE[random.word() % HOSTILE.length] ?? 0),
  (bytes, at, random) => spliced(bytes, at, at + (random.word() % 20), new Uint8Array()),
  (bytes, at, random) => spliced(bytes, at, at, bytes.subarray(at, at + (random.word() % 60))),
  (bytes, at, random, seeds) => spliced(bytes, at, at, any(seeds, random).subarray(at, at + (random.word() % 60))),
  (bytes, at, random) => inElement(bytes, at, random.bytes(random.word() % 40)),
  (bytes, at, random, seeds) => inElement(bytes, at, any(seeds, random).subarray(at, at + (random.word() % 60))),
  (bytes, at) => inElement(bytes, at, new Uint8Array()),
  (bytes, at) => bytes.slice(0, at),
];

/** Replaces the content of a primitive element at or behind `at`, and puts its length and those of the elements around it right. */
const inElement = (bytes: Uint8Array, at: number, content: Uint8Array): Uint8Array => {
  const path = pathTo(bytes, at);
  const element = path.pop();
  if (element === undefined) return bytes;
  let piece = Buffer.concat([bytes.subarray(element.tag, element.tag + 1), lengthOf(content.length), content]);
  let [from, to] = [element.tag, element.end];
  for (const { tag, start, end } of path.reverse()) {
    const inside = Buffer.concat([bytes.subarray(start, from), piece, bytes.subarray(to, end)]);
    piece = Buffer.concat([bytes.subarray(tag, tag + 1), lengthOf(inside.length), inside]);
    [from, to] = [tag, end];
  }
  return spliced(bytes, from, to, piece);
};

interface Extent {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** The elements around `at`, outermost first, as far as the bytes are DER. */
const pathTo = (bytes: Uint8Array, at: number): Extent[] => {
  const path: Extent[] = [];
  let [offset, end] = [0, bytes.length];
  while (offset + 2 <= end) {
    const first = bytes[offset + 1] ?? 0;
    const more = first < 0x80 ? 0 : first - 0x80;
    if (more > 3) break;
    const start = offset + 2 + more;
    const length = more === 0 ? first : bytes.subarray(offset + 2, start).reduce((sum, byte) => sum * 256 + byte, 0);
    const extent = { tag: offset, start, end: start + length };
    if (extent.end > end) break;
    if (extent.end <= at) {
      offset = extent.end;
      continue;
    }
    path.push(extent);
    if (((bytes[offset] ?? 0) & 0x20) === 0) break;
    [offset, end] = [start, extent.end];
  }
  return path;
};

const lengthOf = (length: number): Uint8Array => {
  if (length < 0x80) return Uint8Array.of(length);
  return length < 0x100 ? Uint8Array.of(0x81, length) : Uint8Array.of(0x82, length >> 8, length & 0xff);
};

/** A SignedData without signers. */
const bundleOf = (certificates: readonly Uint8Array[]): Uint8Array => {
  const element = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
    const content = Buffer.concat(parts);
    return Buffer.concat([Uint8Array.of(tag), lengthOf(content.length), content]);
  };
  const oid = (hex: string): Buffer => element(6, Buffer.from(hex, 'hex'));
  const parts = [element(2, Uint8Array.of(1)), element(0x31), element(0x30, oid('2a864886f70d010701'))];
  const signedData = element(0x30, ...parts, element(0xa0, ...certificates), element(0x31));
  return new Uint8Array(element(0x30, oid('2a864886f70d010702'), element(0xa0, signedData)));
};

const withByte = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
  const copy = bytes.slice();
  if (copy.length > 0) copy[at] = value;
  return copy;
};

const spliced = (bytes: Uint8Array, from: number, to: number, insert: Uint8Array): Uint8Array =>
  new Uint8Array(Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(to)]));

const any = <T>(seeds: readonly T[], random: Prng): T => {
  const seed = seeds[random.word() % seeds.length];
  if (seed === undefined) throw new RangeError('there are no seeds');
  return seed;
};

const PRINTABLE = /^[ -~]+$/;
/** CertificateEncoding of what is sent. */
const ENCODINGS = [4, 4, 1, 7];
const HOSTILE = [0, 1, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x84, 0x88, 0xff, 0x1f, 0x30, 0x31, 0x24, 0xa0];
const SETTINGS = { ...DEFAULT_TRUST_SETTINGS, acceptSha1: true, minimumRsaBits: 1024 };
const AT = Date.UTC(2020, 5, 1);
