/** NIST's Public Key Interoperability Test Suite, from the shared folder. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Certificate, parseCertificate } from '../../../src/shared/x509/certificate.ts';
import { CertificateError } from '../../../src/shared/x509/certificate-error.ts';
import type { PathOutcome } from '../../../src/shared/x509/path-context.ts';
import { createTrustStore, DEFAULT_TRUST_SETTINGS } from '../../../src/shared/x509/trust-store.ts';
import { validatePath } from '../../../src/shared/x509/validate-path.ts';
import { sharedPath } from '../../helpers/shared-folder.ts';

interface Case {
  readonly name: string;
  readonly ee: string;
  readonly intermediates: readonly string[];
  readonly crls: readonly string[];
  readonly valid: boolean;
  readonly message: string | null;
  readonly applies: string;
}

interface Suite {
  readonly trustAnchor: string;
  readonly trustAnchorCrl: string;
  readonly tests: readonly Case[];
}

const folder = sharedPath('vectors', 'x509', 'pkits') ?? '';
const skip = folder === '' ? 'there is no ../shared/vectors/x509' : false;
const suite: Suite =
  folder === ''
    ? { trustAnchor: '', trustAnchorCrl: '', tests: [] }
    : JSON.parse(readFileSync(join(folder, 'tests.json'), 'utf8'));
const file = (kind: 'certs' | 'crls', name: string) => ({ file: name, bytes: readFileSync(join(folder, kind, name)) });

/** Within the suite's lifetime, which ends with 2030. */
const AT = Date.UTC(2020, 5, 1);

/** As the daemon does: what cannot be read is refused, or left out where it only came along. */
const read = (name: string): Certificate | string => {
  try {
    return parseCertificate(file('certs', name).bytes);
  } catch (fault) {
    assert.ok(fault instanceof CertificateError);
    return fault.message;
  }
};

/** Its DSA keys have 1024 bits, its DSA signatures SHA-1. */
const PKITS_ALGORITHMS = { acceptSha1: true, minimumRsaBits: 1024 };

const run = ({ ee, intermediates, crls }: Case): PathOutcome => {
  const store = createTrustStore(
    {
      authorities: [file('certs', suite.trustAnchor)],
      certificates: [],
      revocationLists: [...crls, suite.trustAnchorCrl].map((name) => file('crls', name)),
    },
    { ...DEFAULT_TRUST_SETTINGS, ...PKITS_ALGORITHMS, requireRevocationList: true },
  );
  const leaf = read(ee);
  if (typeof leaf === 'string') return { kind: 'refused', reason: leaf };
  const untrusted = intermediates.map(read).filter((certificate) => typeof certificate !== 'string');
  return validatePath(leaf, { untrusted, store, at: AT });
};

describe('PKITS', { skip }, () => {
  const applicable = suite.tests.filter(({ applies }) => !applies.startsWith('no'));
  for (const test of applicable) {
    it(`${test.name}: ${test.valid ? 'valid' : 'refused'}`, () => {
      const outcome = run(test);
      const said = outcome.kind === 'valid' ? 'valid' : outcome.reason;
      assert.equal(outcome.kind, test.valid ? 'valid' : 'refused', `${said}; expected: ${test.message ?? 'valid'}`);
    });
  }

  it('refuses every invalid path of the certificate policy tests too, and for no other reason any valid one', (t) => {
    const policies = suite.tests.filter(({ applies }) => applies.startsWith('no'));
    const results = policies.map((test) => ({ test, outcome: run(test) }));
    const taken = results.filter(({ test, outcome }) => !test.valid && outcome.kind === 'valid');
    const refusals = results.flatMap(({ test, outcome }) =>
      test.valid && outcome.kind === 'refused' ? [outcome.reason] : [],
    );
    t.diagnostic(
      `${suite.tests.length} cases: ${applicable.length} fed and passed; ${policies.length} of certificate policies left out (IKEv1 has none): ` +
        `${taken.length} invalid ones taken, ${refusals.length} valid ones refused`,
    );
    assert.deepEqual(
      taken.map(({ test }) => test.name),
      [],
    );
    for (const reason of refusals) assert.match(reason, /wants certificate policies to be checked/);
  });
});
