/**
 * Manual pages in man(7) from the part of Markdown that docs/man uses: headings, paragraphs, lists, definitions (a term, then lines that begin with a colon),
 * code (indented by four), `code` and *emphasis* in a line. Blocks are separated by empty lines.
 */

export interface ManualTitle {
  readonly name: string;
  readonly section: string;
  /** Year, month, day. */
  readonly date: string;
  readonly source: string;
  readonly volume: string;
}

/** The whole page; ends with a newline. */
export const manualPage = (markdown: string, title: ManualTitle): string => {
  const { name, section, date, source, volume } = title;
  const head = [name.toUpperCase(), section, date, source, volume].map((word) => `"${word}"`);
  const lines = [
    '.\\" Written by `npm run docs`: edit docs/man and the tables of the program.',
    `.TH ${head.join(' ')}`,
  ];
  let isFirst = true;
  for (const block of markdown.trim().split(/\n\s*\n/)) {
    lines.push(...blockLines(block, isFirst));
    isFirst = block.startsWith('#');
  }
  return `${lines.join('\n')}\n`;
};

/** A paragraph right below a heading has no macro of its own. */
const blockLines = (block: string, isFirst: boolean): readonly string[] => {
  const lines = block.split('\n');
  const [first = '', ...others] = lines;
  const [, marks = '', heading = ''] = /^(#+) (.*)$/.exec(first) ?? [];
  if (marks !== '') return [marks === '#' ? `.SH ${inline(heading.toUpperCase())}` : `.SS ${inline(heading)}`];
  const paragraph = isFirst ? [] : ['.PP'];
  if (lines.every((line) => line.startsWith('    '))) {
    return [...paragraph, '.RS 4', '.nf', ...lines.map((line) => guarded(escaped(line.slice(4)))), '.fi', '.RE'];
  }
  if (first.startsWith('- ')) return items(lines).flatMap((item) => ['.IP \\(bu 2', ...textLines(item)]);
  if (others[0]?.startsWith(': ')) {
    return ['.TP', guarded(inline(first)), ...textLines(others.join(' ').replace(/^: /, ''))];
  }
  return [...paragraph, ...textLines(lines.join(' '))];
};

/** Lines that begin with a dash begin an item, the others go on with it. */
const items = (lines: readonly string[]): readonly string[] =>
  lines
    .join('\n')
    .split(/^- /m)
    .slice(1)
    .map((item) => item.trim().replaceAll(/\s*\n\s*/g, ' '));

/** One sentence a line, as roff wants it to set the space between sentences. */
const textLines = (text: string): readonly string[] =>
  text
    .replaceAll(/\s+/g, ' ')
    .split(/(?<=[^.][.?!]) (?=[A-Z`*])/)
    .map((sentence) => guarded(inline(sentence)));

const inline = (text: string): string =>
  text
    .split(/(`[^`]+`|\*[^* ][^*]*\*)/)
    .map((part) => {
      if (part.length > 2 && part.startsWith('`')) return `\\fB${escaped(part.slice(1, -1))}\\fR`;
      if (part.length > 2 && /^\*[^* ]/.test(part)) return `\\fI${escaped(part.slice(1, -1))}\\fR`;
      return escaped(part);
    })
    .join('');

/** Dashes are those that one can copy into a shell. */
const escaped = (text: string): string => text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq');

/** A line of text that would be a request. */
const guarded = (line: string): string => (/^[.']/.test(line) ? `\\&${line}` : line);
