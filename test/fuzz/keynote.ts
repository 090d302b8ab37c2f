/** `npm run fuzz:keynote -- count [seed]`: mutated assertions, each read as a policy and as credentials, and asked. Stops at the first fault. */
import { fuzzOnce, fuzzSeeds } from '../helpers/keynote-fuzz.ts';
import { Prng } from '../helpers/prng.ts';

const [count = 100_000, first = 1] = process.argv.slice(2).map(Number);
const seeds = fuzzSeeds();
const start = performance.now();
let read = 0;
let slowest = 0;
for (let seed = first; seed < first + count; seed++) {
  const before = performance.now();
  try {
    read += fuzzOnce(seeds, new Prng(seed));
  } catch (fault) {
    console.error(`seed ${seed}`);
    throw fault;
  }
  slowest = Math.max(slowest, performance.now() - before);
}
const seconds = ((performance.now() - start) / 1000).toFixed(1);
const memory = Math.round(process.memoryUsage().rss / 1e6);
console.log(
  `${count} mutants of ${seeds.length} texts in ${seconds} s, ${read} assertions read, slowest ${slowest.toFixed(1)} ms, ${memory} MB, no fault`,
);
