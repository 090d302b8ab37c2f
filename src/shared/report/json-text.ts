/** JSON for a terminal: whatever peers and configuration put into it, it is one line of harmless characters. */

/** The text without newline. Control and format characters (bidirectional marks included) in strings are escaped. */
export const jsonText = (value: unknown): string => JSON.stringify(value).replace(UNPRINTABLE, escaped);

const escaped = (characters: string): string =>
  Array.from(
    { length: characters.length },
    (_, i) => `\\u${characters.charCodeAt(i).toString(16).padStart(4, '0')}`,
  ).join('');

const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
