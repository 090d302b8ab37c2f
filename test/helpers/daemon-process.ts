/** Daemons as processes, for tests: their configuration, free ports, and an end with the test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Daemon, type DaemonOptions, freePort } from '../../loadtest/daemon.ts';

export type Ports = DaemonOptions['ports'];

/** A folder that goes with the test. */
export const testFolder = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'isakmpd-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

export const freePorts = async (addresses: readonly string[]): Promise<Ports> => ({
  ike: await freePort(addresses),
  encapsulated: await freePort(addresses),
});

/** Starts a daemon without waiting for it; it ends with the test. */
export const spawnDaemon = (t: TestContext, options: DaemonOptions): Daemon => {
  const daemon = new Daemon(options);
  t.after(async () => {
    daemon.signal('SIGTERM');
    await Promise.race([daemon.ended, sleep(PATIENCE, undefined, { ref: false })]);
    daemon.kill();
  });
  return daemon;
};

/** ms */
const PATIENCE = 3000;

/** One daemon that listens on 127.0.0.1 and takes commands. */
export const startAlone = async (
  t: TestContext,
  configuration = '',
  more: Partial<DaemonOptions> = {},
): Promise<{ readonly daemon: Daemon; readonly ports: Ports }> => {
  const ports = more.ports ?? (await freePorts(['127.0.0.1']));
  const text = `[General]\nListen-on=127.0.0.1\n${configuration}`;
  const daemon = spawnDaemon(t, { name: 'alone', folder: testFolder(t), configuration: text, ...more, ports });
  await daemon.ready();
  return { daemon, ports };
};

export interface Side {
  readonly name: string;
  readonly address: string;
}

/** One side of a tunnel between two daemons with one pre-shared key; the connection is called `tunnel`, the peer section `peer`. */
const tunnelConfiguration = (
  own: Side,
  other: Side,
  port: number,
  transform: string | undefined = 'AES-128-SHA2-256-GRP19',
  general: string | undefined = '',
  secret: string | undefined,
): string => `
[General]
Listen-on=${own.address}
${general}

[Phase 1]
${other.address}=peer

[Phase 2]
Passive-connections=tunnel

[peer]
Phase=1
Address=${other.address}
Port=${port}
Configuration=main-mode
${secret === undefined ? '' : `Authentication=${secret}`}

[main-mode]
EXCHANGE_TYPE=ID_PROT
Transforms=${transform}

[tunnel]
Phase=2
ISAKMP-peer=peer
Configuration=quick-mode
Local-ID=net-${own.name}
Remote-ID=net-${other.name}

[quick-mode]
EXCHANGE_TYPE=QUICK_MODE
Suites=QM-ESP-AES-128-SHA2-256-SUITE

${network('left', 1)}
${network('right', 2)}
`;

const network = (name: string, third: number): string => `[net-${name}]
ID-type=IPV4_ADDR_SUBNET
Network=10.11.${third}.0
Netmask=255.255.255.0
`;

/** Two daemons that know each other, ready. */
export const startPair = async (
  t: TestContext,
  [left, right]: readonly [Side, Side] = [LEFT, RIGHT],
  more: Partial<DaemonOptions> & {
    readonly transform?: string;
    /** What [General] says besides, and sections behind it; of both, or of each by its name. */
    readonly general?: string | Readonly<Record<string, string>>;
    /** Pre-shared key; undefined: none. */
    readonly secret?: string | undefined;
  } = {},
): Promise<readonly [Daemon, Daemon]> => {
  const folder = testFolder(t);
  const { transform, general, secret = 'secret' in more ? undefined : 'a secret of tests', ...options } = more;
  const addresses = [...new Set([left.address, right.address])];
  const leftPorts = await freePorts(addresses);
  // Peers on one address are told apart by their ports.
  const rightPorts = left.address === right.address ? await freePorts(addresses) : leftPorts;
  const start = (own: Side, ports: Ports, other: Side, otherPorts: Ports): Daemon => {
    const extra = typeof general === 'object' ? general[own.name] : general;
    const configuration = tunnelConfiguration(own, other, otherPorts.ike, transform, extra, secret);
    return spawnDaemon(t, { name: own.name, folder, configuration, ports, ...options });
  };
  const pair = [start(left, leftPorts, right, rightPorts), start(right, rightPorts, left, leftPorts)] as const;
  await Promise.all(pair.map((daemon) => daemon.ready()));
  return pair;
};

export const LEFT: Side = { name: 'left', address: '127.0.0.1' };
export const RIGHT: Side = { name: 'right', address: '127.0.0.2' };
