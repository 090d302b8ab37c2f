/** --capture-format pcapng on running daemons: files, their names and modes, and what the decryption table makes of a recording of the wire. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { type Daemon, until } from '../../loadtest/daemon.ts';
import { startAlone, startPair, testFolder } from '../helpers/daemon-process.ts';
import { isMissing, outputOf } from '../helpers/foreign-programs.ts';
import { withoutRepetitions } from '../interop/capture.ts';

const WORDS = ['-d', '-v', '-n', '-K', '-4', '--capture-format', 'pcapng'];
const NAME = 'isakmpd.pcapng';
const TABLE = `${NAME}.ikev1_decryption_table`;
const SWITCHED_ON = 'gets the key of every ISAKMP SA';
const SWITCHED_OFF = 'log_packet_stop: stopped capture';

const linesOf = (path: string): readonly string[] => readFileSync(path, 'latin1').trimEnd().split('\n');
const tableOf = ({ runDirectory }: Daemon): readonly string[] => linesOf(join(runDirectory, TABLE)).slice(1);
const tell = async (daemon: Daemon, command: string, answer: string): Promise<void> => {
  const before = daemon.count(answer);
  daemon.command(command);
  await until(`"${answer}"`, () => daemon.count(answer) > before || undefined);
};

/** Records a port of the loopback interface; undefined: we may not. */
const recordWire = async (path: string, port: number): Promise<{ readonly stop: () => Promise<void> } | undefined> => {
  const words = ['--immediate-mode', '-U', '-Z', 'root', '-i', 'lo', '-w', path, 'udp', 'port', String(port)];
  const child = spawn('tcpdump', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  const closed = once(child, 'close');
  const listening = new Promise<boolean>((resolve) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (line.includes('listening on')) resolve(true);
    });
    void closed.then(() => resolve(false));
  });
  if (!(await listening)) return undefined;
  return {
    stop: async () => {
      child.kill('SIGINT');
      await closed;
    },
  };
};

/** Exchange type, Encryption flag, payloads and addresses of identities of each message, as tshark sees them. */
const dissected = (capture: string, port: number, configuration: string): readonly string[] => {
  const wanted = ['exchangetype', 'flag_e', 'typepayload', 'id.data.ipv4_addr', 'id.data.ipv4_subnet'];
  const fields = wanted.flatMap((field) => ['-e', `isakmp.${field}`]);
  const words = ['-r', capture, '-d', `udp.port==${port},isakmp`, '-T', 'fields', '-E', 'separator=|', ...fields];
  return outputOf('tshark', words, { WIRESHARK_CONFIG_DIR: configuration }).trimEnd().split('\n');
};

/** What a main mode and a quick mode look like to whoever can read them; `flag` is the Encryption flag. */
const negotiation = (flag: 0 | 1): readonly string[] => {
  const subnets = '10.11.1.0,10.11.2.0|255.255.255.0,255.255.255.0';
  return [
    ...Array(2).fill('2|0|1,2,3,13,13,13,13,13,13||'),
    ...Array(2).fill('2|0|4,10,20,20||'),
    `2|${flag}|5,8,11|127.0.0.1|`,
    `2|${flag}|5,8,11|127.0.0.2|`,
    ...Array(2).fill(`32|${flag}|8,1,2,3,10,5,5|${subnets}`),
    `32|${flag}|8||`,
  ];
};

test('with the table tshark reads an encrypted negotiation off the wire, without it not; the capture needs none', async (t) => {
  if (isMissing('tshark') || isMissing('tcpdump')) return t.skip('no tshark or no tcpdump');
  const folder = testFolder(t);
  const pair = await startPair(t, undefined, { words: WORDS });
  const [left, right] = pair;
  const port = left.ports.ike;
  const wire = await recordWire(join(folder, 'wire.pcap'), port);
  if (wire === undefined) return t.skip('tcpdump may not listen on lo');
  await tell(left, 'p on', SWITCHED_ON);
  left.command('c tunnel');
  for (const daemon of pair) await until('the quick mode', () => daemon.count('quick mode done') > 0 || undefined);
  // Its ISAKMP SA is established already.
  await tell(right, 'p on', SWITCHED_ON);
  for (const daemon of pair) await tell(daemon, 'p off', SWITCHED_OFF);
  await wire.stop();

  assert.equal(tableOf(left).length, 1);
  assert.match(tableOf(left).join(), /^[0-9a-f]{16},[0-9a-f]{32}$/);
  assert.deepEqual(tableOf(right), tableOf(left));
  withoutRepetitions(join(folder, 'wire.pcap'), join(folder, 'once.pcap'));
  const settings = join(folder, 'settings');
  mkdirSync(settings);
  const readOffTheWire = (): readonly string[] => dissected(join(folder, 'once.pcap'), port, settings);
  assert.deepEqual(readOffTheWire().slice(4), [...Array(2).fill('2|1|||'), ...Array(3).fill('32|1|||')]);
  assert.deepEqual(dissected(join(left.runDirectory, NAME), port, settings), negotiation(0));
  copyFileSync(join(left.runDirectory, TABLE), join(settings, 'ikev1_decryption_table'));
  assert.deepEqual(readOffTheWire(), negotiation(1));
  // A table that was continued names an SA twice.
  writeFileSync(join(settings, 'ikev1_decryption_table'), `${tableOf(left).join('\n')}\n`, { flag: 'a' });
  assert.deepEqual(readOffTheWire(), negotiation(1));
});

test('both files are new with mode 0600, below the run directory, and p on continues both', async (t) => {
  const { daemon } = await startAlone(t, '', { words: [...WORDS, '-L'] });
  const [file, table] = [join(daemon.runDirectory, NAME), join(daemon.runDirectory, TABLE)];
  await daemon.saw(`log_packet_init: starting IKE packet capture to file "${file}"`);
  await daemon.saw(`log_packet_init: file "${table}" ${SWITCHED_ON}`);
  const sizes = [file, table].map((path) => statSync(path).size);
  assert.equal(sizes[0], 48);
  await tell(daemon, 'p off', SWITCHED_OFF);
  await tell(daemon, 'p on', SWITCHED_ON);
  await tell(daemon, 'p off', SWITCHED_OFF);
  assert.deepEqual(
    [file, table].map((path) => statSync(path).size),
    sizes,
  );
  for (const path of [file, table]) assert.equal(statSync(path).mode & 0o777, 0o600);
  await tell(daemon, 'p on=/etc/x', 'only paths below the run directory');
});

test('a table that others may read, or that is none of ours, is refused, and nothing is captured', async (t) => {
  const { daemon } = await startAlone(t, '', { words: WORDS });
  const table = join(daemon.runDirectory, 'x.ikev1_decryption_table');
  writeFileSync(table, 'precious\n', { mode: 0o644 });
  await tell(daemon, 'p on=x', 'x.ikev1_decryption_table" is refused: group or others have access');
  writeFileSync(join(daemon.runDirectory, 'y.ikev1_decryption_table'), 'precious\n', { mode: 0o600 });
  await tell(daemon, 'p on=y', 'y.ikev1_decryption_table" is refused: it begins otherwise');
  assert.deepEqual(linesOf(table), ['precious']);
  await tell(daemon, 'p off', 'log_packet_stop: no capture is active');
});
