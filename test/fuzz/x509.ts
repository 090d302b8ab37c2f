/** `npm run fuzz:x509 -- count [seed]`: mutated certificates, CRLs, PKCS #7 and CERT payloads, read and judged. Stops at the first fault. */
import { Prng } from '../helpers/prng.ts';
import { fuzzX509, x509Seeds } from '../helpers/x509-fuzz.ts';

const [count = 1_000_000, first = 1] = process.argv.slice(2).map(Number);
const seeds = x509Seeds();
const start = performance.now();
const tally = new Map<string, { fed: number; read: number }>();
let slowest = { milliseconds: 0, seed: 0 };
let peak = 0;
for (let seed = first; seed < first + count; seed++) {
  const before = performance.now();
  try {
    const { kind, wasRead } = fuzzX509(seeds, new Prng(seed));
    const row = tally.get(kind) ?? { fed: 0, read: 0 };
    tally.set(kind, { fed: row.fed + 1, read: row.read + (wasRead ? 1 : 0) });
  } catch (fault) {
    console.error(`seed ${seed}`);
    throw fault;
  }
  const milliseconds = performance.now() - before;
  if (milliseconds > slowest.milliseconds) slowest = { milliseconds, seed };
  if (seed % 10_000 === 0) peak = Math.max(peak, process.memoryUsage().rss);
}
const seconds = ((performance.now() - start) / 1000).toFixed(1);
for (const [kind, { fed, read }] of tally) console.log(`${kind}: ${fed} mutants, ${read} could be read`);
console.log(
  `${count} mutants in ${seconds} s, slowest ${slowest.milliseconds.toFixed(1)} ms (seed ${slowest.seed}), ` +
    `at most ${Math.round(peak / 1e6)} MB, no fault`,
);
