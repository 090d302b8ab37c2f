/** Messages that ip(8) exchanged with a kernel, from the shared folder. */
import { readFileSync } from 'node:fs';
import { sharedPath } from './shared-folder.ts';

const path = sharedPath('vectors', 'xfrm', 'messages.txt');
const lines = path === undefined ? [] : readFileSync(path, 'utf8').split('\n');

/** Options of tests that need them. */
export const NEEDS_VECTORS = { skip: path === undefined ? 'there is no ../shared/vectors/xfrm' : false };

/** What was sent for the command that begins like this, without sequence number. */
export const sentFor = (command: string): string => {
  const hex = hexOf(lineAfter(`### ip xfrm ${command}`, 'SEND'));
  return `${hex.slice(0, 16)}00000000${hex.slice(24)}`;
};

/** What the kernel answered. */
export const answerTo = (command: string): Uint8Array => bytesOf(lineAfter(`### ip xfrm ${command}`, 'RECV'));

/** What the kernel said unasked: the messages of this type, in order. */
export const broadcasts = (type: number): readonly Uint8Array[] =>
  lines.filter((line) => line.startsWith(`recv type 0x${type.toString(16)} `)).map(bytesOf);

const lineAfter = (title: string, direction: string): string => {
  const at = lines.findIndex((line) => line.startsWith(title));
  return lines.slice(at + 1).find((line) => line.startsWith(direction)) ?? '';
};

const hexOf = (line: string): string => line.split(' ').at(-1) ?? '';

const bytesOf = (line: string): Uint8Array => new Uint8Array(Buffer.from(hexOf(line), 'hex'));
