/** Selectors of quick mode (RFC 2407 §4.6.2) as what kernels have for them: prefixes. A range is several. */
import { addressFromBytes, compareBytes, firstOf, prefixLength } from '../address.ts';
import type { Selector } from '../flow.ts';
import { type Extent, extentOf } from './identity.ts';
import type { Identity } from './peer-policy.ts';

/** The prefixes that cover exactly the addresses of an identity, lowest first; undefined for names. At most 62 for IPv4, 254 for IPv6. */
export const prefixesOf = (identity: Identity): readonly Selector[] | undefined => {
  const extent = extentOf(identity);
  if (extent === undefined) return undefined;
  const { protocol, port } = identity;
  const length = lengthOfBlock(extent);
  if (length !== undefined) {
    return [{ address: addressFromBytes(extent.first).text, prefixLength: length, protocol, port }];
  }
  const bits = extent.first.length * 8;
  const last = numberOf(extent.last);
  const prefixes: Selector[] = [];
  for (let first = numberOf(extent.first); first <= last; ) {
    const host = hostBits(first, last, bits);
    const address = addressFromBytes(bytesOf(first, bits / 8)).text;
    prefixes.push({ address, prefixLength: bits - host, protocol, port });
    first += 1n << BigInt(host);
  }
  return prefixes;
};

/** The prefix length where the addresses are one prefix, as those of a host or subnet always are: without the arithmetic, which costs ten times as much. */
const lengthOfBlock = ({ first, last }: Extent): number | undefined => {
  const mask = new Uint8Array(first.length);
  for (let i = 0; i < mask.length; i++) mask[i] = ~((first[i] ?? 0) ^ (last[i] ?? 0));
  return compareBytes(firstOf(first, mask), first) === 0 ? prefixLength(mask) : undefined;
};

/** The size of the largest block that begins at `first` and ends within `last`, as a number of bits. */
const hostBits = (first: bigint, last: bigint, bits: number): number => {
  let host = 0;
  while (host < bits && (first & (1n << BigInt(host))) === 0n && first + (2n << BigInt(host)) - 1n <= last) host++;
  return host;
};

const numberOf = (bytes: Uint8Array): bigint => bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);

const bytesOf = (number: bigint, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => Number((number >> BigInt(8 * (size - 1 - i))) & 0xffn));
