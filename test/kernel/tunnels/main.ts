/**
 * Tunnels through a real kernel. Runs inside a guest that has one (../main.ts starts it).
 *
 *   main.js folder [regexp]
 *
 * One line a scenario, then the totals; exit code 1 if anything failed. `folder` keeps what failed.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { killAll, must } from '../../interop/processes.ts';
import { runTunnel } from './run-tunnel.ts';
import { tunnelScenarios } from './scenarios.ts';

const [folder = '', wanted = ''] = process.argv.slice(2);
const shim = join(folder, 'shim.so');
await must('cc', ['-shared', '-fPIC', '-O2', '-o', shim, join(process.cwd(), 'test/interop/shim.c'), '-ldl']);
const bench = { program: join(process.cwd(), 'bin/isakmpd'), shim };
const scenarios = tunnelScenarios().filter(({ name }) => new RegExp(wanted).test(name));
let failed = 0;
for (const [index, scenario] of scenarios.entries()) {
  const own = join(folder, String(index));
  const start = performance.now();
  const seconds = (): string => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  mkdirSync(own);
  try {
    const remark = await runTunnel(scenario, own, bench);
    console.log(`PASS ${scenario.name} (${seconds()}: ${remark})`);
    rmSync(own, { recursive: true });
  } catch (fault) {
    failed++;
    console.log(
      `FAIL ${scenario.name}: ${fault instanceof Error ? fault.message : String(fault)} (${seconds()}; ${own})`,
    );
    killAll();
  }
}
console.log(`${scenarios.length - failed} tunnels passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
