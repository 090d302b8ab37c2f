/** The machine-readable twin of S. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { EspTransform, ProtocolId } from '../../../src/shared/constants/ipsec-doi.ts';
import { saStatusOf } from '../../../src/shared/report/sa-status.ts';
import { saStatus } from '../../../src/shared/report/status-schema.ts';
import { SaFlag, SaRole, type SaRow } from '../../../src/shared/sa-table/rows.ts';
import { sampleRow } from '../sa-table/sample-row.ts';

const wallTime = (at: number): string => new Date(at).toISOString();
const told = (changes: Partial<SaRow>) => saStatus.parse(saStatusOf({ ...sampleRow(0), ...changes }, wallTime));

it('an SA of either phase fits the schema', () => {
  for (const phase of [1, 2] as const) assert.equal(told({ phase }).phase, phase);
});

it('a half-open SA that we began knows neither name nor transport', () => {
  const status = told({
    phase: 1,
    flags: 0,
    name: '',
    role: SaRole.INITIATOR,
    responderCookie: new Uint8Array(8),
    localIdentity: '',
    softAt: 0,
    hardAt: 0,
    lifeSeconds: 0,
    protocols: [],
  });
  assert.deepEqual(
    [status.state, status.name, status.local, status.remote, status.localIdentity, status.hardExpiryAt, status.flags],
    ['half-open', null, null, null, null, null, []],
  );
});

it('flags have the names of their bits, SPIs are written as S writes them, AH has no cipher', () => {
  const ah = {
    protocolId: ProtocolId.IPSEC_AH,
    transformId: 5,
    authentication: 5,
    keyLength: 0,
    encapsulation: 1,
    spiOut: 0x28e75d1,
    spiIn: 0,
    encryptionKeyBytes: 0,
    authenticationKeyBytes: 32,
  };
  const esp = { ...ah, protocolId: ProtocolId.IPSEC_ESP, transformId: EspTransform.AES_GCM_16, authentication: 0 };
  const { flags, protocols } = told({ phase: 2, flags: SaFlag.READY | SaFlag.REPLACED, protocols: [ah, esp] });
  assert.deepEqual(flags, ['READY', 'REPLACED']);
  assert.deepEqual(
    protocols.map(({ protocol, spiOut, spiIn, encryption, authentication }) => [
      protocol,
      spiOut,
      spiIn,
      encryption,
      authentication,
    ]),
    [
      ['AH', '028e75d1', null, null, 'HMAC-SHA2-256'],
      ['ESP', '028e75d1', null, 'AES (GCM)', null],
    ],
  );
});
