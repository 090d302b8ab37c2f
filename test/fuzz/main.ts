/**
 * `npm run fuzz -- target [count] [seed]`: so many hostile inputs (1,000,000), beginning with this seed (1). Prints what came of them, the slowest one, and the
 * memory at begin and end. Stops at the first fault, and says its seed.
 */
import { Prng } from '../helpers/prng.ts';
import { type Fuzz, TARGETS } from './targets.ts';

const [name, count = '1000000', first = '1'] = process.argv.slice(2);
const target = TARGETS.find((one) => one.name === name);

const main = (): number => {
  if (target === undefined) {
    console.error(`npm run fuzz -- target [count] [seed]; targets:`);
    for (const { name: known, about } of TARGETS) console.error(`  ${known.padEnd(16)} ${about}`);
    return 1;
  }
  if (target.skip !== false) {
    console.error(`${target.name}: ${target.skip}`);
    return 1;
  }
  run(target.prepare(), Number(first), Number(count));
  return 0;
};

const run = (fuzz: Fuzz, from: number, inputs: number): void => {
  const outcomes = new Map<string, number>();
  const slow: number[] = [];
  let slowest = { ms: 0, seed: 0 };
  for (let seed = 0; seed < WARM_UP; seed++) timed(fuzz, seed);
  const begin = memory();
  const start = performance.now();
  for (let seed = from; seed < from + inputs; seed++) {
    let { ms, outcome } = timed(fuzz, seed);
    // What held it up may have been this machine: an input that is slow is slow every time.
    for (let again = 0; again < 4 && ms > Math.min(slowest.ms, LIMIT); again++) ms = Math.min(ms, timed(fuzz, seed).ms);
    if (ms > slowest.ms) slowest = { ms, seed };
    if (ms > LIMIT) slow.push(seed);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  const seconds = (performance.now() - start) / 1000;
  const sorted = [...outcomes].sort(([, a], [, b]) => b - a);
  console.log(`${target?.name}: ${inputs} inputs in ${seconds.toFixed(0)} s, no fault`);
  for (const [outcome, times] of sorted) console.log(`  ${outcome}: ${times}`);
  console.log(`  slowest ${slowest.ms.toFixed(1)} ms (seed ${slowest.seed}), ${slow.length} above ${LIMIT} ms ${slow}`);
  console.log(`  memory at begin ${begin}, at end ${memory()}`);
};

const timed = (fuzz: Fuzz, seed: number): { readonly ms: number; readonly outcome: string } => {
  const before = performance.now();
  try {
    const outcome = fuzz(new Prng(seed));
    return { ms: performance.now() - before, outcome };
  } catch (fault) {
    console.error(`seed ${seed}`);
    throw fault;
  }
};

/** What is alive, and what the process has. */
const memory = (): string => {
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return `${mega(heapUsed + external)} MB used (${mega(rss)} MB resident)`;
};
const mega = (bytes: number): string => (bytes / 1e6).toFixed(1);

/** Inputs before the first measurement: caches are full then, and code is compiled. */
const WARM_UP = 2000;
/** ms that an input may take. */
const LIMIT = 50;

process.exitCode = main();
