/**
 * Loaded before every test file: property tests take the same examples on every run, so that a gate never fails by luck. PROPERTY_SEED
 * and PROPERTY_RUNS choose others and more of them: `npm run test:properties`.
 */
import fc from 'fast-check';

const { PROPERTY_SEED = '2409', PROPERTY_RUNS = '100' } = process.env;
fc.configureGlobal({ seed: Number(PROPERTY_SEED), numRuns: Number(PROPERTY_RUNS) });
