/** Requests made of what the daemon knows, against those that a Linux kernel took in the recorded run. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { bypassOptions } from '../../../src/kernel/pfkey/bypass.ts';
import {
  AuthAlgorithm,
  EncryptAlgorithm,
  MessageType,
  PolicyDirection,
  SaMode,
  SaType,
} from '../../../src/kernel/pfkey/constants.ts';
import { buildMessage, parseMessage } from '../../../src/kernel/pfkey/message.ts';
import { type KernelPolicy, policiesOf, policyIn, policyRequest } from '../../../src/kernel/pfkey/policy-requests.ts';
import {
  getSpiRequest,
  type NewSa,
  namedRequest,
  type Request,
  registerRequest,
  saRequest,
} from '../../../src/kernel/pfkey/sa-requests.ts';
import { ProtocolId } from '../../../src/shared/constants/ipsec-doi.ts';
import { type Flow, NO_ROUTE } from '../../../src/shared/flow.ts';
import { sharedPath } from '../../helpers/shared-folder.ts';

const path = sharedPath('vectors', 'pfkey', 'reference-run.json');
const recorded = new Map<string, string>(
  path === undefined
    ? []
    : JSON.parse(readFileSync(path, 'utf8'))
        .filter(({ dir }: { dir: string }) => dir === 'send')
        .map(({ name, hex }: { name: string; hex: string }) => [name, hex]),
);

const counting = (first: number, length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => first + i);

const [LEFT, RIGHT] = ['10.9.0.1', '10.9.0.2'];
const TO_RIGHT = { source: LEFT, destination: RIGHT };
const TO_LEFT = { source: RIGHT, destination: LEFT };
const SHA1_3DES = {
  auth: AuthAlgorithm.SHA1_HMAC,
  encrypt: EncryptAlgorithm['3DES_CBC'],
  authKey: counting(0x20, 20),
  encryptKey: counting(1, 24),
};
const SHA1_AES = { ...SHA1_3DES, encrypt: EncryptAlgorithm.X_AES_CBC, encryptKey: counting(0x80, 16) };

const sa: NewSa = {
  saType: SaType.ESP,
  spi: 0x2000,
  ...TO_RIGHT,
  mode: SaMode.TUNNEL,
  reqid: 7,
  ...SHA1_3DES,
  replay: 64,
  life: { softSeconds: 3240, hardSeconds: 3600, softBytes: 9 << 20, hardBytes: 10 << 20 },
  softPackets: 0,
  udp: undefined,
  innerAny: undefined,
};

const limits = (softSeconds: number, hardSeconds: number, softBytes = 0, hardBytes = 0): Pick<NewSa, 'life'> => ({
  life: { softSeconds, hardSeconds, softBytes, hardBytes },
});

const net = (address: string): Flow['local'] => ({ address, prefixLength: 24, protocol: 0, port: 0 });
const flow: Flow = {
  id: 1,
  local: net('10.1.0.0'),
  remote: net('10.2.0.0'),
  localAddress: LEFT,
  remoteAddress: RIGHT,
  protocols: [ProtocolId.IPSEC_ESP],
  encapsulation: 'tunnel',
  reqid: 7,
  route: NO_ROUTE,
};

/** The recorded run has no priorities, and unique requests in all directions. */
const recordedPolicy = (direction: PolicyDirection): KernelPolicy => {
  const policy = policiesOf(flow).find((one) => one.direction === direction);
  assert.ok(policy);
  return { ...policy, priority: 0, requests: policy.requests.map((one) => ({ ...one, level: 3, reqid: 7 })) };
};

const ipv6Policy: KernelPolicy = {
  direction: PolicyDirection.OUT,
  source: { address: 'fd09::1', prefixLength: 128, protocol: 58, port: 0 },
  destination: { address: 'fd09::2', prefixLength: 128, protocol: 58, port: 0 },
  priority: 100,
  requests: [{ protocol: 50, mode: SaMode.TRANSPORT, level: 3, reqid: 9, tunnel: undefined }],
};

const { ADD, UPDATE, GET, DELETE, X_SPDADD, X_SPDUPDATE, X_SPDDELETE } = MessageType;
const udp = { source: 4500, destination: 4500 };
const short = { ...sa, spi: 0x5001, ...TO_LEFT, ...limits(2, 4) };

/** Those whose SPI the kernel chose take it from the record. */
const REQUESTS: readonly (readonly [string, (spi: number) => Request])[] = [
  ['register', () => registerRequest(SaType.ESP)],
  ['getspi-exact', () => getSpiRequest(sa)],
  [
    'update-aes-sha256-tunnel',
    (spi) => {
      const keys = { authKey: counting(0x40, 32), encryptKey: counting(0x80, 16) };
      const algorithms = { auth: AuthAlgorithm.X_SHA2_256_HMAC, encrypt: EncryptAlgorithm.X_AES_CBC };
      return saRequest(UPDATE, { ...sa, spi, ...TO_LEFT, ...algorithms, ...keys });
    },
  ],
  ['add-3des-sha1-tunnel', () => saRequest(ADD, sa)],
  ['add-duplicate', () => saRequest(ADD, sa)],
  ['add-for-acquire', () => saRequest(ADD, { ...sa, spi: 0x3333 })],
  ['add-short-life', () => saRequest(ADD, short)],
  ['add-byte-life', () => saRequest(ADD, { ...sa, spi: 0x3333, ...limits(0, 0, 300, 1000) })],
  ['add-natt', () => saRequest(ADD, { ...sa, spi: 0x6001, ...SHA1_AES, ...limits(3000, 3600), udp })],
  [
    'add-ipv6-transport',
    () => {
      const ends = { source: 'fd09::1', destination: 'fd09::2', mode: SaMode.TRANSPORT, reqid: 9 };
      return saRequest(ADD, { ...sa, spi: 0x7001, ...SHA1_AES, ...ends, life: undefined });
    },
  ],
  ['get-missing', () => namedRequest(GET, { ...sa, spi: 0x9999, ...TO_LEFT })],
  ['get', (spi) => namedRequest(GET, { ...sa, spi, ...TO_LEFT })],
  ['delete', () => namedRequest(DELETE, sa)],
  ['spdadd-out', () => policyRequest(X_SPDADD, recordedPolicy(PolicyDirection.OUT))],
  ['spdadd-in', () => policyRequest(X_SPDADD, recordedPolicy(PolicyDirection.IN))],
  ['spdadd-fwd', () => policyRequest(X_SPDADD, recordedPolicy(PolicyDirection.FORWARD))],
  ['spdupdate-out', () => policyRequest(X_SPDUPDATE, recordedPolicy(PolicyDirection.OUT))],
  ['spddelete', () => policyRequest(X_SPDDELETE, recordedPolicy(PolicyDirection.OUT))],
  ['spdadd-ipv6-transport', () => policyRequest(X_SPDADD, ipv6Policy)],
];

describe('requests to PF_KEY', () => {
  for (const [name, request] of REQUESTS) {
    it(`${name} is byte by byte what the kernel took`, { skip: path === undefined && 'no shared vectors' }, () => {
      const hex = recorded.get(name) ?? '';
      const { sequence, pid } = parseMessage(new Uint8Array(Buffer.from(hex, 'hex')));
      const spi = Number.parseInt(hex.slice(40, 48), 16);
      const { type, saType, extensions } = request(spi);
      const bytes = buildMessage({ type, saType, extensions, sequence, pid, errno: 0, reserved: 0 });
      assert.equal(Buffer.from(bytes).toString('hex'), hex);
    });
  }
});

describe('the policies of a flow', () => {
  const summary = ({ direction, requests }: KernelPolicy): string =>
    `${direction}: ${requests.map(({ protocol, mode, level, reqid }) => `${protocol}/${mode}/${level}/${reqid}`).join(' ')}`;

  it('are out with its reqid, in and forward with any', () => {
    assert.deepEqual(policiesOf(flow).map(summary), ['2: 50/2/3/7', '1: 50/2/2/0', '3: 50/2/2/0']);
  });

  it('tunnel once, whatever follows protects the tunnel', () => {
    const both = [ProtocolId.IPSEC_ESP, ProtocolId.IPSEC_AH];
    const [tunnel] = policiesOf({ ...flow, protocols: both });
    const [transport] = policiesOf({ ...flow, protocols: both, encapsulation: 'transport' });
    assert.deepEqual(
      [tunnel, transport].map((one) => one && summary(one)),
      ['2: 50/2/3/7 51/1/3/7', '2: 50/1/3/7 51/1/3/7'],
    );
  });

  it('are read back from what the kernel says of them', () => {
    for (const policy of [...policiesOf(flow), ipv6Policy]) {
      const { extensions } = policyRequest(X_SPDADD, policy);
      const message = { type: X_SPDADD, saType: 0, sequence: 0, pid: 0, errno: 0, reserved: 0, extensions };
      assert.deepEqual(policyIn(parseMessage(buildMessage(message))), { policy, index: 0 });
    }
  });

  it('are none with a route, and none of compression', () => {
    assert.throws(() => policiesOf({ ...flow, route: { ...NO_ROUTE, mark: 1 } }), { reason: 'unsupported' });
    assert.throws(() => policiesOf({ ...flow, protocols: [ProtocolId.IPCOMP] }), { reason: 'unsupported' });
  });
});

describe('the options of our own sockets', () => {
  it('bypass all policies in both directions', () => {
    const hex = bypassOptions(4).map(
      ({ level, option, value }) => `${level} ${option} ${Buffer.from(value).toString('hex')}`,
    );
    assert.deepEqual(hex, ['0 16 02001200040001000000000000000000', '0 16 02001200040002000000000000000000']);
    assert.deepEqual(
      bypassOptions(6).map(({ level, option }) => [level, option]),
      [
        [41, 34],
        [41, 34],
      ],
    );
  });
});
