/** The foreign captures as typed records: JSON decodes of captures, and pcap files of link type 108. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex } from './wire-bytes.ts';

export interface CapturedPayload {
  readonly type: number;
  readonly length: number;
  readonly bodyHex: string;
}

/** One datagram; `iv`, `plaintext` (padding included) and `padding` where the capture's keys open it. */
export interface CapturedPacket {
  readonly frame: number;
  readonly udpPayload: string;
  readonly header: {
    readonly icookie: string;
    readonly rcookie: string;
    readonly nextPayload: number;
    readonly version: number;
    readonly exchange: number;
    readonly flags: number;
    readonly messageId: string;
    readonly length: number;
  };
  readonly payloads?: readonly CapturedPayload[];
  readonly encrypted?: boolean;
  readonly iv?: string;
  readonly plaintext?: string;
  readonly padding?: string;
}

export interface Capture {
  readonly name: string;
  readonly keys: readonly { readonly icookie: string; readonly encryptionKey: string; readonly cipher: string }[];
  readonly packets: readonly CapturedPacket[];
}

/** Captures of the folder that have decoded packets. */
export const captures = (folder: string): readonly Capture[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => ({ name, keys: [], packets: [], ...JSON.parse(readFileSync(join(folder, name), 'utf8')) }));

const LINK_TYPE_LOOP = 108;
const FAMILY_IPV4 = 2;

/** UDP payloads of a little-endian pcap file of link type 108 with IPv4 packets; those on port 4500 without their marker. */
export const pcapDatagrams = (path: string): readonly Uint8Array[] => {
  const file = readFileSync(path);
  if (file.readUInt32LE(0) !== 0xa1b2c3d4 || file.readUInt32LE(20) !== LINK_TYPE_LOOP) throw new RangeError(path);
  const datagrams: Uint8Array[] = [];
  for (let at = 24; at < file.length; ) {
    const size = file.readUInt32LE(at + 8);
    const record = file.subarray(at + 16, at + 16 + size);
    if (record.readUInt32BE(0) !== FAMILY_IPV4) throw new RangeError(`family at ${at} of ${path}`);
    const udp = record.subarray(4 + (record.readUInt8(4) & 0x0f) * 4);
    const onMarkedPort = udp.readUInt16BE(0) === 4500 || udp.readUInt16BE(2) === 4500;
    datagrams.push(fromHex(udp.subarray(onMarkedPort ? 12 : 8, udp.readUInt16BE(4)).toString('hex')));
    at += 16 + size;
  }
  return datagrams;
};
