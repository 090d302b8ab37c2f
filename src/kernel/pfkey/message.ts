/** A whole PF_KEY message, RFC 2367 §2.3: to bytes and back. Pure: who sends it and what it answers is known in conversation.ts. */
import { SystemError } from '../../shared/errors.ts';
import { PF_KEY_V2 } from './constants.ts';
import { type Extension, sizeOfExtension } from './extension.ts';
import { HOST_LITTLE_ENDIAN, readExtension } from './extension-reader.ts';
import { writeExtension } from './extension-writer.ts';

export interface Message {
  readonly type: number;
  /** 0 in requests. */
  readonly errno: number;
  readonly saType: number;
  readonly sequence: number;
  readonly pid: number;
  /** Linux puts a reference count there in answers about policies. */
  readonly reserved: number;
  /** In the order of the message; no type comes twice. */
  readonly extensions: readonly Extension[];
}

/** Throws SystemError for anything that is no well-formed message. Keys are views of `bytes`: zero those when done. */
export const parseMessage = (bytes: Uint8Array): Message => {
  const header = readHeader(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const extensions: Extension[] = [];
  const seen = new Set<number>();
  for (let at = HEADER; at < bytes.length; ) {
    // Everything so far was a multiple of 8, so an extension header is there.
    const length = view.getUint16(at, HOST_LITTLE_ENDIAN) * 8;
    const type = view.getUint16(at + 2, HOST_LITTLE_ENDIAN);
    if (length === 0 || length > bytes.length - at) {
      throw new SystemError(`PF_KEY: extension ${type} of ${length} bytes where ${bytes.length - at} are left`);
    }
    if (seen.has(type)) throw new SystemError(`PF_KEY: extension ${type} twice in a message`);
    seen.add(type);
    extensions.push(readExtension(type, bytes.subarray(at, at + length)));
    at += length;
  }
  return { ...header, extensions };
};

/** The sixteen bytes that begin a message, whatever follows. Throws SystemError where they are none. */
export const readHeader = (bytes: Uint8Array): Omit<Message, 'extensions'> => {
  if (bytes.length < HEADER || bytes.length % 8 !== 0)
    throw new SystemError(`PF_KEY: a message of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint8(0) !== PF_KEY_V2) throw new SystemError(`PF_KEY: a message of version ${view.getUint8(0)}`);
  const length = view.getUint16(4, HOST_LITTLE_ENDIAN) * 8;
  if (length !== bytes.length) throw new SystemError(`PF_KEY: ${bytes.length} bytes that say they are ${length}`);
  return {
    type: view.getUint8(1),
    errno: view.getUint8(2),
    saType: view.getUint8(3),
    reserved: view.getUint16(6, HOST_LITTLE_ENDIAN),
    sequence: view.getUint32(8, HOST_LITTLE_ENDIAN),
    pid: view.getUint32(12, HOST_LITTLE_ENDIAN),
  };
};

/** One buffer of exactly the message's size: whoever zeroes it leaves no copy of a key behind. */
export const buildMessage = (message: Message): Uint8Array => {
  const size = message.extensions.reduce((sum, extension) => sum + sizeOfExtension(extension), HEADER);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, PF_KEY_V2);
  view.setUint8(1, message.type);
  view.setUint8(2, message.errno);
  view.setUint8(3, message.saType);
  view.setUint16(4, size / 8, HOST_LITTLE_ENDIAN);
  view.setUint16(6, message.reserved, HOST_LITTLE_ENDIAN);
  view.setUint32(8, message.sequence, HOST_LITTLE_ENDIAN);
  view.setUint32(12, message.pid, HOST_LITTLE_ENDIAN);
  let at = HEADER;
  for (const extension of message.extensions) {
    const end = at + sizeOfExtension(extension);
    writeExtension(extension, bytes.subarray(at, end));
    at = end;
  }
  return bytes;
};

/** The extension of this type; undefined where the message has none. */
export const extensionOf = <T extends Extension['type']>(
  message: Pick<Message, 'extensions'>,
  type: T,
): Extract<Extension, { readonly type: T }> | undefined =>
  message.extensions.find((one): one is Extract<Extension, { readonly type: T }> => one.type === type);

/** sadb_msg. */
const HEADER = 16;
