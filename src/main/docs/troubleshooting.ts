/** docs/troubleshooting.md from the event registry: each log line, why it is there, and what can be done. */

import type { EventRow, EventTable } from '../../shared/log/events/row.ts';
import { EVENT_SECTIONS } from '../../shared/log/events.ts';

export const troubleshootingPage = (): string =>
  [HEAD, ...EVENT_SECTIONS.map(({ title, events }) => section(title, events))].join('\n');

const HEAD = `<!-- Written by \`npm run docs\` from src/shared/log/events: edit the tables there. -->
# Troubleshooting

Every line that the daemon logs, with cause and cure. \`{name}\` stands for whatever changes. Lines of the original isakmpd are kept to the byte.

## Where to begin

Look for the line that explains, on both sides if you can. It begins with what happened:

| the line begins with | it means |
|---|---|
| \`phase 1 refused\`, \`quick mode refused\`, \`message refused\` | we do not accept what the peer sent; the line says what would make us |
| \`phase 1 refused by\`, \`quick mode refused by\` | the peer does not accept what we sent; the line says what its answer usually means |
| \`phase 1 failed\`, \`quick mode failed\` | a negotiation that we began has ended without result; the line says after which message, what waits for it, and when it is tried again |
| \`phase 1 abandoned\`, \`quick mode abandoned\` | a negotiation that the peer began has ended without result |
| \`phase 1 dropped\`, \`quick mode dropped\` | there was no time or memory for it |

Then comes whom it is about, always in this order, as far as it is known: \`peer SECTION (connection SECTION, ADDRESS, its ID ..., our ID ..., cookies INITIATOR:RESPONDER, message id ...)\`,
then why, and after a semicolon what can be done. The lines of isakmpd stand before it.

The event is the name of the line in the JSON format. Events marked *rationed* can be caused by packets of anybody and are printed 200 at once, then 20 a second; a line
says how many were held back.
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
