/** Mutated certificates, CRLs, PKCS #7 and bodies of CERT payloads: read, and judged where they can be read. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProtocolError } from '../../src/shared/errors.ts';
import { identityText } from '../../src/shared/policy/identity.ts';
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
import type { Prng } from './prng.ts';
import { sharedPath } from './shared-folder.ts';

const KINDS = ['certificate', 'crl', 'pkcs7', 'payload'] as const;
export type FuzzKind = (typeof KINDS)[number];

export interface X509Seeds {
  readonly certificates: readonly Uint8Array[];
  readonly crls: readonly Uint8Array[];
  readonly bundles: readonly Uint8Array[];
  readonly root: Uint8Array;
  /** Trusts the root, knows two of the CRLs. */
  readonly store: TrustStore;
}

const folder = sharedPath('vectors', 'x509', 'pkits');
export const NEEDS_PKITS = { skip: folder === undefined ? 'there is no ../shared/vectors/x509' : false };

/** NIST's PKITS; the bundles are made of them. */
export const x509Seeds = (): X509Seeds => {
  const all = (kind: string): readonly Uint8Array[] =>
    readdirSync(join(folder ?? '', kind)).map((name) => new Uint8Array(readFileSync(join(folder ?? '', kind, name))));
  const certificates = all('certs');
  const root = new Uint8Array(readFileSync(join(folder ?? '', 'certs', 'TrustAnchorRootCertificate.crt')));
  const bundles = [1, 2, 5].map((count) => bundleOf(certificates.slice(count, 2 * count)));
  const crls = all('crls');
  return { certificates, crls, bundles, root, store: storeOf(root, crls.slice(0, 2)) };
};

/**
 * One mutant. Throws where anything but a CertificateError comes of it, and where a certificate that was changed is valid. Answers what it was and
 * whether it could be read.
 */
export const fuzzX509 = (seeds: X509Seeds, random: Prng): { readonly kind: FuzzKind; readonly wasRead: boolean } => {
  const kind = random.pick([...KINDS]);
  try {
    ACTIONS[kind](seeds, random);
    return { kind, wasRead: true };
  } catch (fault) {
    if (!(fault instanceof CertificateError) && !(fault instanceof ProtocolError)) throw fault;
    assert.match(fault.message, /^[ -~]+$/);
    return { kind, wasRead: false };
  }
};

type Action = (seeds: X509Seeds, random: Prng) => void;

const ACTIONS: Readonly<Record<FuzzKind, Action>> = {
  certificate: (seeds, random) => judge(seeds, mutated(seeds.certificates, random), seeds.certificates),
  crl: (seeds, random) => {
    const crl = mutated(seeds.crls, random);
    const store = storeOf(seeds.root, [crl]);
    for (const { problem } of store.problems) assert.match(problem, /^[ -~]+$/);
    if (store.problems.length > 0) throw new CertificateError(store.problems[0]?.problem);
    const certificate = parseCertificate(any(seeds.certificates, random));
    const [untrusted] = [certificate, parseCertificate(any(seeds.certificates, random))];
    validatePath(certificate, { untrusted: [untrusted], store, at: AT });
  },
  pkcs7: (seeds, random) => {
    for (const der of certificatesOfPkcs7(mutated(seeds.bundles, random))) judge(seeds, der, seeds.certificates);
  },
  payload: (seeds, random) => {
    const sources = [seeds.certificates, seeds.bundles, seeds.crls] as const;
    const encoding = [4, 1, 7][random.word() % 3] ?? 4;
    const source = random.pick([...sources]);
    const body = mutated([Uint8Array.of(encoding, ...any(source, random))], random);
    const { encoding: said, certificateData: data } = PAYLOADS.CERT.read(cursor(body));
    const pieces = said === 1 ? certificatesOfPkcs7(data) : [data];
    for (const der of pieces) judge(seeds, der, seeds.certificates);
  },
};

const judge = (seeds: X509Seeds, der: Uint8Array, originals: readonly Uint8Array[]): void => {
  const certificate = parseCertificate(der);
  for (const identity of certificateIdentities(certificate)) {
    assert.match(identityText(identity), /^[ -~]*$/);
    bindsIdentity(certificate, identity, { matchWildcards: true });
  }
  const outcome = validatePath(certificate, { untrusted: [], store: seeds.store, at: AT });
  if (outcome.kind === 'refused') assert.match(outcome.reason, /^[ -~]+$/);
  else
    assert.ok(
      originals.some((original) => Buffer.compare(original, der) === 0),
      'a changed certificate is valid',
    );
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

const any = (seeds: readonly Uint8Array[], random: Prng): Uint8Array =>
  seeds[random.word() % seeds.length] ?? new Uint8Array();

const HOSTILE = [0, 1, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x84, 0x88, 0xff, 0x1f, 0x30, 0x31, 0x24, 0xa0];
const SETTINGS = { ...DEFAULT_TRUST_SETTINGS, acceptSha1: true };
const AT = Date.UTC(2020, 5, 1);
