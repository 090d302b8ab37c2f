/** Whether a path holds (RFC 5280 section 6.1), from the CA that is trusted down to the certificate. */
import type { KeyObject } from 'node:crypto';
import { type Certificate, certificateText, isSelfIssued } from './certificate.ts';
import { KeyUsageBit, type NameConstraints } from './extensions.ts';
import { constraintBroken } from './name-constraints.ts';
import type { PathContext, PathOutcome, Purpose } from './path-context.ts';
import { withParametersOf } from './public-key.ts';
import { revocationRefusal } from './revocation.ts';
import { algorithmRefusal, algorithmWarning, keyRefusal } from './strength.ts';
import { timeText } from './time.ts';

/**
 * `chain` has the certificate first, the one that is trusted last. That one is checked as well: its time, that it is a CA, its path length and its
 * name constraints; its signature and revocation are the operator's business, who put it there.
 */
export const checkPath = (context: PathContext, chain: readonly Certificate[], purpose: Purpose): PathOutcome => {
  const [anchor, ...below] = chain.toReversed();
  if (anchor === undefined) return refused('a path without certificates');
  const warnings: string[] = [];
  let walk = begin(context, anchor, below.length === 0 ? purpose : 'issuer');
  for (const [index, certificate] of below.entries()) {
    if ('refusal' in walk) return refused(walk.refusal);
    walk = descend(context, walk, certificate, index === below.length - 1 ? purpose : 'issuer', warnings);
  }
  if ('refusal' in walk) return refused(walk.refusal);
  return { kind: 'valid', chain, publicKey: walk.key, warnings };
};

/** What is known after a certificate of the path. */
interface Walk {
  readonly anchor: Certificate;
  readonly certificate: Certificate;
  /** Its key, with inherited parameters. */
  readonly key: KeyObject;
  /** How many CA certificates may follow that are not self-issued. */
  readonly pathLength: number;
  readonly constraints: readonly Imposed[];
}

interface Imposed {
  readonly by: Certificate;
  readonly constraints: NameConstraints;
}

type Step = Walk | { readonly refusal: string };

const begin = (context: PathContext, anchor: Certificate, use: Purpose | 'issuer'): Step => {
  const { publicKey } = anchor;
  if (publicKey === undefined) return refusal(anchor, 'its DSA key has no parameters');
  const why = standingRefusal(context, anchor) ?? useRefusal(anchor, use, isSelfIssued(anchor));
  if (why !== undefined) return refusal(anchor, why);
  return {
    anchor,
    certificate: anchor,
    key: publicKey,
    pathLength: anchor.extensions.basicConstraints?.pathLength ?? Number.POSITIVE_INFINITY,
    constraints: imposedBy(anchor),
  };
};

const descend = (
  context: PathContext,
  above: Walk,
  certificate: Certificate,
  use: Purpose | 'issuer',
  warnings: string[],
): Step => {
  const key = certificate.publicKey ?? withParametersOf(certificate.spki, above.key);
  if (key === undefined) return refusal(certificate, 'its DSA key has no parameters, and its issuer has none for it');
  const why =
    signatureRefusal(context, certificate, above) ??
    standingRefusal(context, certificate) ??
    revocationRefusal(
      context,
      certificate,
      { certificate: above.certificate, key: above.key, anchor: above.anchor },
      warnings,
    ) ??
    constraintRefusal(certificate, above.constraints, use) ??
    useRefusal(certificate, use, false);
  if (why !== undefined) return refusal(certificate, why);
  const warning = algorithmWarning(certificate.algorithm);
  if (warning !== undefined) warnings.push(`certificate of ${certificateText(certificate)}: ${warning}`);
  const isCounted = use === 'issuer' && !isSelfIssued(certificate);
  if (isCounted && above.pathLength <= 0) {
    return refusal(
      certificate,
      `the path length of a CA above allows no further CA below ${certificateText(above.certificate)}`,
    );
  }
  return {
    anchor: above.anchor,
    certificate,
    key,
    pathLength: Math.min(
      above.pathLength - (isCounted ? 1 : 0),
      certificate.extensions.basicConstraints?.pathLength ?? Number.POSITIVE_INFINITY,
    ),
    constraints: [...above.constraints, ...imposedBy(certificate)],
  };
};

const signatureRefusal = (context: PathContext, certificate: Certificate, above: Walk): string | undefined => {
  const weakness = algorithmRefusal(certificate.algorithm, context.store.settings);
  if (weakness !== undefined) return weakness;
  if (certificate.issuer.key !== above.certificate.subject.key)
    return `not issued by ${certificateText(above.certificate)}`;
  if (context.isSignedBy(certificate, above.certificate, above.key)) return undefined;
  return `the key of ${certificateText(above.certificate)} did not make its signature`;
};

/** What a certificate has to be wherever it stands in the path. */
const standingRefusal = ({ at, store }: PathContext, certificate: Certificate): string | undefined => {
  const { notBefore, notAfter, size, extensions } = certificate;
  if (at < notBefore) return `valid from ${timeText(notBefore)} only`;
  if (at > notAfter) return `expired on ${timeText(notAfter)}`;
  const [unknown] = extensions.unknownCritical;
  if (unknown !== undefined) return `has the critical extension ${unknown}, which is not understood`;
  if (extensions.wantsExplicitPolicy) return 'wants certificate policies to be checked, which IKE does not use';
  return keyRefusal(size, store.settings);
};

/** RFC 5280 section 6.1.3 (b), (c): self-issued CA certificates in between are free. */
const constraintRefusal = (
  certificate: Certificate,
  constraints: readonly Imposed[],
  use: Purpose | 'issuer',
): string | undefined => {
  if (use === 'issuer' && isSelfIssued(certificate)) return undefined;
  for (const { by, constraints: names } of constraints) {
    const broken = constraintBroken(names, certificate);
    if (broken !== undefined) return `${broken} by the name constraints of ${certificateText(by)}`;
  }
  return undefined;
};

const imposedBy = (certificate: Certificate): readonly Imposed[] => {
  const { nameConstraints } = certificate.extensions;
  return nameConstraints === undefined ? [] : [{ by: certificate, constraints: nameConstraints }];
};

/** Whether a certificate may be what the path takes it for. A self-signed one of version 1 has no extensions that could say that it is a CA. */
const useRefusal = (certificate: Certificate, use: Purpose | 'issuer', isOldAnchor: boolean): string | undefined => {
  const { keyUsage, basicConstraints, extendedKeyUsage } = certificate.extensions;
  const has = (bits: number): boolean => keyUsage === undefined || (keyUsage & bits) !== 0;
  if (use === 'crlSigner') return has(KeyUsageBit.cRLSign) ? undefined : 'its key usage has no cRLSign';
  if (use === 'issuer') {
    const isAuthority = basicConstraints?.isAuthority ?? (isOldAnchor && certificate.version < 3);
    if (!isAuthority) return 'is no CA certificate (basicConstraints), but one was issued with it';
    return has(KeyUsageBit.keyCertSign)
      ? undefined
      : 'its key usage has no keyCertSign, but a certificate was issued with it';
  }
  // RFC 4945 sections 5.1.3.2 and 5.1.3.12.
  if (!has(KeyUsageBit.digitalSignature | KeyUsageBit.nonRepudiation)) {
    return 'its key usage has neither digitalSignature nor nonRepudiation';
  }
  const isForIke = extendedKeyUsage?.purposes.some((purpose) => IKE_PURPOSES.has(purpose)) ?? true;
  return extendedKeyUsage?.isCritical === true && !isForIke
    ? 'its critical extended key usage is not for IKE'
    : undefined;
};

const refusal = (certificate: Certificate, why: string): { readonly refusal: string } => ({
  refusal: `certificate of ${certificateText(certificate)}: ${why}`,
});

const refused = (reason: string): PathOutcome => ({ kind: 'refused', reason });

/** anyExtendedKeyUsage, id-kp-ipsecIKE, iKEIntermediate. */
const IKE_PURPOSES: ReadonlySet<string> = new Set(['2.5.29.37.0', '1.3.6.1.5.5.7.3.17', '1.3.6.1.5.5.8.2.2']);
