/** Paths over certificates of the openssl tool, judged as a daemon would that trusts some of them. */
import assert from 'node:assert/strict';
import { parseCertificate } from '../../src/shared/x509/certificate.ts';
import type { PathOutcome } from '../../src/shared/x509/path-context.ts';
import { createTrustStore, DEFAULT_TRUST_SETTINGS, type TrustSettings } from '../../src/shared/x509/trust-store.ts';
import { validatePath } from '../../src/shared/x509/validate-path.ts';
import type { Made } from './openssl-pki.ts';

interface Setting {
  readonly trusted: readonly Made[];
  readonly untrusted?: readonly Made[];
  readonly crls?: readonly Buffer[];
  readonly settings?: Partial<TrustSettings>;
  /** Days from now. */
  readonly days?: number;
}

export const storeOf = ({ trusted, crls = [], settings = {} }: Setting) => {
  const store = createTrustStore(
    {
      authorities: trusted.map(({ pem, subject }) => ({ file: subject, bytes: pem })),
      certificates: [],
      revocationLists: crls.map((bytes, index) => ({ file: `${index}.crl`, bytes })),
    },
    { ...DEFAULT_TRUST_SETTINGS, ...settings },
  );
  assert.deepEqual(store.problems, []);
  return store;
};

const outcomeOf = (leaf: Made, setting: Setting): PathOutcome =>
  validatePath(parseCertificate(leaf.der), {
    untrusted: (setting.untrusted ?? []).map(({ der }) => parseCertificate(der)),
    store: storeOf(setting),
    at: Date.now() + (setting.days ?? 0) * 86_400_000,
  });

export const taken = (leaf: Made, setting: Setting): Extract<PathOutcome, { kind: 'valid' }> => {
  const outcome = outcomeOf(leaf, setting);
  if (outcome.kind === 'refused') assert.fail(outcome.reason);
  return outcome;
};

export const refusedFor = (leaf: Made, setting: Setting, reason: RegExp): void => {
  const outcome = outcomeOf(leaf, setting);
  assert.equal(outcome.kind, 'refused');
  assert.match(outcome.kind === 'refused' ? outcome.reason : '', reason);
};
