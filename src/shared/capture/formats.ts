/** The formats of --capture-format. */
import type { CapturedMessage } from './packet.ts';
import { pcapFileHeader, pcapRecord } from './pcap.ts';
import { pcapngBlock, pcapngFileHeader } from './pcapng.ts';

export interface CaptureFormat {
  /** The file in the run directory that is used where none is named. */
  readonly defaultName: string;
  /** What a file begins with. */
  readonly header: () => Uint8Array;
  /** What one message adds to it; `at` is the wall clock in microseconds. Undefined: it cannot be a packet. */
  readonly record: (message: CapturedMessage, at: number) => Uint8Array | undefined;
  /** A decryption table is written beside it. */
  readonly withKeys: boolean;
}

export const CAPTURE_FORMATS = {
  pcap: { defaultName: 'isakmpd.pcap', header: pcapFileHeader, record: pcapRecord, withKeys: false },
  pcapng: { defaultName: 'isakmpd.pcapng', header: pcapngFileHeader, record: pcapngBlock, withKeys: true },
} as const satisfies Readonly<Record<string, CaptureFormat>>;
