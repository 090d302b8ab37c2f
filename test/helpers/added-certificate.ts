/** A peer that sends certificates which our own daemon would not. */
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import type { LanePair } from './lane-pair.ts';

/** The left side's last message in the clear with a CERT payload of our own in front. */
export const withCertificate =
  (world: LanePair, certificateData: Uint8Array, encoding = 4): LanePair['bend'] =>
  (from, bytes, index) => {
    const last = world.left.policy.exchangeType === ExchangeType.AGGRESSIVE ? 0 : 2;
    if (from !== world.left || index !== last) return [bytes];
    const cert = Buffer.concat([Buffer.from([bytes[16] ?? 0, 0, 0, 0, encoding]), certificateData]);
    cert.writeUInt16BE(cert.length, 2);
    const changed = Buffer.concat([bytes.subarray(0, 28), cert, bytes.subarray(28)]);
    changed[16] = 6;
    changed.writeUInt32BE(changed.length, 24);
    return [changed];
  };
