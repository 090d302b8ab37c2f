/**
 * isakmpd.conf(5): text into entries. Reads what the original reads, and besides that comments and blanks where it does not
 * expect them; whatever it had to forgive or leave out is a problem with its line.
 */
import { atOnce, type Steps } from '../steps.ts';
import { fold } from './case-fold.ts';

/** One `tag=value` of the file. `line` counts from 1, where the entry begins. The keys are the names folded, once for all who look something up. */
export interface Entry {
  readonly section: string;
  readonly sectionKey: string;
  readonly tag: string;
  readonly tagKey: string;
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
export const parseConfiguration = (text: string): Parsed => atOnce(parseInSteps(text));

/** The same in steps. */
export function* parseInSteps(text: string): Steps<Parsed> {
  const reading: Reading = { entries: [], problems: [], section: 'none', tags: new Map() };
  let content = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  if (content.includes('\r\n')) {
    warn(reading, 1, 'lines end in CR LF: the CR is left out');
    content = content.replaceAll('\r\n', '\n');
  }
  let number = 0;
  // Lines before this one that it continues.
  let before = '';
  let continued = 0;
  for (let start = 0; start < content.length; ) {
    number++;
    const end = lineEnd(content, start);
    // A backslash right before the newline: both become blanks and the line goes on.
    if (content[end - 1] === '\\' && end < content.length - 1) {
      before += `${content.slice(start, end - 1)}  `;
      continued++;
    } else {
      readLine(reading, number - continued, before + content.slice(start, end), continued > 0);
      before = '';
      continued = 0;
    }
    start = end + 1;
    if (number % LINES_A_STEP === 0) yield;
  }
  if (content !== '' && !content.endsWith('\n')) {
    warn(reading, number, 'the last line does not end with a newline; it is read all the same');
  }
  return { entries: reading.entries, problems: reading.problems };
}

const LINES_A_STEP = 500;

interface Reading {
  readonly entries: Entry[];
  readonly problems: Problem[];
  /** The section we are in; 'none' before the first, 'broken' after a header that could not be read. */
  section: { readonly name: string; readonly key: string } | 'none' | 'broken';
  /** By what stands before the =: a file has few different tags. */
  readonly tags: Map<string, TagText>;
}

interface TagText {
  /** '' where there is none. */
  readonly name: string;
  readonly key: string;
  /** More than one word. */
  readonly hasMore: boolean;
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

const lineEnd = (content: string, start: number): number => {
  const newline = content.indexOf('\n', start);
  return newline < 0 ? content.length : newline;
};

const readLine = (reading: Reading, number: number, text: string, continued: boolean): void => {
  const content = text.trim();
  if (content === '') return;
  const indented = text[0] !== content[0];
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
  reading.section = { name, key: fold(name) };
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
  const { name: tag, key: tagKey, hasMore } = tagText(reading, content.slice(0, equals));
  if (tag === '') {
    complainOfSyntax(reading, line, 'no tag before the =');
    return;
  }
  if (hasMore) warn(reading, line, `a tag is one word: what stands between ${tag} and = is ignored`);
  if (indented) warn(reading, line, `${tag} is expected to begin in the first column`);
  const value = content.slice(equals + 1).trim();
  if (looksCommented(value)) {
    warn(reading, line, `the # or ; after the value of ${tag} begins no comment, it belongs to the value`);
  }
  reading.entries.push({ section: section.name, sectionKey: section.key, tag, tagKey, value, line });
};

const tagText = ({ tags }: Reading, text: string): TagText => {
  const known = tags.get(text);
  if (known !== undefined) return known;
  const [name = '', ...more] = text.trim().split(/[ \t]+/, 2);
  const made = { name, key: fold(name), hasMore: more.length > 0 };
  tags.set(text, made);
  return made;
};

const looksCommented = (value: string): boolean => (value.includes('#') || value.includes(';')) && /\s[#;]/.test(value);

const BYTE_ORDER_MARK = '\ufeff';
