/** Every file that `npm run docs` writes. */
import { bashCompletion, zshCompletion } from './completion.ts';
import {
  attributeDefinitions,
  commandDefinitions,
  complaintOrigins,
  debugClasses,
  flagDefinitions,
  generatedDefinitions,
  optionDefinitions,
  sectionDefinitions,
  sectionTables,
} from './documented-tables.ts';
import { pkiDefinitions } from './pki-definitions.ts';
import { type ManualTitle, manualPage } from './roff.ts';
import { statusSocketPage } from './status-socket.ts';
import { troubleshootingPage } from './troubleshooting.ts';

/** Path -> text. `read` gives the text of a file below docs/man. */
export const pages = (read: (path: string) => string): ReadonlyMap<string, string> =>
  new Map([
    ['docs/troubleshooting.md', troubleshootingPage()],
    ['docs/status-socket.md', statusSocketPage()],
    ['docs/isakmpd.conf.md', filled(read('docs/man/reference.md'))],
    ['docs/man/isakmpd.8', manual(read, 'docs/man/isakmpd.8.md', ISAKMPD)],
    ['docs/man/isakmpd.conf.5', manual(read, 'docs/man/isakmpd.conf.5.md', ISAKMPD_CONF)],
    ['docs/man/isakmpd.policy.5', manual(read, 'docs/man/isakmpd.policy.5.md', ISAKMPD_POLICY)],
    ['docs/man/keynote.1', manual(read, 'docs/man/keynote.1.md', KEYNOTE)],
    ['config/completion/isakmpd.bash', bashCompletion()],
    ['config/completion/_isakmpd', zshCompletion()],
  ]);

const DATE = '2026-11-25';
const ISAKMPD: ManualTitle = {
  name: 'isakmpd',
  section: '8',
  date: DATE,
  source: 'isakmpd',
  volume: "System Manager's Manual",
};
const ISAKMPD_CONF: ManualTitle = {
  name: 'isakmpd.conf',
  section: '5',
  date: DATE,
  source: 'isakmpd',
  volume: 'File Formats Manual',
};
const ISAKMPD_POLICY: ManualTitle = { ...ISAKMPD_CONF, name: 'isakmpd.policy' };

const KEYNOTE: ManualTitle = {
  name: 'keynote',
  section: '1',
  date: DATE,
  source: 'isakmpd',
  volume: 'General Commands Manual',
};

const manual = (read: (path: string) => string, path: string, title: ManualTitle): string =>
  manualPage(filled(read(path)), title);

const PIECES: Readonly<Record<string, () => string>> = {
  options: optionDefinitions,
  commands: commandDefinitions,
  'complaint-origins': complaintOrigins,
  'debug-classes': debugClasses,
  sections: sectionDefinitions,
  'section-tables': sectionTables,
  flags: flagDefinitions,
  generated: generatedDefinitions,
  pki: pkiDefinitions,
  attributes: attributeDefinitions,
};

/** `{{name}}` becomes what the tables say. */
const filled = (text: string): string =>
  text.replaceAll(/\{\{([a-z-]+)\}\}/g, (whole, name: string) => PIECES[name]?.() ?? whole);
