/** What is fuzzed: each target makes, of a seed's randomness, one hostile input, has it read and judged, and says in a word what came of it. */
import { credentialFuzz } from '../helpers/credential-fuzz.ts';
import { fuzzOnce, fuzzSeeds } from '../helpers/keynote-fuzz.ts';
import { policyFuzz } from '../helpers/policy-fuzz.ts';
import type { Prng } from '../helpers/prng.ts';
import { NEEDS_PKITS, type X509Kind, x509Fuzz, x509Seeds } from '../helpers/x509-fuzz.ts';

/** Throws where the program has a fault. */
export type Fuzz = (random: Prng) => string;

export interface Target {
  readonly name: string;
  readonly about: string;
  /** A reason where it cannot be done here. */
  readonly skip: string | false;
  readonly prepare: () => Fuzz;
}

const ofX509 = (kind: X509Kind, about: string, name: string = kind): Target => ({
  name,
  about,
  skip: NEEDS_PKITS.skip,
  prepare: () => x509Fuzz(kind, x509Seeds()),
});

export const TARGETS: readonly Target[] = [
  ofX509('certificate', 'certificates, read, their names, and paths to a CA'),
  ofX509('crl', 'CRLs, read and asked'),
  ofX509('pkcs7', 'PKCS #7, read, and the certificates in it'),
  ofX509('payload', 'CERT payloads with X.509, as phase 1 takes them', 'x509-payload'),
  {
    name: 'keynote',
    about: 'KeyNote assertions, read as policy and as credentials, and asked',
    skip: false,
    prepare: () => {
      const seeds = fuzzSeeds();
      return (random) => (fuzzOnce(seeds, random) > 0 ? 'read' : 'unread');
    },
  },
  {
    name: 'keynote-payload',
    about: 'CERT payloads with KeyNote credentials, as phase 1 takes them',
    skip: false,
    prepare: () => credentialFuzz(fuzzSeeds()),
  },
  {
    name: 'policy',
    about: 'policy files, asked about quick modes',
    skip: false,
    prepare: () => policyFuzz(fuzzSeeds()),
  },
];
