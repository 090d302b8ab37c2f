/** `npm run fuzz:keynote -- count [seed]`: mutated assertions, each read as a policy and as credentials of a peer's CERT payloads, and asked. Stops at the first fault. */
import { credentialFuzz } from '../helpers/credential-fuzz.ts';
import { fuzzOnce, fuzzSeeds } from '../helpers/keynote-fuzz.ts';
import { Prng } from '../helpers/prng.ts';

const [count = 100_000, first = 1] = process.argv.slice(2).map(Number);
const seeds = fuzzSeeds();
const start = performance.now();
let read = 0;
let slowest = 0;
const fuzzCredentials = credentialFuzz(seeds);
const outcomes = { unread: 0, refused: 0, proven: 0 };
for (let seed = first; seed < first + count; seed++) {
  const before = performance.now();
  try {
    read += fuzzOnce(seeds, new Prng(seed));
    outcomes[fuzzCredentials(new Prng(seed))]++;
  } catch (fault) {
    console.error(`seed ${seed}`);
    throw fault;
  }
  slowest = Math.max(slowest, performance.now() - before);
}
const seconds = ((performance.now() - start) / 1000).toFixed(1);
const memory = Math.round(process.memoryUsage().rss / 1e6);
console.log(
  `${count} mutants of ${seeds.length} texts in ${seconds} s, ${read} assertions read, of CERT payloads ${outcomes.refused} refused and ${outcomes.proven} proven, slowest ${slowest.toFixed(1)} ms, ${memory} MB, no fault`,
);
