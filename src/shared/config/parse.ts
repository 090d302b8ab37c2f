/**
 * isakmpd.conf(5): text into entries. Reads what the original reads, and besides that comments and blanks where it does not
 * expect them; whatever it had to forgive or leave out is a problem with its line.
 */

/** One `tag=value` of the file. `line` counts from 1, where the entry begins. */
export interface Entry {
  readonly section: string;
  readonly tag: string;
  readonly value: string;
  readonly line: number;
}

/** Something an operator should know: 'error' where text has no effect, 'warning' where it was read with good will. Line 0: no line of its own. */
export interface Problem {
  readonly line: number;
  readonly severity: 'error' | 'warning';
  readonly text: string;
  /** The original's line about it, where it has one. */
  readonly original?: string;
}

export interface Parsed {
  readonly entries: readonly Entry[];
  readonly problems: readonly Problem[];
}

/** Reads a whole file. Never throws; takes time in proportion to the text. */
export const parseConfiguration = (text: string): Parsed => {
  const reading: Reading = { entries: [], problems: [], section: 'none' };
  const content = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  if (content.includes('\r\n')) warn(reading, 1, 'lines end in CR LF: the CR is left out');
  for (const line of logicalLines(content.replaceAll('\r\n', '\n'), reading)) readLine(reading, line);
  return { entries: reading.entries, problems: reading.problems };
};

interface Reading {
  readonly entries: Entry[];
  readonly problems: Problem[];
  /** The section we are in; 'none' before the first, 'broken' after a header that could not be read. */
  section: { readonly name: string } | 'none' | 'broken';
}

interface Line {
  readonly number: number;
  readonly text: string;
  readonly continued: boolean;
}

const warn = ({ problems }: Reading, line: number, text: string): void => {
  problems.push({ line, severity: 'warning', text });
};
const complain = ({ problems }: Reading, line: number, text: string): void => {
  problems.push({ line, severity: 'error', text });
};
const complainOfSyntax = ({ problems }: Reading, line: number, text: string): void => {
  const original = `conf_parse_line: ${line}: syntax error`;
  problems.push({ line, severity: 'error', text: `syntax error: ${text}`, original });
};

/** A backslash right before the newline: both become blanks and the line goes on. */
const logicalLines = (text: string, reading: Reading): readonly Line[] => {
  const lines: Line[] = [];
  const physical = text.split('\n');
  if (physical.at(-1) === '') physical.pop();
  else if (text !== '')
    warn(reading, physical.length, 'the last line does not end with a newline; it is read all the same');
  let parts: string[] = [];
  for (const [index, line] of physical.entries()) {
    const goesOn = line.endsWith('\\') && index < physical.length - 1;
    parts.push(goesOn ? `${line.slice(0, -1)} ` : line);
    if (goesOn) continue;
    lines.push({ number: index + 2 - parts.length, text: parts.join(' '), continued: parts.length > 1 });
    parts = [];
  }
  return lines;
};

const readLine = (reading: Reading, { number, text, continued }: Line): void => {
  const content = text.trim();
  if (content === '') return;
  const indented = /^\s/.test(text);
  if (isComment(content)) {
    if (indented) warn(reading, number, 'a comment is expected to begin in the first column');
    if (continued) warn(reading, number, 'this comment ends in a backslash, so that the next line belongs to it');
    return;
  }
  if (content.startsWith('[')) {
    if (indented) warn(reading, number, 'a section is expected to begin in the first column');
    readHeader(reading, number, content);
    return;
  }
  readAssignment(reading, number, content, indented);
};

const isComment = (content: string): boolean => content.startsWith('#') || content.startsWith(';');

const readHeader = (reading: Reading, line: number, content: string): void => {
  const end = content.indexOf(']');
  const name = content.slice(1, end).trim();
  if (end < 0 || name === '') {
    const fault = end < 0 ? "unmatched '[', write [name]" : 'a section without name, write [name]';
    complain(reading, line, `${fault}: everything up to the next section is ignored`);
    reading.section = 'broken';
    return;
  }
  if (name.length !== end - 1) warn(reading, line, `blanks around a section name do not belong to it: [${name}]`);
  const rest = content.slice(end + 1).trim();
  if (rest !== '' && !isComment(rest)) warn(reading, line, `text after the ] of [${name}] is ignored`);
  reading.section = { name };
};

const readAssignment = (reading: Reading, line: number, content: string, indented: boolean): void => {
  const { section } = reading;
  const equals = content.indexOf('=');
  if (section === 'broken') return;
  if (equals < 0) {
    complainOfSyntax(reading, line, 'expected [section], tag=value, or a comment that begins with #');
    return;
  }
  if (section === 'none') {
    complain(reading, line, 'the line belongs to no section and is ignored: write the [section] above it');
    return;
  }
  const [tag = '', ...more] = content
    .slice(0, equals)
    .trim()
    .split(/[ \t]+/, 2);
  if (tag === '') {
    complainOfSyntax(reading, line, 'no tag before the =');
    return;
  }
  if (more.length > 0) warn(reading, line, `a tag is one word: what stands between ${tag} and = is ignored`);
  if (indented) warn(reading, line, `${tag} is expected to begin in the first column`);
  const value = content.slice(equals + 1).trim();
  if (/\s[#;]/.test(value))
    warn(reading, line, `the # or ; after the value of ${tag} begins no comment, it belongs to the value`);
  reading.entries.push({ section: section.name, tag, value, line });
};

const BYTE_ORDER_MARK = '\ufeff';
