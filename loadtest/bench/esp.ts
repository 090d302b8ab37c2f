/**
 * `npm run bench:esp`: CPU microseconds to seal and to open one ESP packet, without any I/O. Argument: bytes of the inner packet (1400).
 */
import { randomBytes, randomFillSync } from 'node:crypto';
import { AuthenticationAlgorithm, EspTransform } from '../../src/shared/constants/ipsec-doi.ts';
import { createOpener, createSealer } from '../../src/shared/esp/create-transform.ts';
import { pooledFill } from '../../src/shared/esp/iv-pool.ts';
import { OpenedPacket, openPacket, sealedSize, sealPacket } from '../../src/shared/esp/packet.ts';
import { espSuite } from '../../src/shared/esp/suite.ts';

const PACKETS = 200_000;
const size = Number(process.argv[2] ?? '1400');

const SUITES = [
  ['AES-GCM-128', EspTransform.AES_GCM_16, 128, 0],
  ['AES-CBC-128 HMAC-SHA1-96', EspTransform.AES, 128, AuthenticationAlgorithm.HMAC_SHA],
  ['AES-CBC-256 HMAC-SHA2-256-128', EspTransform.AES, 256, AuthenticationAlgorithm.HMAC_SHA2_256],
  ['AES-CTR-128 HMAC-SHA1-96', EspTransform.AES_CTR, 128, AuthenticationAlgorithm.HMAC_SHA],
  ['3DES HMAC-SHA1-96', EspTransform['3DES'], 0, AuthenticationAlgorithm.HMAC_SHA],
] as const;

/** CPU us of one call. */
const measure = (work: (index: number) => void): number => {
  for (let i = 1; i <= 5000; i++) work(i);
  const before = process.cpuUsage();
  for (let i = 1; i <= PACKETS; i++) work(i);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / PACKETS;
};

for (const [name, transform, keyLength, authentication] of SUITES) {
  const suite = espSuite(transform, keyLength, authentication, false);
  if (suite === undefined) continue;
  const [key, authenticationKey] = [randomBytes(suite.keySize + suite.saltSize), randomBytes(suite.hmacKeySize)];
  const sealer = createSealer(suite, key, authenticationKey, pooledFill(randomFillSync));
  const opener = createOpener(suite, key, authenticationKey);
  const text = randomBytes(size);
  text[0] = 0x45;
  const slab = new Uint8Array(sealedSize(suite, size));
  const seal = measure((sequence) => sealPacket(suite, sealer, 1, sequence, text, slab, 0));
  const sealed = slab.slice();
  const opened = new OpenedPacket();
  const open = measure(() => {
    slab.set(sealed);
    openPacket(suite, opener, slab, 0, sealed.length, opened);
  });
  console.log(`${name}, ${size} bytes: seal ${seal.toFixed(1)} us, open ${open.toFixed(1)} us`);
}
