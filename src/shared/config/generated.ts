/** What the configuration says where nobody wrote anything: the defaults of isakmpd.conf(5), and sections that exist by their names. */
import { fold } from './case-fold.ts';
import { generatedSection } from './generated-names.ts';

/** Reads another value, generated ones included. */
export type ReadValue = (section: string, tag: string) => string | undefined;

/** The generated value of a tag, undefined where there is none. Names folded. `sectionOf` may remember what names stand for. */
export const generatedValue = (
  section: string,
  tag: string,
  read: ReadValue,
  sectionOf: typeof generatedSection = generatedSection,
): string | undefined => {
  const fixed = DEFAULTS.get(section);
  if (fixed === undefined) return sectionOf(section)?.get(tag);
  const value = fixed.get(tag);
  return typeof value === 'function' ? value(read) : value;
};

/** Whether a section of this (folded) name exists without being written. */
export const isGeneratedSection = (section: string): boolean =>
  DEFAULTS.has(section) || generatedSection(section) !== undefined;

/** `[General]:Legacy-defaults=yes`: what the original uses where nothing is configured. */
const hasLegacyDefaults = (read: ReadValue): boolean => /^yes/i.test(read('General', 'Legacy-defaults') ?? '');

/** The suites of a connection without Configuration. */
export const defaultSuites = (read: ReadValue): string =>
  read('General', 'Default-phase-2-suites') ?? (hasLegacyDefaults(read) ? LEGACY_SUITES : MODERN_SUITES);

const LEGACY_TRANSFORMS = '3DES-SHA-RSA_SIG';
const LEGACY_SUITES = 'QM-ESP-3DES-SHA-PFS-SUITE';
const MODERN_TRANSFORMS = ['', '-RSA_SIG']
  .flatMap((method) => [
    `AES-256-SHA2-256-GRP14${method}`,
    `AES-128-SHA2-256-GRP14${method}`,
    `AES-256-SHA2-256-GRP19${method}`,
  ])
  .join(',');
const MODERN_SUITES = ['AESGCM-256', 'AESGCM-128', 'AES-256-SHA2-256', 'AES-128-SHA2-256']
  .map((algorithms) => `QM-ESP-${algorithms}-PFS-GRP14-SUITE`)
  .join(',');

type Default = string | ((read: ReadValue) => string | undefined);

const section = (name: string, tags: Readonly<Record<string, Default>>): [string, ReadonlyMap<string, Default>] => [
  fold(name),
  new Map(Object.entries(tags).map(([tag, value]) => [fold(tag), value])),
];

const DEFAULTS: ReadonlyMap<string, ReadonlyMap<string, Default>> = new Map([
  section('General', {
    Retransmits: '3',
    'Exchange-max-time': '120',
    'Use-Keynote': 'yes',
    'Policy-file': '/etc/isakmpd/isakmpd.policy',
    'Pubkey-directory': '/etc/isakmpd/pubkeys/',
    'Delete-SAs': 'yes',
  }),
  section('X509-certificates', {
    'CA-directory': '/etc/isakmpd/ca/',
    'Cert-directory': '/etc/isakmpd/certs/',
    'CRL-directory': '/etc/isakmpd/crls/',
    'Private-key': '/etc/isakmpd/private/local.key',
    'Private-key-directory': '/etc/isakmpd/private/',
  }),
  section('KeyNote', { 'Credential-directory': '/etc/isakmpd/keynote/' }),
  section('LIFE_MAIN_MODE', {
    LIFE_TYPE: 'SECONDS',
    LIFE_DURATION: (read) => read('General', 'Default-phase-1-lifetime') ?? '3600,60:86400',
  }),
  section('LIFE_QUICK_MODE', {
    LIFE_TYPE: 'SECONDS',
    LIFE_DURATION: (read) => read('General', 'Default-phase-2-lifetime') ?? '1200,60:86400',
  }),
  section('Phase 1', { Default: 'Default-phase-1' }),
  section('Default-phase-1', {
    Phase: '1',
    Configuration: 'Default-phase-1-configuration',
    ID: (read) => read('General', 'Default-phase-1-ID'),
  }),
  section('Default-phase-1-configuration', {
    EXCHANGE_TYPE: 'ID_PROT',
    Transforms: (read) => (hasLegacyDefaults(read) ? LEGACY_TRANSFORMS : MODERN_TRANSFORMS),
  }),
]);
