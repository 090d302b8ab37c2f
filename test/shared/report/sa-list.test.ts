import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAddress } from '../../../src/shared/address.ts';
import {
  AhTransform,
  AuthenticationAlgorithm,
  EspTransform,
  ProtocolId,
} from '../../../src/shared/constants/ipsec-doi.ts';
import { saListing } from '../../../src/shared/report/sa-list.ts';
import { SaFlag, type SaProtocol, SaRole, type SaRow } from '../../../src/shared/sa-table/rows.ts';
import { sharedPath } from '../../helpers/shared-folder.ts';

const NOW = 1_000_500;
const address = (text: string): Uint8Array => parseAddress(text)?.bytes ?? new Uint8Array(0);

const PHASE_1: SaRow = {
  phase: 1,
  state: 0,
  flags: SaFlag.READY | SaFlag.STAYALIVE,
  role: SaRole.INITIATOR,
  exchangeType: 2,
  initiatorCookie: Uint8Array.of(0xda, 0xdf, 0x9b, 0xbb, 0x84, 0x68, 0xe7, 0xb4),
  responderCookie: Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7),
  messageId: 0,
  family: 4,
  localAddress: address('10.66.0.1'),
  remoteAddress: address('10.66.0.2'),
  localPort: 500,
  remotePort: 500,
  zone: '',
  name: 'ISAKMP-peer',
  peerName: 'ISAKMP-peer',
  localIdentity: '10.66.0.1',
  remoteIdentity: '10.66.0.2',
  localSelector: '',
  remoteSelector: '',
  establishedAt: 996_000,
  softAt: 4_362_100,
  hardAt: 4_596_100,
  lifeSeconds: 3600,
  lifeKilobytes: 0,
  encryption: 7,
  keyLength: 128,
  hash: 4,
  group: 14,
  authenticationMethod: 1,
  protocols: [],
  slabSlot: 0,
};
const ESP: SaProtocol = {
  protocolId: ProtocolId.IPSEC_ESP,
  transformId: EspTransform.AES,
  authentication: AuthenticationAlgorithm.HMAC_SHA2_256,
  keyLength: 128,
  encapsulation: 1,
  spiOut: 0x028e75d1,
  spiIn: 0xf3ce1bdd,
  encryptionKeyBytes: 16,
  authenticationKeyBytes: 32,
};
const PHASE_2: SaRow = {
  ...PHASE_1,
  phase: 2,
  name: 'IPsec-conn',
  messageId: 0x37267b13,
  softAt: 0,
  hardAt: 0,
  lifeSeconds: 1200,
  protocols: [ESP],
};
const linesOf = (row: SaRow): readonly string[] => saListing(row, NOW).split('\n');

test('an ISAKMP SA is listed with its cookies', () => {
  assert.equal(
    saListing(PHASE_1, NOW),
    `SA name: ISAKMP-peer (Phase 1/Initiator)
src: 10.66.0.1 dst: 10.66.0.2
Lifetime: 3600 seconds
Soft timeout in 3362 seconds
Hard timeout in 3596 seconds
Flags 0x00000003
icookie dadf9bbb8468e7b4 rcookie 0001020304050607

`,
  );
});

test('an IPsec SA is listed with SPIs that end with a blank, outgoing first', () => {
  assert.equal(
    saListing(PHASE_2, NOW),
    `SA name: IPsec-conn (Phase 2)
src: 10.66.0.1 dst: 10.66.0.2
Lifetime: 1200 seconds
Flags 0x00000003
SPI 0: 028e75d1${' '}
SPI 1: f3ce1bdd${' '}
Transform: IPsec ESP
Encryption key length: 16
Authentication key length: 32
Encryption algorithm: AES (CBC)
Authentication algorithm: HMAC-SHA2-256

`,
  );
});

test('a half-open ISAKMP SA is an unnamed responder on both sides', () => {
  const row: SaRow = { ...PHASE_1, flags: 0, softAt: 0, hardAt: 0, lifeSeconds: 0, responderCookie: new Uint8Array(8) };
  assert.equal(
    saListing({ ...row, family: 0, localAddress: new Uint8Array(0), remoteAddress: new Uint8Array(0) }, NOW),
    `SA name: <unnamed> (Phase 1/Responder)
<no transport>
Flags 0x00000000
icookie dadf9bbb8468e7b4 rcookie 0000000000000000

`,
  );
  const answered = { ...row, responderCookie: PHASE_1.responderCookie };
  assert.equal(linesOf(answered)[1], 'src: 10.66.0.1 dst: 10.66.0.2');
});

test('a half-open IPsec SA says what is not defined yet', () => {
  const protocol: SaProtocol = {
    ...ESP,
    transformId: 0,
    authentication: 0,
    spiOut: 0,
    encryptionKeyBytes: 0,
    authenticationKeyBytes: 0,
  };
  assert.deepEqual(linesOf({ ...PHASE_2, flags: 0, lifeSeconds: 0, protocols: [protocol] }), [
    'SA name: IPsec-conn (Phase 2)',
    'src: 10.66.0.1 dst: 10.66.0.2',
    'Flags 0x00000000',
    'SPI 0 not defined.',
    'SPI 1: f3ce1bdd ',
    'Transform: IPsec ESP',
    'Encryption key length: 0',
    'Authentication key length: 0',
    'Encryption algorithm: unknown (0)',
    'Authentication algorithm: none',
    '',
    '',
  ]);
});

test('overdue timers print in the original’s odd words, whole seconds are subtracted', () => {
  assert.deepEqual(linesOf({ ...PHASE_1, softAt: 999_999, hardAt: 998_000 }).slice(3, 5), [
    '<no soft timeout>',
    'No hard timeout>',
  ]);
  assert.deepEqual(linesOf({ ...PHASE_1, softAt: 1_000_001, hardAt: 1_001_000 }).slice(3, 5), [
    'Soft timeout in 0 seconds',
    'Hard timeout in 1 seconds',
  ]);
});

test('a lifetime in kilobytes follows the timers', () => {
  assert.deepEqual(linesOf({ ...PHASE_1, lifeKilobytes: 4608 }).slice(2, 7), [
    'Lifetime: 3600 seconds',
    'Soft timeout in 3362 seconds',
    'Hard timeout in 3596 seconds',
    'Lifetime: 4608 kilobytes',
    'Flags 0x00000003',
  ]);
});

test('an AH SA has no encryption', () => {
  const ah: SaProtocol = {
    ...ESP,
    protocolId: ProtocolId.IPSEC_AH,
    transformId: AhTransform.SHA2_512,
    authenticationKeyBytes: 64,
  };
  assert.deepEqual(linesOf({ ...PHASE_2, protocols: [ah] }).slice(6, 10), [
    'Transform: IPsec AH',
    'Encryption not used.',
    'Authentication key length: 64',
    'Authentication algorithm: HMAC-SHA2-512',
  ]);
});

test('both protocols of an SA are listed under one name', () => {
  const ah: SaProtocol = { ...ESP, protocolId: ProtocolId.IPSEC_AH, transformId: AhTransform.SHA };
  const lines = linesOf({ ...PHASE_2, protocols: [ah, ESP] });
  assert.deepEqual(
    lines.filter((line) => /^(SA|Transform)/.test(line)),
    ['SA name: IPsec-conn (Phase 2)', 'Transform: IPsec AH', 'Transform: IPsec ESP'],
  );
});

const NAMES: readonly (readonly [number, string])[] = [
  [EspTransform['3DES'], '3DES'],
  [EspTransform.AES_CTR, 'AES (CTR)'],
  [EspTransform.AES_GCM_16, 'AES (GCM)'],
  [EspTransform.AES_GMAC, 'AES (GMAC)'],
  [EspTransform.CAST, 'Cast-128'],
  [EspTransform.BLOWFISH, 'Blowfish'],
  [EspTransform.NULL, 'unknown (11)'],
];
for (const [transformId, name] of NAMES) {
  test(`ESP transform ${transformId} is called ${name}`, () => {
    assert.ok(linesOf({ ...PHASE_2, protocols: [{ ...ESP, transformId }] }).includes(`Encryption algorithm: ${name}`));
  });
}

test('threats "log injection": a name cannot make lines of its own', () => {
  assert.equal(linesOf({ ...PHASE_2, name: 'a\nFlags 0x1\u001b[2J' })[0], 'SA name: a\\x0aFlags 0x1\\x1b[2J (Phase 2)');
});

test('an initiator that has no answer yet has no transport, whatever the peer section says', () => {
  const half = { ...PHASE_1, flags: 0, softAt: 0, hardAt: 0, lifeSeconds: 0, responderCookie: new Uint8Array(8) };
  assert.deepEqual(linesOf(half).slice(0, 3), [
    'SA name: <unnamed> (Phase 1/Responder)',
    '<no transport>',
    'Flags 0x00000000',
  ]);
});

test('every listing that the original recorded comes out byte for byte from what it says', (t) => {
  const folder = sharedPath('vectors', 'isakmpd-output');
  if (folder === undefined) return t.skip('shared/vectors is absent');
  const files = [
    ...readdirSync(join(folder, 'cases'))
      .filter((name) => name.endsWith('.result'))
      .map((name) => join('cases', name)),
    join('pair', 'left', 'isakmpd.result'),
    join('pair', 'left', 'S-output.txt'),
    join('pair', 'right', 'isakmpd.result'),
  ];
  let listed = 0;
  for (const name of files) {
    const text: string = readFileSync(join(folder, name), 'utf8');
    const blocks = text.split('\n\n').slice(0, -1);
    assert.equal(blocks.map((block) => saListing(rowOf(block), NOW)).join(''), text, name);
    listed += blocks.length;
  }
  assert.ok(listed >= 12, `only ${listed} SAs`);
});

/** The row that a recorded block describes. */
const rowOf = (block: string): SaRow => {
  const found = (pattern: RegExp): string => pattern.exec(block)?.[1] ?? '';
  const timer = (name: string): number => {
    const seconds = found(new RegExp(`^${name} timeout in ([0-9]+)`, 'm'));
    return seconds === '' ? 0 : NOW + Number(seconds) * 1000;
  };
  const common: SaRow = {
    ...PHASE_1,
    flags: Number(found(/^Flags (.+)$/m)),
    lifeSeconds: Number(found(/^Lifetime: ([0-9]+) seconds/m)),
    softAt: timer('Soft'),
    hardAt: timer('Hard'),
    name: found(/^SA name: (.*) \(/),
    family: block.includes('<no transport>') ? 0 : 4,
    localAddress: address(found(/^src: ([0-9.]+)/m)),
    remoteAddress: address(found(/ dst: ([0-9.]+)/)),
  };
  if (block.includes('(Phase 2)')) {
    const spi = (index: number): number => Number(`0x${found(new RegExp(`^SPI ${index}: ([0-9a-f]{8}) $`, 'm'))}`);
    return { ...common, phase: 2, protocols: [{ ...ESP, spiOut: spi(0), spiIn: spi(1) }] };
  }
  return {
    ...common,
    role: block.includes('Initiator') ? SaRole.INITIATOR : SaRole.RESPONDER,
    initiatorCookie: Buffer.from(found(/icookie ([0-9a-f]{16})/), 'hex'),
    responderCookie: Buffer.from(found(/rcookie ([0-9a-f]{16})/), 'hex'),
  };
};
