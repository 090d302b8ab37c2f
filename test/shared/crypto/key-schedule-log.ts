/** Reads the key schedule out of a debug log of the original isakmpd (-D A=99): labelled blocks of hex words. */

/** One labelled block, in the order of the log: 'post_quick_mode: KEYMAT' and its bytes. */
export interface LogBlock {
  readonly label: string;
  readonly bytes: Uint8Array;
}

/**
 * A block is a line that ends in a colon, then lines of hex words. Messages repeat their label on each line
 * ('message_send: 56a78657 ...'); these lines are one block too, called by that label.
 */
export const readKeyScheduleLog = (log: string): readonly LogBlock[] => {
  const blocks: { readonly label: string; hex: string }[] = [];
  let open = false;
  for (const line of log.split('\n')) {
    const text = line.replace(PREFIX, '');
    const message = MESSAGE_LINE.exec(text);
    const last = blocks.at(-1);
    if (message !== null) {
      const [, label = '', words = ''] = message;
      if (open && last?.label === label) last.hex += words.replaceAll(' ', '');
      else blocks.push({ label, hex: words.replaceAll(' ', '') });
      open = true;
    } else if (HEX_LINE.test(text)) {
      if (open && last !== undefined) last.hex += text.replaceAll(' ', '');
    } else {
      open = text.endsWith(':');
      if (open) blocks.push({ label: text.slice(0, -1), hex: '' });
    }
  }
  return blocks
    .filter(({ hex }) => hex.length > 0)
    .map(({ label, hex }) => ({ label, bytes: new Uint8Array(Buffer.from(hex, 'hex')) }));
};

/** '080135.137752 Negt 80 ' */
const PREFIX = /^\d{6}\.\d{6} \w+ +\d* ?/;
const HEX_LINE = /^([0-9a-f]{2,8} ?)+$/;
const MESSAGE_LINE = /^(message_(?:send|recv)): ((?:[0-9a-f]{2,8} ?)+)$/;
