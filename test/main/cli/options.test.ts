import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Options, parseCommandLine } from '../../../src/main/cli/options.ts';

const parse = (...argv: readonly string[]) => parseCommandLine(argv, '1.2.3');
const optionsOf = async (...argv: readonly string[]): Promise<Options> => {
  const result = await parse(...argv);
  if (result.kind !== 'run') assert.fail(result.text);
  return result.options;
};
const refusalOf = async (...argv: readonly string[]): Promise<string> => {
  const result = await parse(...argv);
  return result.kind === 'refused' ? result.text : `not refused: ${result.kind}`;
};

test('without options everything has the default of the manual', async () => {
  assert.deepEqual(await optionsOf(), {
    families: [4, 6],
    configurationFile: '/etc/isakmpd/isakmpd.conf',
    foreground: 0,
    fifo: '/var/run/isakmpd.fifo',
    pidFile: '/var/run/isakmpd.pid',
    resultFile: '/var/run/isakmpd.result',
    reportFile: '/var/run/isakmpd.report',
    captureFile: undefined,
    captureFormat: 'pcap',
    acquireOnly: false,
    debug: [],
    startsPassive: false,
    checkOnly: false,
    logFormat: 'text',
    runDirectory: '/var/run',
    port: 500,
    encapsulationPort: 4500,
    policy: true,
    kernel: true,
    allowsUserland: false,
    verbose: false,
    workers: undefined,
  });
});

test('every option that works sets its field', async () => {
  const options = await optionsOf(
    '-4nKdv',
    '-c',
    '/x/east.conf',
    '-f/x/east.fifo',
    '-i',
    '/x/pid',
    '--allow-userland',
    '-N0x1194',
    '-p',
    '02000',
    '--run-dir=/x',
    '--workers',
    '3',
  );
  assert.deepEqual(options, {
    families: [4],
    configurationFile: '/x/east.conf',
    foreground: 1,
    fifo: '/x/east.fifo',
    pidFile: '/x/pid',
    resultFile: '/x/isakmpd.result',
    reportFile: '/x/isakmpd.report',
    captureFile: undefined,
    captureFormat: 'pcap',
    acquireOnly: false,
    debug: [],
    startsPassive: false,
    checkOnly: false,
    logFormat: 'text',
    runDirectory: '/x',
    port: 1024,
    encapsulationPort: 4500,
    policy: false,
    kernel: false,
    allowsUserland: true,
    verbose: true,
    workers: 3,
  });
});

test('-T: there is no port for encapsulated IKE', async () => {
  assert.equal((await optionsOf('-T', '-N', '4600')).encapsulationPort, undefined);
});

test('-4 and -6 together are both', async () => {
  assert.deepEqual((await optionsOf('-46')).families, [4, 6]);
  assert.deepEqual((await optionsOf('-6')).families, [6]);
});

test('-d is counted, of other repeated options the last counts', async () => {
  const options = await optionsOf('-dd', '-ca', '-cb');
  assert.equal(options.foreground, 2);
  assert.equal(options.configurationFile, join(process.cwd(), 'b'));
});

test('every -D counts, in the order given', async () => {
  assert.deepEqual((await optionsOf('-DA=99', '-D', '3=0', '-dD6=1')).debug, ['A=99', '3=0', '6=1']);
});

test('-f - is standard input', async () => {
  assert.equal((await optionsOf('-f', '-')).fifo, undefined);
});

test('--run-dir moves every run-time file that has no option of its own', async () => {
  const { fifo, pidFile, resultFile } = await optionsOf('--run-dir', '/x');
  assert.deepEqual([fifo, pidFile, resultFile], ['/x/isakmpd.fifo', '/x/isakmpd.pid', '/x/isakmpd.result']);
});

test('fifo-clients singlehost-setup: relative paths are relative to where the daemon is started', async () => {
  const { configurationFile, fifo } = await optionsOf('-c', 'east.conf', '-f', 'east.fifo');
  assert.deepEqual([configurationFile, fifo], [join(process.cwd(), 'east.conf'), join(process.cwd(), 'east.fifo')]);
});

test('--capture-format: either format can be written out, and has a file name of its own', async () => {
  for (const format of ['pcap', 'pcapng']) {
    const { captureFormat, captureFile } = await optionsOf('--capture-format', format, '-L');
    assert.deepEqual([captureFormat, captureFile], [format, `/var/run/isakmpd.${format}`]);
  }
  assert.equal((await optionsOf('--capture-format', 'pcapng', '-l', '/x/y')).captureFile, '/x/y');
  assert.equal(await refusalOf('--capture-format', 'snoop'), 'isakmpd: --capture-format: pcap or pcapng');
});

test('unknown options and operands are answered by the usage', async () => {
  assert.match(await refusalOf('-Z'), /^isakmpd: unknown option: -Z\nusage: isakmpd \[-46adKLnSTv\]/);
  assert.match(await refusalOf('start'), /^isakmpd: .*operands\nusage: /);
});

test('ports that the daemon may not have are refused at once', async () => {
  assert.equal(await refusalOf('-p', '53'), 'isakmpd: -p: port 53 is neither 500 nor 1024 or above');
  assert.match(await refusalOf('-N', 'no-such-service'), /^isakmpd: -N: "no-such-service" is neither/);
  assert.match(await refusalOf('-p', '4500'), /^isakmpd: -p and -N name the same port 4500$/);
});

for (const count of ['0', '129', '1.5', 'x', '-1']) {
  test(`--workers ${count} is refused`, async () => {
    assert.match(await refusalOf('--workers', count), /^isakmpd: --workers: a number from 1 to 128/);
  });
}

test('help names every option, version is the one of the package', async () => {
  const help = await parse('--help');
  assert.equal(help.kind, 'print');
  assert.match(help.kind === 'print' ? help.text : '', /-c .*config-file[\s\S]*--run-dir[\s\S]*--version/);
  assert.deepEqual(await parse('--version'), { kind: 'print', text: '1.2.3' });
});
