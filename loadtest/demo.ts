/**
 * `npm run demo`: as root two network namespaces with a tunnel between them that carries packets (demo/tunnel.ts), else two daemons on loopback addresses
 * that negotiate (demo/loopback.ts). Ends with status 1 and the reason when anything is missing, and takes away what it made, also when it is interrupted.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nativeAddonFault } from '../src/kernel/native/native.ts';
import type { Daemon } from './daemon.ts';
import { loopbackDemo } from './demo/loopback.ts';
import { tunnelDemo } from './demo/tunnel.ts';
import { openGateways, type Tunnel } from './esp/gateways.ts';
import { namespacesFault } from './esp/namespaces.ts';

const folder = mkdtempSync(join(tmpdir(), 'isakmpd-demo-'));
const daemons: Daemon[] = [];
let tunnel: Tunnel | undefined;

const run = async (): Promise<void> => {
  const fault = nativeAddonFault() ?? namespacesFault();
  if (fault === false) {
    tunnel = openGateways({});
    await tunnelDemo(tunnel, folder, daemons);
    return;
  }
  console.log(`No packets go through the tunnel (${fault}): the daemons negotiate only.\n`);
  await loopbackDemo(folder, daemons);
};

const clearAway = async (): Promise<void> => {
  for (const daemon of daemons) daemon.kill();
  await tunnel?.end();
  rmSync(folder, { recursive: true, force: true });
};

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void clearAway().finally(() => process.exit(1)));
}
try {
  await run();
} catch (fault) {
  console.error(`demo: ${fault instanceof Error ? fault.message : String(fault)}`);
  process.exitCode = 1;
} finally {
  await clearAway();
}
