/**
 * Tunnels between network namespaces of this host, as root, with ESP in the daemons' own processes.
 *
 *   main.js [--only regexp] [--megabytes n]
 *
 * One line a scenario, then the totals; exit code 1 if anything failed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { HOST_SCENARIOS } from './scenarios.ts';

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, megabytes: { type: 'string', default: '20' } },
});
const wanted = new RegExp(values.only);
let [passed, failed] = [0, 0];
for (const { name, run } of HOST_SCENARIOS.filter((scenario) => wanted.test(scenario.name))) {
  const folder = mkdtempSync(join(tmpdir(), 'isakmpd-host-'));
  const start = performance.now();
  const seconds = (): string => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  try {
    const remark = await run({ folder, bytes: Number(values.megabytes) * 1e6 });
    passed++;
    console.log(`PASS ${name} (${seconds()}: ${remark})`);
    rmSync(folder, { recursive: true });
  } catch (fault) {
    failed++;
    console.log(`FAIL ${name}: ${fault instanceof Error ? fault.message : String(fault)} (${seconds()}; ${folder})`);
  }
}
console.log(`${passed} host scenarios passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
