/** Recording the wire of a scenario, and throwing away what was sent twice. */
import { readFileSync, writeFileSync } from 'node:fs';
import { SystemError } from '../../src/shared/errors.ts';
import { CABLE, inside } from './namespaces.ts';
import { Service, textOf, until } from './processes.ts';

interface Capture {
  /** Ends the recording; the path of the file. */
  stop(): Promise<string>;
}

/** Records the cable of a namespace: UDP, or what the words say. Every packet is in the file at once, so stopping loses none. */
export const startCapture = async (
  namespace: string,
  path: string,
  words: readonly string[] = ['udp'],
): Promise<Capture> => {
  const tcpdump = ['tcpdump', '--immediate-mode', '-U', '-Z', 'root', '-i', CABLE, '-w', path, ...words];
  const log = `${path}.log`;
  const service = new Service('tcpdump', log, inside(namespace, tcpdump));
  await until(
    () => `tcpdump does not listen: ${textOf(log)}`,
    10,
    () => textOf(log).includes('listening on'),
  );
  return {
    stop: async () => {
      await service.stop('SIGINT');
      return path;
    },
  };
};

/**
 * Copies a capture without the datagrams that repeat an earlier one byte for byte. tshark decrypts a message with the
 * last block of the one before, so it calls every repetition of an encrypted message malformed.
 */
export const withoutRepetitions = (from: string, to: string): void => {
  const bytes = readFileSync(from);
  const seen = new Set<string>();
  const kept = recordsOf(bytes).filter((record) => {
    const datagram = keyOf(record.subarray(RECORD_HEADER));
    const isNew = !seen.has(datagram);
    seen.add(datagram);
    return isNew;
  });
  writeFileSync(to, Buffer.concat([bytes.subarray(0, FILE_HEADER), ...kept]));
};

const recordsOf = (bytes: Buffer): readonly Buffer[] => {
  if (bytes.length < FILE_HEADER || bytes.readUInt32LE(0) !== MAGIC)
    throw new SystemError('not a pcap file of this machine');
  const records: Buffer[] = [];
  let offset = FILE_HEADER;
  while (offset + RECORD_HEADER <= bytes.length) {
    const end = offset + RECORD_HEADER + bytes.readUInt32LE(offset + 8);
    records.push(bytes.subarray(offset, end));
    offset = end;
  }
  return records;
};

/** Source and UDP payload of an Ethernet frame: the IPv4 header differs in its identification each time. */
const keyOf = (frame: Buffer): string => {
  const isV4 = frame.readUInt16BE(12) === 0x0800;
  const source = isV4 ? frame.subarray(26, 30) : frame.subarray(22, 38);
  const udp = ETHERNET_HEADER + (isV4 ? ((frame[ETHERNET_HEADER] ?? 0) & 15) * 4 : 40);
  return `${source.toString('hex')}-${frame.subarray(udp + 8).toString('hex')}`;
};

const MAGIC = 0xa1b2c3d4;
const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const ETHERNET_HEADER = 14;
