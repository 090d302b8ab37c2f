/** What tshark and tcpdump make of captures in both formats. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CAPTURE_FORMATS, type CaptureFormat } from '../../../src/shared/capture/formats.ts';
import type { CapturedMessage } from '../../../src/shared/capture/packet.ts';
import { MESSAGE, message, messagesOfAllKinds } from '../../helpers/captured-messages.ts';
import { testFolder } from '../../helpers/daemon-process.ts';
import { isMissing, outputOf } from '../../helpers/foreign-programs.ts';

const AT = 1_700_000_000_123_456;
/** What a UDP datagram over IPv4 can hold at most. */
const LARGEST_MESSAGE = 65_507;

const captureOf = (t: TestContext, format: CaptureFormat, messages: readonly CapturedMessage[]): string => {
  const file = join(testFolder(t), 'x');
  const records = messages.map((one) => format.record(one, AT) ?? assert.fail('there is no record'));
  writeFileSync(file, Buffer.concat([format.header(), ...records]));
  return file;
};

const largest = (): CapturedMessage => {
  const bytes = new Uint8Array(LARGEST_MESSAGE);
  bytes.set(MESSAGE);
  return message({ bytes });
};

for (const [name, format] of Object.entries(CAPTURE_FORMATS)) {
  test(`tshark reads times and payloads of IPv4, IPv6 and encapsulated records of ${name} and finds the checksums good`, (t) => {
    if (isMissing('tshark')) return t.skip('no tshark');
    const checks = ['-o', 'ip.check_checksum:TRUE', '-o', 'udp.check_checksum:TRUE'];
    const wanted = ['isakmp.typepayload', 'isakmp.flag_e', 'udp.checksum.status', 'frame.time_epoch'];
    const fields = ['-T', 'fields', ...wanted.flatMap((field) => ['-e', field])];
    const lines = outputOf('tshark', ['-r', captureOf(t, format, messagesOfAllKinds), ...checks, ...fields]);
    assert.deepEqual(lines.trim().split('\n'), Array(3).fill('13\t0\t1\t1700000000.123456000'));
  });

  test(`tcpdump reads the payloads of IPv4, IPv6 and encapsulated records of ${name}`, (t) => {
    if (isMissing('tcpdump')) return t.skip('no tcpdump');
    const text = outputOf('tcpdump', ['-n', '-v', '-r', captureOf(t, format, messagesOfAllKinds)]);
    assert.equal(text.match(/\(vid: len=5/g)?.length, 3, text);
    assert.doesNotMatch(text, /bad/);
  });

  test(`tcpdump reads on after the largest message there can be in ${name}`, (t) => {
    if (isMissing('tcpdump')) return t.skip('no tcpdump');
    const text = outputOf('tcpdump', ['-n', '-r', captureOf(t, format, [largest(), message()])]);
    assert.equal(text.match(/isakmp: /g)?.length, 2, text);
  });
}
