/** What the tables of the program say, as Markdown: tables for pages, definitions for the manual. */
import { dashed, OPTIONS } from '../../shared/cli/option-table.ts';
import { GENERATED_TOKENS } from '../../shared/config/generated-names.ts';
import type { Tag } from '../../shared/config/schema.ts';
import { CONNECTION_FLAGS, PEER_FLAGS } from '../../shared/config/section-flags.ts';
import { SECTION_KINDS, type SectionKind } from '../../shared/config/sections.ts';
import { COMMAND_FORMS, parseCommand } from '../../shared/fifo/commands.ts';
import { LogClass } from '../../shared/log/classes.ts';
import { ACTION_ATTRIBUTES } from '../../shared/policy-check/attribute-table.ts';

/** Where a section of each kind comes from, in one sentence. */
const INTRODUCTIONS: Readonly<Record<keyof typeof SECTION_KINDS, string>> = {
  general: 'What concerns the whole daemon.',
  phase1: 'Which peer section answers for which address: a tag for each address, its value names the section.',
  phase2: 'Which connections there are. A connection that is in neither list is only started by the FIFO command `c`.',
  keynote: 'Where KeyNote credentials are.',
  x509: 'Where certificates and keys are.',
  peer: 'A peer: named in [Phase 1], or as the ISAKMP-peer of a connection.',
  identity:
    'An identity: named as ID, Remote-ID, Local-ID, NAT-ID or Default-phase-1-ID. In a connection it is the host or the network of one end.',
  isakmpConfiguration: 'How phase 1 is negotiated: named as the Configuration of a peer.',
  phase1Transform: 'One transform of phase 1: named in Transforms. Most are generated from their names, see below.',
  lifetime: 'A lifetime: named as Life of a transform.',
  connection: 'A connection, that is a pair of IPsec SAs: named in [Phase 2].',
  ipsecConfiguration: 'How phase 2 is negotiated: named as the Configuration of a connection.',
  suite: 'Protocols that are negotiated together: named in Suites. Most are generated from their names, see below.',
  protocol: 'One protocol of a suite: named in Protocols.',
  phase2Transform: 'One transform of phase 2: named as one of the Transforms of a protocol.',
  initiatorId:
    'A section with the name of an identity that a peer presents in aggressive mode: an address, a domain name, a mail address.',
  modeConfig: 'Addresses that are handed out to peers: named after an identity.',
};

/** The options of isakmpd(8). */
export const optionDefinitions = (): string =>
  OPTIONS.map(({ key, argument, help, isRepeatable }) => {
    const term = `\`${dashed(key)}\`${argument === undefined ? '' : ` *${argument}*`}`;
    return definition(term, `${sentence(help)}${isRepeatable ? ' May be given several times.' : ''}`);
  }).join('\n\n');

/** The numbers of the debug classes. */
export const debugClasses = (): string =>
  Object.entries(LogClass)
    .map(([name, number]) => `\`${number}\` ${name.toLowerCase()}`)
    .join(', ');

/** The commands of the FIFO. */
export const commandDefinitions = (): string =>
  COMMAND_FORMS.map(([form, help]) => definition(`\`${form}\``, help)).join('\n\n');

/** Which function of the original a complaint about each command names. */
export const complaintOrigins = (): string => {
  const origins = COMMAND_FORMS.map(([form]) => form.charAt(0)).flatMap((letter) =>
    ['', ' !'].flatMap((rest) => {
      const command = parseCommand(letter + rest);
      return command.kind === 'malformed' ? [`\`${command.text.split(':')[0]}\` (\`${letter}\`)`] : [];
    }),
  );
  return [...new Set(origins)].join(', ');
};

/** Every kind of section with its tags; `heading` is what its headings begin with. */
export const sectionDefinitions = (): string =>
  sections(({ title, introduction, tags }) =>
    [`## ${title}`, introduction, ...tags.map((tag) => definition(`\`${tag.name}\``, wholeMeaning(tag)))].join('\n\n'),
  );

/** The same with a table for each section. */
export const sectionTables = (): string =>
  sections(({ title, introduction, tags }) =>
    [
      `### ${title}\n`,
      `${introduction}\n`,
      '| tag | value | default | meaning |',
      '|---|---|---|---|',
      ...tags.map((tag) =>
        row(`\`${tag.name}\``, valuesOf(tag), tag.fallbackText ? `\`${tag.fallbackText}\`` : '', meaning(tag)),
      ),
    ].join('\n'),
  );

interface DocumentedSection {
  readonly title: string;
  readonly introduction: string;
  readonly tags: readonly Tag<unknown>[];
}

const sections = (render: (section: DocumentedSection) => string): string =>
  Object.entries<SectionKind>(SECTION_KINDS)
    .map(([kind, { title, tags, notYet }]) =>
      render({
        title: sentence(title).slice(0, -1),
        introduction: `${introductionOf(kind)}${notYet === undefined ? '' : ` Without effect for now: ${notYet}.`}`,
        tags,
      }),
    )
    .join('\n\n');

const introductionOf = (kind: string): string =>
  Object.entries(INTRODUCTIONS).find(([name]) => name === kind)?.[1] ?? '';

/** What Flags of a peer or of a connection may have. */
export const flagDefinitions = (): string =>
  [
    ...PEER_FLAGS.map((flag) => definition(`\`${flag.name}\``, `In a peer section. ${meaning(flag)}`)),
    ...CONNECTION_FLAGS.map((flag) => definition(`\`${flag.name}\``, `In a connection section. ${meaning(flag)}`)),
  ].join('\n\n');

/** The parts that names of transforms and suites are made of. */
export const generatedDefinitions = (): string =>
  [
    definition(
      'ISAKMP transforms: `CIPHER-HASH[-GRPn][-RSA_SIG]`',
      'Without GRP it is group 2, without RSA_SIG a pre-shared key.',
    ),
    definition(
      'Suites: `QM-PROTOCOL[-TRP][-CIPHER][-HASH][-PFS[-GRPn]]-SUITE`',
      'PROTOCOL is ESP or AH, TRP transport mode instead of tunnel mode, PFS perfect forward secrecy, with group 2 where no GRP follows. AH has no cipher; GCM and GMAC have no hash, because they authenticate by themselves. Without `-SUITE` it is the protocol section of the suite, with `-XF` in its place the transform.',
    ),
    definition('Ciphers of ISAKMP transforms', list(GENERATED_TOKENS.phase1Ciphers)),
    definition('Ciphers of suites', list(GENERATED_TOKENS.phase2Ciphers)),
    definition('Hashes', `${list(GENERATED_TOKENS.hashes)} RIPEMD is for suites only.`),
    definition('Groups', list(GENERATED_TOKENS.groups.map((group) => `GRP${group}`))),
  ].join('\n\n');

/** The action attributes of isakmpd.policy(5); those of one meaning in one definition. */
export const attributeDefinitions = (): string => {
  const entries = new Map<string, string[]>();
  for (const { name, doc } of ACTION_ATTRIBUTES) entries.set(doc, [...(entries.get(doc) ?? []), `\`${name}\``]);
  return [...entries].map(([doc, names]) => definition(names.join(', '), doc)).join('\n\n');
};

const list = (tokens: readonly string[]): string =>
  `${tokens.map((token) => `\`${token.toUpperCase()}\``).join(', ')}.`;

const wholeMeaning = (tag: Tag<unknown>): string =>
  `${meaning(tag)} Value: ${valuesOf(tag)}.${tag.fallbackText ? ` Default: \`${tag.fallbackText}\`.` : ''}`;

const meaning = ({ doc, notYet }: Tag<unknown>): string =>
  notYet === undefined ? doc : `${doc} Not there yet, refused: ${notYet}.`;

const valuesOf = ({ wants, unit }: Tag<unknown>): string =>
  unit === undefined || wants.includes(unit) ? wants : `${wants} (${unit})`;

const definition = (term: string, text: string): string => `${term}\n: ${text}`;
const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
const row = (...cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
