/**
 * Interoperability tests: our daemon against charon and pluto in network namespaces. Needs root.
 *
 *   main.js [--full] [--list] [--only regexp] [--jobs n] [--self-test]
 *
 * One line a scenario, then the table of cells, then the totals; exit code 1 if anything failed or, where CI is set, was skipped.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Missing, missingPeers, prepareBench } from './bench.ts';
import { removeAllPairs } from './namespaces.ts';
import { killAll } from './processes.ts';
import { type Bench, runScenario } from './run-scenario.ts';
import { allScenarios, CELLS, type Scenario, selectedScenarios } from './scenarios.ts';

type Verdict = 'PASS' | 'FAIL' | 'SKIP';
interface Outcome {
  readonly scenario: Scenario;
  readonly verdict: Verdict;
}

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      full: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      jobs: { type: 'string', default: '2' },
      'self-test': { type: 'boolean', default: false },
    },
  });
  const only = new RegExp(values.only);
  const scenarios = (values.full ? allScenarios() : selectedScenarios()).filter(({ name }) => only.test(name));
  if (values.list) {
    for (const { name } of scenarios) console.log(name);
    return 0;
  }
  const missing = await missingPeers();
  const folder = mkdtempSync(join(tmpdir(), 'interop-'));
  const program = values['self-test'] ? undefined : join(process.cwd(), 'bin/isakmpd');
  const bench = await prepareBench(folder, program, missing);
  const outcomes = await runAll(scenarios, Number(values.jobs), (scenario, index) =>
    attempt(scenario, join(folder, String(index)), bench, missing),
  );
  report(outcomes);
  const failed = outcomes.filter(({ verdict }) => verdict === 'FAIL').length;
  if (failed > 0) console.log(`logs: ${folder}`);
  else rmSync(folder, { recursive: true });
  return failed > 0 ? 1 : 0;
};

/** In continuous integration a peer that is not there is a failure: nobody would notice a skip. */
const attempt = async (scenario: Scenario, folder: string, bench: Bench, missing: Missing): Promise<Outcome> => {
  const reason = missing.get(scenario.peer);
  if (reason !== undefined) {
    const verdict = CI === undefined ? 'SKIP' : 'FAIL';
    console.log(`${verdict} ${scenario.name}: ${scenario.peer} ${reason}`);
    return { scenario, verdict };
  }
  const start = performance.now();
  try {
    mkdirSync(folder);
    const remark = await runScenario(scenario, folder, bench);
    console.log(`PASS ${scenario.name} (${seconds(start)}, ${remark})`);
    rmSync(folder, { recursive: true });
    return { scenario, verdict: 'PASS' };
  } catch (fault) {
    const text = fault instanceof Error ? fault.message : String(fault);
    console.log(`FAIL ${scenario.name}: ${text} (${seconds(start)}; ${folder})`);
    return { scenario, verdict: 'FAIL' };
  }
};

/** Runs the work for all items, so many at a time, and keeps their order in the answer. */
const runAll = async <T, R>(
  items: readonly T[],
  jobs: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<readonly R[]> => {
  const answers: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) answers[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return answers;
};

const report = (outcomes: readonly Outcome[]): void => {
  const count = (verdict: Verdict) => outcomes.filter((outcome) => outcome.verdict === verdict).length;
  const sides = ['charon', 'pluto'].flatMap((peer) => ['initiator', 'responder'].map((role) => `${peer}-${role}`));
  console.log(`\n${['passed by peer and role'.padEnd(24), ...CELLS.map((cell) => cell.padStart(10))].join('')}`);
  for (const side of sides) {
    const passed = outcomes.filter(
      ({ scenario, verdict }) => verdict === 'PASS' && scenario.name.startsWith(`${side}/`),
    );
    const cells = CELLS.map((cell) =>
      String(passed.filter(({ scenario }) => scenario.cell === cell).length).padStart(10),
    );
    console.log([side.padEnd(24), ...cells].join(''));
  }
  console.log(`\n${count('PASS')} passed, ${count('FAIL')} failed, ${count('SKIP')} skipped`);
};

const seconds = (start: number): string => `${((performance.now() - start) / 1000).toFixed(1)} s`;

/** Interrupted: leave neither processes nor namespaces behind. */
const abandon = async (): Promise<void> => {
  killAll();
  await removeAllPairs();
  process.exit(130);
};

const { CI } = process.env;

process.once('SIGINT', abandon);
process.once('SIGTERM', abandon);
process.exitCode = await main();
