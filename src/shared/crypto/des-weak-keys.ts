/** The sixteen keys of DES that must not be used: four weak, twelve semi-weak (NIST SP 800-67, RFC 2409 appendix A). */

/** Whether the eight bytes are one of them; the parity bits do not count. */
export const isWeakDesKey = (key: Uint8Array): boolean => WEAK_KEYS.some((weak) => sameDesKey(weak, key));

/** Whether two DES keys are the same cipher: equal but for the lowest bit of each byte, which is parity. */
export const sameDesKey = (a: Uint8Array, b: Uint8Array): boolean => {
  let difference = 0;
  for (const [at, byte] of a.entries()) difference |= byte ^ (b[at] ?? 0);
  return (difference & 0xfe) === 0;
};

/** Each half of a DES key register is all zeros, all ones or alternating in such a key: four byte pairs, in both orders. */
const WEAK_KEYS: readonly Uint8Array[] = [
  '0101010101010101',
  'fefefefefefefefe',
  'e0e0e0e0f1f1f1f1',
  '1f1f1f1f0e0e0e0e',
  '011f011f010e010e',
  '1f011f010e010e01',
  '01e001e001f101f1',
  'e001e001f101f101',
  '01fe01fe01fe01fe',
  'fe01fe01fe01fe01',
  '1fe01fe00ef10ef1',
  'e01fe01ff10ef10e',
  '1ffe1ffe0efe0efe',
  'fe1ffe1ffe0efe0e',
  'e0fee0fef1fef1fe',
  'fee0fee0fef1fef1',
].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));
