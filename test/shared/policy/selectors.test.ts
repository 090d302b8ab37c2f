import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IdType } from '../../../src/shared/constants/ipsec-doi.ts';
import { identityOfAddress } from '../../../src/shared/policy/identity.ts';
import type { ConnectionPolicy } from '../../../src/shared/policy/peer-policy.ts';
import { findConnection, namesSelectors, selectorsOf, selectsTraffic } from '../../../src/shared/policy/selectors.ts';
import { connectionPolicy, fqdn, peerPolicy, subnet } from '../../helpers/lane-pair.ts';

const ADDRESSES = { local: identityOfAddress('10.0.0.2'), remote: identityOfAddress('10.0.0.1') };
const asked = (local = subnet(10, 1, 2), remote = subnet(10, 1, 1)) => ({ local, remote });
const find = (connections: readonly ConnectionPolicy[], selectors = asked()): string | undefined =>
  findConnection(peerPolicy({ connections }), selectors, ADDRESSES)?.name;
const ours = (changes: Partial<ConnectionPolicy> = {}): ConnectionPolicy =>
  connectionPolicy({ localId: subnet(10, 1, 2), remoteId: subnet(10, 1, 1), ...changes });

describe('selectors of a connection', () => {
  it('are its IDs, NAT-ID in place of the local one, and the addresses where it has none', () => {
    assert.deepEqual(selectorsOf(ours(), ADDRESSES), asked());
    assert.deepEqual(selectorsOf(ours({ natId: subnet(1, 2, 3) }), ADDRESSES).local, subnet(1, 2, 3));
    assert.deepEqual(selectorsOf(ours({ localId: undefined, remoteId: undefined }), ADDRESSES), ADDRESSES);
  });

  it('are named in ID payloads unless they are the addresses', () => {
    assert.equal(namesSelectors(ours()), true);
    assert.equal(namesSelectors(ours({ remoteId: undefined })), true);
    assert.equal(namesSelectors(ours({ localId: undefined, remoteId: undefined })), false);
  });

  it('CVE-2023-38711: are addresses, subnets and ranges, not names', () => {
    const typed = (type: number) => selectsTraffic({ type, protocol: 0, port: 0, data: new Uint8Array(0) });
    assert.deepEqual(Object.values(IdType).filter(typed), [1, 4, 5, 6, 7, 8]);
  });
});

describe('the connection for an incoming quick mode, decisions 3.1 and 3.2', () => {
  it('has both selectors, whole', () => {
    assert.equal(find([ours()]), 'net');
    assert.equal(find([ours()], asked(subnet(10, 1, 1), subnet(10, 1, 2))), undefined, 'not the other way round');
    assert.equal(find([ours()], asked(subnet(10, 1, 2), subnet(10, 1, 9))), undefined);
    assert.equal(find([ours()], asked({ ...subnet(10, 1, 2), protocol: 6 })), undefined, 'P5');
    assert.equal(find([ours()], asked({ ...subnet(10, 1, 2), protocol: 6, port: 80 })), undefined);
  });

  it('is the first that fits: the policy lists the most specific first', () => {
    assert.equal(find([ours({ name: 'a' }), ours({ name: 'b' })]), 'a');
    assert.equal(find([ours({ name: 'other', remoteId: subnet(10, 9, 9) }), ours({ name: 'b' })]), 'b');
  });

  it('may have no remote selector (P6): then any will do', () => {
    assert.equal(find([ours({ remoteId: undefined })], asked(subnet(10, 1, 2), subnet(99, 9, 9))), 'net');
    assert.equal(find([ours({ remoteId: undefined })], asked(subnet(10, 1, 3))), undefined, 'but the local one counts');
  });

  it('between the two addresses is none for anything else', () => {
    const plain = ours({ localId: undefined, remoteId: undefined });
    assert.equal(find([plain], ADDRESSES), 'net');
    assert.equal(find([plain]), undefined);
  });

  it('is never an Active-only one', () => {
    assert.equal(find([ours({ activeOnly: true })]), undefined);
  });

  it('is compared by meaning: ranges and prefixes, and never by name', () => {
    const range = { type: IdType.IPV4_RANGE, protocol: 0, port: 0, data: Uint8Array.of(10, 1, 2, 0, 10, 1, 2, 255) };
    assert.equal(find([ours({ localId: range })]), 'net');
    assert.equal(find([ours()], asked(fqdn('10.1.2.0/255.255.255.0'))), undefined);
  });
});
