/**
 * Two whole daemons (supervisor, connection core, lanes, exchanges; only clock, randomness, network and kernel are ours) through loss, delay, duplication,
 * reordering, crashes of daemons and lanes, cuts and simultaneous starts. When the weather has been fair for a lifetime they agree on one current pair per
 * connection and nothing is left over; almost always they agree within a minute.
 *
 * Why a lifetime: a DELETE of which the storm swallowed all repetitions leaves a pair at one end only, as does the crash of an end that begins nothing
 * itself, and that is over when the pair expires. What has been negotiated since is known to both ends.
 * CONVERGENCE_SEEDS=n runs n seeds, CONVERGENCE_SEED=s replays one and tells what happens.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recoveryMs, Scenario, type ScenarioOptions } from '../../helpers/convergence-scenario.ts';

const { CONVERGENCE_SEEDS, CONVERGENCE_SEED: ONLY } = process.env;
const SEEDS = Number(CONVERGENCE_SEEDS ?? 2000);
const DUELS = 200;

/** What is wrong after the storm of a seed; empty when all is well. `onSlow`: the ends took more than a minute to agree, and nobody had to notice a crash first. */
const afterTheStorm = async (options: ScenarioOptions, onSlow: () => void): Promise<readonly string[]> => {
  const scenario = new Scenario(options);
  await scenario.storm();
  if (!(await scenario.agrees(60_000)) && !scenario.hasForgotten) onSlow();
  await scenario.pass(recoveryMs(scenario));
  const quiet = (await scenario.becomesQuiet(60_000)) ? [] : ['it does not become quiet'];
  const found = [...quiet, ...scenario.disagreements(), ...scenario.leaks()];
  return [...found, ...(await scenario.remainsAfterShutdown()).map((text) => `after shutdown: ${text}`)];
};

/** Half a minute after both ends have started the same connection at once. */
const afterTheDuel = async (options: ScenarioOptions): Promise<readonly string[]> => {
  const scenario = new Scenario({ ...options, isDuel: true });
  await scenario.duel();
  await scenario.pass(30_000);
  return scenario.disagreements();
};

const failuresOf = async (
  seeds: number,
  run: (options: ScenarioOptions) => Promise<readonly string[]>,
  options: Omit<ScenarioOptions, 'seed'> = {},
): Promise<readonly string[]> => {
  const failures: string[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const found = await run({ ...options, seed });
    if (found.length > 0) failures.push(`seed ${seed}: ${found.join('; ')}`);
  }
  return failures;
};

test(`after any of ${SEEDS} storms both daemons have the same one current pair per connection, and nothing is left over`, async (t) => {
  let slow = 0;
  const run = (options: ScenarioOptions): Promise<readonly string[]> => afterTheStorm(options, () => slow++);
  if (ONLY !== undefined) {
    const trace = (line: string): void => t.diagnostic(line);
    assert.deepEqual(await run({ seed: Number(ONLY), trace }), [], `CONVERGENCE_SEED=${ONLY}`);
    return;
  }
  assert.deepEqual(await failuresOf(SEEDS, run), []);
  t.diagnostic(`${slow} of ${SEEDS} took more than a minute`);
  assert.ok(slow <= SEEDS / 400, `${slow} of ${SEEDS} took more than a minute to agree`);
});

test('simultaneous starts have converged within half a minute', async () => {
  assert.deepEqual(await failuresOf(DUELS, afterTheDuel), []);
});

test('without the tie-break they do not: the rule is what makes them converge', async (t) => {
  const failures = await failuresOf(DUELS, afterTheDuel, { rule: () => 'replaces' });
  t.diagnostic(`${failures.length} of ${DUELS} diverge, for instance ${failures[0]}`);
  assert.ok(failures.length > 0);
});
