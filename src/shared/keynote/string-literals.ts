/** String literals, RFC 2704 section 4.3.1. */

/** The string that is written `written` between its quotes. */
export const literalValue = (written: string): string =>
  written.includes('\\') ? written.replaceAll(ESCAPE, unescaped) : written;

/** As a literal without its quotes: on one line, printable, and read back as the same string. */
export const writtenLiteral = (value: string): string =>
  value.replaceAll(/[^ !#-[\]-~]/g, (character) => SHORT_ESCAPES.get(character) ?? octal(character));

// A backslash takes away a line's end with all white space behind it; \ooo is a byte but never NUL; any other character stands for itself.
const ESCAPE = /\\(?:(\r?\n[ \t\n\r\v\f]*)|(0[0-7]{1,2}|[1-3][0-7]{2})|([\s\S]))/g;

const unescaped = (_: string, lineEnd: string | undefined, digits: string | undefined, character = ''): string => {
  if (lineEnd !== undefined) return '';
  if (digits === undefined) return NAMED_ESCAPES.get(character) ?? character;
  const code = Number.parseInt(digits, 8);
  return code === 0 ? digits : String.fromCharCode(code);
};

const NAMED_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['f', '\f'],
]);

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\f', '\\f'],
  ['"', '\\"'],
  ['\\', '\\\\'],
]);

const octal = (character: string): string => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`;
