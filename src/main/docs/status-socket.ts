/** docs/status-socket.md from the schemas of the status socket: what can be asked, and what comes back. */
import { z } from 'zod';
import { saListing } from '../../shared/report/sa-list.ts';
import { saStatusOf } from '../../shared/report/sa-status.ts';
import {
  certificateItem,
  connectionItem,
  laneItem,
  peerItem,
  saStatus,
  sectionItem,
  statusAnswer,
  statusEvent,
  statusRequest,
} from '../../shared/report/status-schema.ts';
import { SAMPLE_ROWS } from './sample-rows.ts';

export const statusSocketPage = (): string =>
  [
    HEAD,
    '## Requests\n',
    table(
      ['request', 'fields', 'what for'],
      statusRequest.options.map((option) => [
        `\`${option.shape.request.value}\``,
        fieldsOf(option, 'request'),
        option.description ?? '',
      ]),
    ),
    '\n## Answers\n',
    table(
      ['answer', 'fields', ''],
      statusAnswer.options.map((option) => [
        `\`${option.shape.answer.value}\``,
        fieldsOf(option, 'answer'),
        option.description ?? '',
      ]),
    ),
    ...[
      ['An entry of `sas`', saStatus],
      ['An entry of `connections`', connectionItem],
      ['An entry of `peers`', peerItem],
      ['An entry of `lanes`', laneItem],
      ['An entry of `certificates`', certificateItem],
      ['An entry of `configuration`', sectionItem],
    ].flatMap(([title, schema]) =>
      typeof title === 'string' && schema instanceof z.ZodObject
        ? [`\n### ${title}\n`, table(['field', 'type', 'meaning'], propertiesOf(schema).map(row))]
        : [],
    ),
    '\n## Events\n',
    'Each has `answer` (`event`), `at` and `event`, and:\n',
    table(
      ['event', 'fields', 'when'],
      statusEvent.options.map((option) => [
        `\`${option.shape.event.value}\``,
        fieldsOf(option, 'answer', 'at', 'event'),
        option.description ?? '',
      ]),
    ),
    '',
    TAIL,
  ].join('\n');

interface Property {
  readonly name: string;
  readonly isOptional: boolean;
  readonly type: string;
  readonly meaning: string;
}

const propertiesOf = (schema: z.ZodObject): readonly Property[] => {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { target: 'draft-2020-12' });
  return Object.entries(properties).map(([name, property]) => {
    const facts = typeof property === 'object' ? property : {};
    return { name, isOptional: !required.includes(name), type: typeOf(facts), meaning: facts.description ?? '' };
  });
};

const fieldsOf = (schema: z.ZodObject, ...known: readonly string[]): string =>
  propertiesOf(schema)
    .filter(({ name }) => !known.includes(name))
    .map(({ name, isOptional, type: whole, meaning }) => {
      const type = whole.startsWith('list of {') ? 'list, see below' : whole;
      const note = [isOptional ? 'optional' : '', type, meaning].filter((text) => text !== '').join(', ');
      return `\`${name}\` (${note})`;
    })
    .join('; ');

const row = ({ name, type, meaning }: Property): readonly string[] => [`\`${name}\``, type, meaning];

type Facts = z.core.JSONSchema.BaseSchema;

const typeOf = (facts: Facts): string => {
  if (facts.anyOf !== undefined) return facts.anyOf.map(typeOf).join(' or ');
  if (facts.enum !== undefined) return facts.enum.map((value) => `\`${value}\``).join(', ');
  if (facts.const !== undefined) return `\`${facts.const}\``;
  if (facts.type === 'array' && typeof facts.items === 'object' && !Array.isArray(facts.items)) {
    return `list of ${typeOf(facts.items)}`;
  }
  if (facts.type === 'object' && facts.properties !== undefined) {
    return `{ ${Object.entries(facts.properties)
      .map(([name, property]) => `${name}: ${typeof property === 'object' ? typeOf(property) : ''}`)
      .join('; ')} }`;
  }
  return Array.isArray(facts.type) ? facts.type.join(' or ') : (facts.type ?? 'any');
};

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n');

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** Both are made a second after the SAs, on a clock that began with 2026. */
const SAMPLE_LISTING = SAMPLE_ROWS.map((sa) => saListing(sa, 2000)).join('');
const SAMPLE_SAS = SAMPLE_ROWS.map((sa) => saStatusOf(sa, (at) => new Date(Date.UTC(2026, 0) + at).toISOString()));

const HEAD = `<!-- Written by \`npm run docs\` from src/shared/report/status-schema.ts and src/main/docs/status-socket.ts. -->
# The status socket

\`isakmpd.sock\` in the run directory is the machine-readable twin of the FIFO: a Unix stream socket (mode 0600) that takes one JSON object a line and answers each
with one line of JSON. It only tells; nothing can be changed through it.

    echo '{"request":"status"}' | socat -t 5 - UNIX-CONNECT:/var/run/isakmpd.sock
    echo '{"request":"connections"}' | nc -N -U /var/run/isakmpd.sock | jq '.connections[] | select(.state != "up") | {name, state, lastFailure}'
    (echo '{"request":"subscribe"}'; cat) | nc -U /var/run/isakmpd.sock

Requests are answered in their order. A list of thousands comes as one line too, made as fast as it is read. A request has at most 4096 bytes, 64 clients may be
connected; who closes his end for writing has the rest of his answers and then the end. A subscriber that lets more than 1000 events wait is dropped; its last line says so. Times are those of the wall clock as it goes when the answer is made. What peers
send, and characters that a terminal would act on, are escaped. No answer holds a secret.
`;

const TAIL = `## Beside \`S\`

The same two SAs as \`S\` lists them:

\`\`\`
${SAMPLE_LISTING}\`\`\`

and as \`{"request":"sas"}\` does (one line there):

\`\`\`json
${JSON.stringify({ answer: 'sas', sas: SAMPLE_SAS }, undefined, 2)}
\`\`\`
`;
