/** Hostile datagrams of known faults in other daemons, and identities as strongSwan encodes them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { IdType } from '../../../src/shared/constants/ipsec-doi.ts';
import { NotifyType, notifyName } from '../../../src/shared/constants/isakmp.ts';
import { ProtocolError } from '../../../src/shared/errors.ts';
import { describeMessage, HEADER_SIZE, readHeader, readPayloads, writeBody } from '../../../src/shared/wire/message.ts';
import { sharedPath } from '../../helpers/shared-folder.ts';
import { fromHex, toHex } from '../../helpers/wire-bytes.ts';

const ABSENT = 'shared/vectors is absent';

interface MalformedPacket {
  readonly name: string;
  readonly udpPayload: string;
  readonly expect: string;
}

/** Packets that say "decode" and are refused all the same: reserved bytes set, and payload numbers of IKEv2. */
const REFUSED_ALL_THE_SAME: ReadonlyMap<string, NotifyType> = new Map([
  ['ikescan-custom-proposal', NotifyType.PAYLOAD_MALFORMED],
  ['ikescan-malformed', NotifyType.UNEQUAL_PAYLOAD_LENGTHS],
  ['ikescan-v2-notify-response', NotifyType.INVALID_PAYLOAD_TYPE],
]);

/** The notify a datagram earns, or undefined when it is read; nothing but a ProtocolError may come out. */
const outcome = (bytes: Uint8Array): NotifyType | undefined => {
  try {
    const header = readHeader(bytes);
    const { payloads } = readPayloads(bytes, header.nextPayload, HEADER_SIZE, header.length);
    assert.match(describeMessage(header, payloads), /^[ -~]+$/);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof ProtocolError, String(error));
    return error.notify;
  }
};

describe('vectors/malformed', () => {
  it('ends as a ProtocolError or is read as its expectation says', (t) => {
    const path = sharedPath('vectors', 'malformed', 'packets.json');
    if (path === undefined) return t.skip(ABSENT);
    const { packets }: { readonly packets: readonly MalformedPacket[] } = JSON.parse(readFileSync(path, 'utf8'));
    let decoded = 0;
    for (const { name, udpPayload, expect } of packets) {
      const notify = outcome(fromHex(udpPayload));
      t.diagnostic(`${name}: ${notify === undefined ? 'read' : notifyName(notify)}`);
      if (notify === undefined) decoded += 1;
      if (expect.startsWith('decode')) assert.equal(notify, REFUSED_ALL_THE_SAME.get(name), name);
    }
    t.diagnostic(`${decoded} read, ${packets.length - decoded} refused`);
  });
});

const ID_TYPES: Readonly<Record<string, number>> = {
  ID_IPV4_ADDR: IdType.IPV4_ADDR,
  ID_FQDN: IdType.FQDN,
  ID_RFC822_ADDR: IdType.USER_FQDN,
  ID_IPV4_ADDR_SUBNET: IdType.IPV4_ADDR_SUBNET,
  ID_IPV6_ADDR: IdType.IPV6_ADDR,
  ID_IPV6_ADDR_SUBNET: IdType.IPV6_ADDR_SUBNET,
  ID_IPV4_ADDR_RANGE: IdType.IPV4_RANGE,
  ID_IPV6_ADDR_RANGE: IdType.IPV6_RANGE,
  ID_DER_ASN1_DN: IdType.DER_ASN1_DN,
  ID_DER_ASN1_GN: IdType.DER_ASN1_GN,
  ID_KEY_ID: IdType.KEY_ID,
};

interface Identity {
  readonly string: string;
  readonly type: string;
  readonly dataHex: string | null;
  readonly dataString: string | null;
}

describe('vectors/identities', () => {
  it('are carried in an ID payload and read back', (t) => {
    const path = sharedPath('vectors', 'identities', 'strongswan-identification.json');
    if (path === undefined) return t.skip(ABSENT);
    const { ids }: { readonly ids: readonly Identity[] } = JSON.parse(readFileSync(path, 'utf8'));
    let carried = 0;
    for (const { string, type, dataHex, dataString } of ids) {
      const idType = ID_TYPES[type];
      // strongSwan's wildcard has no type on the wire.
      if (idType === undefined) continue;
      const identificationData =
        dataHex === null ? new Uint8Array(Buffer.from(dataString ?? string)) : fromHex(dataHex);
      const value = { idType, protocolId: 0, port: 0, identificationData };
      const body = writeBody({ kind: 'ID', value });
      const bytes = new Uint8Array([0, 0, 0, body.length + 4, ...body]);
      const [payload] = readPayloads(bytes, 5, 0, bytes.length).payloads;
      assert.ok(payload?.kind === 'ID');
      assert.deepEqual(
        { ...payload.value, identificationData: toHex(payload.value.identificationData) },
        { ...value, identificationData: toHex(identificationData) },
      );
      carried += 1;
    }
    t.diagnostic(`${carried} of ${ids.length}`);
    assert.ok(carried >= 25);
  });
});
