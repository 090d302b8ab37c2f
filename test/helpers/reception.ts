/** A responder for reception tests, and messages damaged in their header. */
import type { PeerPolicy } from '../../src/shared/policy/peer-policy.ts';
import { connectionPolicy, LaneHost, mirrored, peerPolicy } from './lane-pair.ts';

/** A responder that knows 10.0.0.1 as `peer`. */
export const responder = (changes: Partial<PeerPolicy> = {}): LaneHost => {
  const host = new LaneHost('10.0.0.2', 'reception', () => 1_000);
  const connections = [mirrored(connectionPolicy())];
  host.tell({ kind: 'peer', policy: peerPolicy({ address: '10.0.0.1', connections, ...changes }) });
  return host;
};

/** The same message with some header bytes changed. */
export const patched = (bytes: Uint8Array, changes: Readonly<Record<number, number>>): Uint8Array => {
  const copy = bytes.slice();
  for (const [at, value] of Object.entries(changes)) copy[Number(at)] = value;
  return copy;
};

/** Where a message's header has its fields, RFC 2408 §3.1. */
export const At = { nextPayload: 16, version: 17, exchangeType: 18, flags: 19, messageId: 20, length: 24 } as const;

/** isakmpd's line about a refused message. */
export const dropped = (notify: string): string =>
  `dropped message from 10.0.0.1 port 500 due to notification type ${notify}`;
