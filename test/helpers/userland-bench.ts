/** Two gateways in network namespaces, each with a daemon of its own whose ESP is in its process; what a test starts ends with it. */
import type { TestContext } from 'node:test';
import { Daemon, type DaemonOptions } from '../../loadtest/daemon.ts';
import { gatewayConfiguration, type TunnelSettings } from '../../loadtest/esp/gateway-configuration.ts';
import { type Gateway, openGateways } from '../../loadtest/esp/gateways.ts';
import { testFolder } from './daemon-process.ts';

export interface UserlandBench {
  readonly left: Gateway;
  readonly right: Gateway;
  /** Starts the daemon of a side; its name is its run directory's as well. `change`: of the tunnel as both sides have it by default. */
  readonly start: (own: Gateway, name: string, change?: Partial<TunnelSettings>) => Promise<Daemon>;
}

/** `inside`: words of a command that starts the daemons, in their namespace. */
export const withUserlandBench = async (
  t: TestContext,
  use: (bench: UserlandBench) => Promise<void>,
  inside: readonly string[] = [],
): Promise<void> => {
  const tunnel = openGateways({});
  const folder = testFolder(t);
  const daemons: Daemon[] = [];
  const { left, right } = tunnel;
  const start: UserlandBench['start'] = async (own, name, change) => {
    const options: DaemonOptions = {
      ...{ name, folder, ports: PORTS, words: ['-d', '-v', '-K', '-4'] },
      configuration: gatewayConfiguration(own, own === left ? right : left, { ...SETTINGS, ...change }),
      inside: ['ip', 'netns', 'exec', own.namespace.name, ...inside],
    };
    const daemon = new Daemon(options);
    daemons.push(daemon);
    await daemon.ready();
    return daemon;
  };
  try {
    await use({ left, right, start });
  } finally {
    for (const daemon of daemons) daemon.kill();
    await tunnel.end();
  }
};

const PORTS = { ike: 500, encapsulated: 4500 };
const SETTINGS = {
  general: 'Kernel=userland',
  transform: 'AES-128-SHA2-256-GRP19',
  suite: 'QM-ESP-AESGCM-128-SUITE',
};
