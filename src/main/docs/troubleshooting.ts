/** docs/troubleshooting.md from the event registry: each log line, why it is there, and what can be done. */

import type { EventRow, EventTable } from '../../shared/log/events/row.ts';
import { EVENT_SECTIONS } from '../../shared/log/events.ts';

export const troubleshootingPage = (): string =>
  [HEAD, ...EVENT_SECTIONS.map(({ title, events }) => section(title, events))].join('\n');

const HEAD = `<!-- Written by \`npm run docs\` from src/shared/log/events: edit the tables there. -->
# Troubleshooting

Every line that the daemon logs, with cause and cure. \`{name}\` stands for whatever changes. Lines of the original isakmpd are kept to the byte; where a
negotiation is refused, a line of our own follows that explains it: start there. The event is the name of the line in the JSON format. Events marked
*rationed* can be caused by packets of anybody and are printed 200 at once, then 20 a second; a line says how many were held back.

To find a line, search this page for its fixed words.
`;

const section = (title: string, events: EventTable): string =>
  [`## ${title}\n`, ...Object.entries(events).map(([name, row]) => eventText(name, row))].join('\n');

const eventText = (name: string, { severity, byPeer, lines }: EventRow): string => {
  const rows = Object.entries(lines).map(
    ([line, { cause, cure }]) => `| ${code(line)} | ${cell(cause)} | ${cell(cure)} |`,
  );
  return [
    `### ${name}\n`,
    `${SEVERITY[severity]}${byPeer ? ', rationed' : ''}\n`,
    '| line | cause | cure |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
};

const SEVERITY: Readonly<Record<EventRow['severity'], string>> = {
  fatal: 'Fatal',
  error: 'Error',
  notice: 'Always',
  verbose: 'With -v',
  debug: 'Debug class',
  report: 'Report',
};

const code = (line: string): string => (line.includes('`') ? `\`\` ${cell(line)} \`\`` : `\`${cell(line)}\``);
const cell = (text: string): string => text.replaceAll('|', '\\|');
