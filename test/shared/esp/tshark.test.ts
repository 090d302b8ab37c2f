/** tshark as the judge of our packets: it decrypts them with the same keys and checks their ICVs. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createSealer } from '../../../src/shared/esp/create-transform.ts';
import { pooledFill } from '../../../src/shared/esp/iv-pool.ts';
import { sealedSize, sealPacket } from '../../../src/shared/esp/packet.ts';
import { ESP_SUITES, isAvailable, type NamedSuite } from '../../helpers/esp-suites.ts';
import { ipPacket } from '../../helpers/ip-packets.ts';
import { espOnWire, rawCapture } from '../../helpers/pcap.ts';
import { Prng } from '../../helpers/prng.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

interface Judged {
  readonly named: NamedSuite;
  readonly spi: number;
  readonly packet: Uint8Array;
  readonly association: string;
  readonly payload: string;
}

/** Outer and inner families mixed. */
const ENDS = {
  4: { outer: ['192.0.2.1', '192.0.2.2'], inner: ['10.1.0.1', '10.2.0.1'] },
  6: { outer: ['2001:db8::1', '2001:db8::2'], inner: ['fd00:1::1', 'fd00:2::1'] },
} as const;

const judged = (named: NamedSuite, index: number): Judged => {
  const { suite, tshark } = named;
  const prng = new Prng(index);
  const [key, authentication] = [prng.bytes(suite.keySize + suite.saltSize), prng.bytes(suite.hmacKeySize)];
  const [outer, inner] = [index % 2 === 0 ? 4 : 6, index % 4 < 2 ? 4 : 6] as const;
  const [source, destination] = ENDS[outer].outer;
  const [innerSource, innerDestination] = ENDS[inner].inner;
  const payload = prng.bytes(40 + index);
  const text = ipPacket({ source: innerSource, destination: innerDestination, payload });
  const esp = new Uint8Array(sealedSize(suite, text.length));
  sealPacket(
    suite,
    createSealer(suite, key, authentication, pooledFill(randomFillSync)),
    0x1000 + index,
    1,
    text,
    esp,
    0,
  );
  const keyText = (bytes: Uint8Array): string => (bytes.length === 0 ? '' : `0x${hex(bytes)}`);
  const row = [`IPv${outer}`, source, destination, `0x${(0x1000 + index).toString(16)}`];
  const fields = [...row, tshark[0], keyText(key), tshark[1], keyText(authentication), '32-bit', ''];
  const association = fields.map((field) => `"${field}"`).join(',');
  return {
    named,
    spi: 0x1000 + index,
    packet: espOnWire(source, destination, esp),
    association,
    payload: hex(payload),
  };
};

const hasTshark = spawnSync('tshark', ['--version']).status === 0;

describe('our ESP packets, read by tshark', () => {
  it('are decrypted and authentic, whatever the suite and the families', {
    skip: hasTshark ? false : 'no tshark',
  }, () => {
    // tshark knows no GMAC, and Blowfish with 128 bits only.
    const known = ESP_SUITES.filter(({ suite, keyLength }) => suite.mode !== 'gmac' && keyLength !== 448);
    const all = known.filter(isAvailable).map(judged);
    const folder = mkdtempSync(join(tmpdir(), 'esp-tshark-'));
    try {
      const file = join(folder, 'esp.pcap');
      writeFileSync(file, rawCapture(all.map(({ packet }) => packet)));
      const options = ['esp.enable_encryption_decode:TRUE', 'esp.enable_authentication_check:TRUE'];
      const tables = all.map(({ association }) => `uat:esp_sa:${association}`);
      const fields = ['esp.spi', 'esp.icv_good', 'udp.payload'].flatMap((field) => ['-e', field]);
      const output = execFileSync(
        'tshark',
        ['-r', file, ...[...options, ...tables].flatMap((option) => ['-o', option]), '-T', 'fields', ...fields],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, HOME: folder } },
      );
      const seen = output.trimEnd().split('\n');
      assert.equal(seen.length, all.length);
      all.forEach(({ named, spi, payload }, index) => {
        const icv = named.suite.icvSize === 0 ? '' : '1';
        assert.equal(seen[index], `0x${spi.toString(16).padStart(8, '0')}\t${icv}\t${payload}`, named.name);
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
