import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../../src/shared/config/finding.ts';
import { resolvePhase1Identity } from '../../../src/shared/config/resolve-identity.ts';
import { storeOf, textsOf } from './store-of.ts';

test('a distinguished name that is written the wrong way round is told', () => {
  const warningsOf = (name: string): readonly string[] => {
    const findings: Finding[] = [];
    resolvePhase1Identity(storeOf(`[dn]\nID-type=DER_ASN1_DN\nName=${name}\n`), 'dn', findings);
    return textsOf(findings);
  };
  assert.deepEqual(warningsOf('CN=gate, O=Company, C=SE'), []);
  assert.deepEqual(warningsOf('/C=SE/O=Company/CN=gate'), []);
  assert.deepEqual(warningsOf('C=SE'), []);
  assert.match(
    warningsOf('C=SE, O=Company, CN=gate').join(),
    /^\[dn\]:Name begins with the country: RFC 4514 begins with/,
  );
});
