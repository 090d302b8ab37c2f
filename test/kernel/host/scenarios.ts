/** What is tried on this host: ESP in the daemons' own processes, through a NAT that rewrites ports. Each resolves with a remark, or rejects with what was wrong. */
import { transfer } from '../../../loadtest/esp/gateway-configuration.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import { pingsLost } from '../tunnels/traffic.ts';
import { type End, Field } from './field.ts';
import { charon, ours, type Side, said } from './sides.ts';

export interface HostBench {
  readonly folder: string;
  /** Bytes of a transfer. */
  readonly bytes: number;
}

export interface HostScenario {
  readonly name: string;
  readonly run: (bench: HostBench) => Promise<string>;
}

type Begin = (field: Field, end: End, folder: string) => Promise<Side>;

/** Per second. */
const PING_RATE = 10;

/** Makes a field, and takes away what was in it. */
const inField = async (
  clients: number,
  use: (field: Field, keep: <S extends Side>(side: S) => S) => Promise<string>,
): Promise<string> => {
  const field = new Field(clients);
  const sides: Side[] = [];
  try {
    return await use(field, (side) => {
      sides.push(side);
      return side;
    });
  } finally {
    for (const side of sides) side.kill();
    await field.end();
  }
};

const ping = async (from: End, to: End, count: number): Promise<void> => {
  const lost = await pingsLost(from.namespace.name, from.inner, to.inner, count, PING_RATE);
  if (lost > 0) throw new SystemError(`${lost} of ${count} pings were lost`);
};

/** The client begins, who is behind the NAT. */
const tunnel =
  (client: Begin, gate: Begin) =>
  ({ folder, bytes }: HostBench): Promise<string> =>
    inField(1, async (field, keep) => {
      const [here = field.gate] = field.clients;
      const there = keep(await gate(field, field.gate, folder));
      const side = keep(await client(field, here, folder));
      await side.bringUp();
      await there.isUp();
      await ping(here, field.gate, 20);
      const began = performance.now();
      await transfer(here, field.gate, bytes);
      await transfer(field.gate, here, bytes / 10);
      const seconds = (performance.now() - began) / 1000;
      return `20 pings, 0 lost; ${bytes / 1e6} MB one way and ${bytes / 1e7} MB the other arrive as they were sent, ${seconds.toFixed(1)} s`;
    });

/** The client wakes the NAT every second. */
const flush = ({ folder }: HostBench, begin: Begin): Promise<string> =>
  inField(1, async (field, keep) => {
    const [here = field.gate] = field.clients;
    const gate = keep(await ours(field, field.gate, folder));
    const client = keep(await begin(field, here, folder));
    await client.bringUp();
    await gate.isUp();
    await ping(here, field.gate, 10);
    const pings = 100;
    const lost = pingsLost(here.namespace.name, here.inner, field.gate.inner, pings, PING_RATE);
    field.remap('30000-39999');
    field.forget();
    await said(gate.daemon, /NAT mapping changed|has moved from/);
    const seconds = (await lost) / PING_RATE;
    if (seconds > 5) throw new SystemError(`traffic went on after ${seconds.toFixed(1)} s only`);
    await ping(field.gate, here, 10);
    const line = gate.daemon.log.find((one) => /NAT mapping changed|has moved from/.test(one)) ?? '';
    if (!/\b2\d{4}\b.*\b3\d{4}\b|\b3\d{4}\b.*\b2\d{4}\b/.test(line)) {
      throw new SystemError(`the log does not name both ports: ${line}`);
    }
    return `traffic went on after ${seconds.toFixed(1)} s: "${line.replace(/^\S+ Default /, '')}"`;
  });

const frozen = ({ folder }: HostBench): Promise<string> =>
  inField(1, async (field, keep) => {
    const [here = field.gate] = field.clients;
    const gate = keep(await ours(field, field.gate, folder));
    const general = `DPD-check-interval=${DPD_INTERVAL}\nCheck-interval=3`;
    const client = keep(await ours(field, here, folder, { general, lists: 'Connections' }));
    await said(client.daemon, /quick mode done/);
    await ping(here, field.gate, 5);
    gate.daemon.signal('SIGSTOP');
    const began = performance.now();
    await said(client.daemon, /peer does not answer/);
    const found = (performance.now() - began) / 1000;
    if (found < DPD_SECONDS - LEEWAY_SECONDS || found > DPD_SECONDS + LEEWAY_SECONDS) {
      throw new SystemError(`found dead after ${found.toFixed(1)} s, not ${DPD_SECONDS}`);
    }
    gate.daemon.signal('SIGCONT');
    const thawed = performance.now();
    await said(client.daemon, /quick mode done/, 2);
    const back = (performance.now() - thawed) / 1000;
    await ping(here, field.gate, 10);
    return `found dead after ${found.toFixed(1)} s, back ${back.toFixed(1)} s after it thawed, 10 pings, 0 lost`;
  });

const neighbours = ({ folder }: HostBench): Promise<string> =>
  inField(2, async (field, keep) => {
    keep(await ours(field, field.gate, folder));
    for (const client of field.clients) {
      const side = keep(await ours(field, client, folder));
      await side.bringUp();
    }
    await Promise.all(field.clients.map((client) => ping(client, field.gate, 20)));
    await Promise.all(field.clients.map((client) => ping(field.gate, client, 20)));
    return 'both up, 20 pings each way and each, 0 lost';
  });

/** A peer that says nothing for so long is asked, five times. */
const DPD_INTERVAL = 2;
const DPD_SECONDS = DPD_INTERVAL + 5 * 5;
const LEEWAY_SECONDS = 5;

const beginAwake: Begin = (field, end, folder) => ours(field, end, folder, { general: 'NAT-T-Keepalive=1' });
const beginOurs: Begin = (field, end, folder) => ours(field, end, folder);

export const HOST_SCENARIOS: readonly HostScenario[] = [
  { name: 'nat/ours with ours', run: tunnel(beginOurs, beginOurs) },
  { name: 'nat/ours begins, charon', run: tunnel(beginOurs, charon) },
  { name: 'nat/charon begins, ours', run: tunnel(charon, beginOurs) },
  { name: 'nat/flushed, ours', run: (bench) => flush(bench, beginAwake) },
  { name: 'nat/flushed, charon', run: (bench) => flush(bench, charon) },
  { name: 'nat/two clients', run: neighbours },
  { name: 'dpd/frozen peer', run: frozen },
];
