/** The report of running daemons: `r`, SIGUSR1, and its form beside the one that the original wrote. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Daemon, until } from '../../loadtest/daemon.ts';
import { freePorts, spawnDaemon, startAlone, startPair, testFolder } from '../helpers/daemon-process.ts';
import { sharedPath } from '../helpers/shared-folder.ts';

const reportFile = (daemon: Daemon): string => join(daemon.runDirectory, 'isakmpd.report');

const reportOf = async (daemon: Daemon): Promise<readonly string[]> => {
  daemon.signal('SIGUSR1');
  const text = await until('the report', () => {
    try {
      return readFileSync(reportFile(daemon), 'utf8');
    } catch {
      return undefined;
    }
  });
  return text.trimEnd().split('\n');
};

/** Left and right of the recorded pair, on loopback and ports of their own. */
const recordedPair = async (t: TestContext, folder: string): Promise<readonly [Daemon, Daemon]> => {
  const addresses = { '10.66.0.1': '127.0.0.1', '10.66.0.2': '127.0.0.2' };
  const ports = await freePorts(Object.values(addresses));
  const start = (name: string): Daemon => {
    const recorded = readFileSync(join(folder, name, 'isakmpd.conf'), 'utf8');
    const configuration = Object.entries(addresses)
      .reduce((text, [from, to]) => text.replaceAll(from, to), recorded)
      .replace('Phase=\t\t\t1', `Phase=\t\t\t1\nPort=\t\t\t${ports.ike}`);
    return spawnDaemon(t, { name, folder: testFolder(t), configuration, ports });
  };
  const right = start('right');
  await right.ready();
  const left = start('left');
  await left.ready();
  await left.saw('isakmpd: quick mode done');
  return [left, right];
};

/** A line without what differs from run to run. */
const shape = (line: string): string =>
  line
    .replace(/^\d{6}\.\d{6} /, 'TIME ')
    .replace(/0x[0-9a-f]{9,}/g, 'POINTER')
    .replace(/[0-9a-f]{16}/g, 'COOKIE')
    .replace(/(?<=msgid )(?!00000000)[0-9a-f]{8}/, 'MSGID')
    .replace(/(?<=> )[0-9a-f]{8} $/, 'SPI ')
    .replace(/(?<=refcnt |fd |in |check )\d+/g, 'N')
    .replace(/(10\.66\.0|127\.0\.0)\.(\d)/g, 'HOST$2')
    .replace(/(?<=HOST\d:)[1-9]\d*/g, 'PORT');

const part = (lines: readonly string[], pattern: RegExp): readonly string[] =>
  [...new Set(lines.filter((line) => pattern.test(line)))].sort();

const sections = (lines: readonly string[]): readonly string[] =>
  lines
    .slice(lines.findIndex((line) => line.endsWith('conf_report: dumping running configuration')) + 1)
    .join('\n')
    .split('\nTIME Report> \n')
    .sort();

test('a report has the lines of the one that the original wrote for the same configuration', async (t) => {
  const folder = sharedPath('vectors', 'isakmpd-output', 'pair');
  if (folder === undefined) return t.skip('shared/vectors is absent');
  const [left] = await recordedPair(t, folder);
  const ours = (await reportOf(left)).map(shape);
  const theirs = readFileSync(join(folder, 'left', 'isakmpd.report'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(shape);
  // Both SAs, line by line; which comes first is a matter of the table.
  const sas = (lines: readonly string[]): readonly string[] =>
    lines
      .filter((line) => /sa_report|SPI/.test(line))
      .join('\n')
      .split(/\n(?=.* flags )/)
      .sort();
  assert.deepEqual(sas(ours), sas(theirs));
  // Our phase 1 exchange stays a while; the original's is gone by then.
  const isPhase2 = /exchange_report.*(IPsec-conn|icookie|MSGID)/;
  assert.deepEqual(part(ours, isPhase2), part(theirs, isPhase2));
  // One line for each path in use, where the original has one for every SA and port.
  const sockets = /transport_report|udp_(encap_)?report: fd N src \S+ dst (\*|<none>):0|udp_report/;
  assert.deepEqual(part(ours, sockets), part(theirs, sockets));
  assert.deepEqual(part(ours, /connection_report/), part(theirs, /connection_report/));
  assert.deepEqual(part(ours, /timer_report/), part(theirs, /timer_report/));
  const expected = sections(theirs).map((text) => text.replace('mekmitasdigoat', '***'));
  const found = sections(ours).map((text) => text.replace(/TIME Report> Port=\t\d+\n/, ''));
  assert.deepEqual(found, expected);
});

test('E18: SIGUSR1 says so and writes a report of mode 0600 without any secret', async (t) => {
  const { daemon } = await startAlone(t, '[peer]\nPhase=1\nAuthentication=a secret of tests\n');
  const lines = await reportOf(daemon);
  await daemon.saw('Default SIGUSR1 received');
  assert.equal(daemon.count('Default SIGUSR1 received'), 1);
  assert.equal(statSync(reportFile(daemon)).mode & 0o777, 0o600);
  assert.ok(lines.every((line) => /^\d{6}\.\d{6} Report> /.test(line)));
  assert.ok(lines.some((line) => line.endsWith('Report> conf_report: dumping running configuration')));
  assert.ok(lines.some((line) => line.endsWith('Report> Authentication=\t***')));
  assert.ok(!lines.join('\n').includes('a secret of tests'));
});

test('fifo-clients usr1-report: what the script reads is there, sample lines included', async (t) => {
  const path = sharedPath('vectors', 'fifo-clients', 'report-sample.txt');
  if (path === undefined) return t.skip('shared/vectors is absent');
  const [left] = await startPair(t);
  left.command('c tunnel');
  await left.saw('isakmpd: quick mode done');
  const text = (await reportOf(left)).join('\n');
  // The names that the sample's lines begin with, udp_encap_report among them.
  const names = new Set(readFileSync(path, 'utf8').match(/(?<=Report> )[a-z_]+_report(?=:)/g));
  assert.ok(names.size >= 6);
  for (const name of names) assert.match(text, new RegExp(`Report> ${name}: `));
});

test('-R names the report file, below the run directory only', async (t) => {
  const words = ['-d', '-n', '-K', '-4'];
  const ports = await freePorts(['127.0.0.1']);
  const outside = join(testFolder(t), 'report');
  const configuration = '[General]\nListen-on=127.0.0.1\n';
  const refused = spawnDaemon(t, {
    name: 'outside',
    folder: testFolder(t),
    configuration,
    ports,
    words: [...words, `-R${outside}`],
  });
  assert.equal(await refused.ended, 1);
  assert.match(refused.log.join('\n'), /report file .*only paths below the run directory .* are allowed/);
});

test('a report file that cannot be written is one error line, and the daemon goes on', async (t) => {
  const { daemon } = await startAlone(t);
  mkdirSync(reportFile(daemon));
  daemon.signal('SIGUSR1');
  await daemon.saw('report: cannot write ');
  assert.equal(daemon.count('report: cannot write '), 1);
  assert.equal(await daemon.ask('C get [General]:Listen-on'), '127.0.0.1\n');
});

test('r writes the same lines into the log', async (t) => {
  const { daemon } = await startAlone(t);
  daemon.command('r');
  await daemon.saw('Report> conf_report: dumping running configuration');
  await daemon.saw('Report> Listen-on=\t127.0.0.1');
  const logged = daemon.log.filter((line) => line.includes(' Report> ')).map(shape);
  const written = (await reportOf(daemon)).map(shape);
  assert.deepEqual(logged, written);
});
