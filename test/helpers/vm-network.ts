/** Two machines in one: this one, and a network namespace behind a link of its own, as root of a virtual machine. SAs and flows between both. */
import { execFileSync } from 'node:child_process';
import { AddressFamily, SocketType } from '../../src/kernel/linux-sockets.ts';
import { NativeSocket } from '../../src/kernel/native/native-socket.ts';
import { packSocketAddress } from '../../src/kernel/sockaddr.ts';
import {
  AuthenticationAlgorithm,
  EncapsulationMode,
  EspTransform,
  ProtocolId,
} from '../../src/shared/constants/ipsec-doi.ts';
import type { IpsecSa } from '../../src/shared/threads/contract.ts';
import { Awaited } from './awaited.ts';
import { contextsFor, flowsBetween } from './sample-flows.ts';

export const HERE = '10.9.0.1';
export const PEER = '10.9.0.2';
/** The peer's too. */
export const ELSEWHERE = '10.9.0.3';

export const ip = (...words: readonly string[]): string => execFileSync('ip', words, { encoding: 'utf8' });
const peerIp = (...words: readonly string[]): string => ip('-n', 'peer', ...words);

/** 10.1.0.1 is here, 10.2.0.1 at the peer. */
export const makeNetwork = (): void => {
  ip('netns', 'add', 'peer');
  ip('link', 'add', 'here0', 'type', 'veth', 'peer', 'name', 'peer0', 'netns', 'peer');
  for (const [run, device, address, inner] of [
    [ip, 'here0', HERE, '10.1.0.1'],
    [peerIp, 'peer0', PEER, '10.2.0.1'],
  ] as const) {
    run('addr', 'add', `${address}/24`, 'dev', device);
    run('addr', 'add', `${inner}/24`, 'dev', 'lo');
    run('link', 'set', 'lo', 'up');
    run('link', 'set', device, 'up');
  }
  ip('addr', 'add', 'fd09::1/64', 'dev', 'here0', 'nodad');
  peerIp('addr', 'add', 'fd09::2/64', 'dev', 'peer0', 'nodad');
  peerIp('addr', 'add', `${ELSEWHERE}/24`, 'dev', 'peer0');
  ip('route', 'add', '10.2.0.0/24', 'via', PEER, 'src', '10.1.0.1');
  peerIp('route', 'add', '10.1.0.0/24', 'via', HERE, 'src', '10.2.0.1');
};

export const removeNetwork = (): void => {
  ip('link', 'del', 'here0');
  ip('addr', 'del', '10.1.0.1/24', 'dev', 'lo');
  ip('netns', 'del', 'peer');
};

/** No SAs and policies on either side. */
export const flushAll = (): void => {
  for (const run of [ip, peerIp]) {
    run('xfrm', 'state', 'flush');
    run('xfrm', 'policy', 'flush');
  }
};

/** Pings from `from`, in turn; whether each of them was answered. */
export const ping = async (count = 1, from = '10.1.0.1', to = '10.2.0.1'): Promise<boolean> => {
  const socket = NativeSocket.open({ family: AddressFamily.INET, type: SocketType.RAW, protocol: ICMP });
  socket.bind(socketAddress(from));
  const answers = new Awaited<number>();
  socket.startReading(
    { maxSize: 2048, batch: 8 },
    {
      onBatch: (batch) => {
        for (let i = 0; i < batch.count; i++) if (batch.bytes(i)[20] === ECHO_REPLY) answers.put(i);
      },
      onError: () => {},
    },
  );
  try {
    for (let i = 0; i < count; i++) {
      socket.send(echoRequest(), socketAddress(to));
      await answers.next(500);
    }
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
};

const ICMP = 1;
const ECHO_REPLY = 0;
/** As long as ping(8) makes them: 84 bytes with the IP header. */
const echoRequest = (): Uint8Array => {
  const bytes = new Uint8Array(64);
  // Type 8, and the checksum of that and zeroes.
  bytes.set([8, 0, 0xf7, 0xff]);
  return bytes;
};

export const socketAddress = (text: string, port = 0): Uint8Array =>
  packSocketAddress({ address: Uint8Array.from(text.split('.'), Number), port, scope: 0 });

/** The same SA in the peer's kernel. */
export const peerState = (sa: IpsecSa, ...more: readonly string[]): void => {
  const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`;
  const name = ['src', sa.source, 'dst', sa.destination, 'proto', sa.protocolId === ProtocolId.IPSEC_AH ? 'ah' : 'esp'];
  const mode = sa.encapsulation === EncapsulationMode.TRANSPORT ? 'transport' : 'tunnel';
  const enc = sa.protocolId === ProtocolId.IPSEC_AH ? [] : ['enc', 'cbc(des3_ede)', hex(sa.encryptionKey)];
  const auth = ['auth', 'hmac(sha1)', hex(sa.authenticationKey)];
  peerIp('xfrm', 'state', 'add', ...name, 'spi', `${sa.spi}`, 'mode', mode, ...auth, ...enc, ...more);
};

export const peerPolicy = (dir: string, from: string, to: string, ...templates: readonly string[]): void => {
  peerIp('xfrm', 'policy', 'add', 'src', from, 'dst', to, 'dir', dir, ...templates);
};

/** Tunnels between 10.2.0.0/24 there and 10.1.0.0/24 here. */
export const tunnelPeer = (there = PEER, here = HERE): void => {
  peerPolicy('out', '10.2.0.0/24', '10.1.0.0/24', ...tunnel(there, here));
  peerPolicy('in', '10.1.0.0/24', '10.2.0.0/24', ...tunnel(here, there));
};

const tunnel = (src: string, dst: string): readonly string[] => [
  ...['tmpl', 'src', src, 'dst', dst],
  ...['proto', 'esp', 'mode', 'tunnel'],
];

/** Policies here, in all directions. */
export const policyCount = (): number => ip('xfrm', 'policy').match(/^\tdir /gm)?.length ?? 0;

/** What ip-xfrm(8) says of an SA here. */
export const stateOf = (spi: number): string =>
  ip('xfrm', 'state')
    .split(/^(?=src )/m)
    .find((one) => one.includes(`spi 0x${spi.toString(16).padStart(8, '0')}`)) ?? '';

/** 3DES and HMAC-SHA1, in a tunnel. */
export const saOf = (direction: 'in' | 'out', spi: number, more: Partial<IpsecSa> = {}): IpsecSa => ({
  direction,
  protocolId: ProtocolId.IPSEC_ESP,
  spi,
  transformId: EspTransform['3DES'],
  authentication: AuthenticationAlgorithm.HMAC_SHA,
  encapsulation: EncapsulationMode.TUNNEL,
  keyLength: 0,
  encryptionKey: Uint8Array.from({ length: 24 }, (_, i) => i + 1),
  authenticationKey: Uint8Array.from({ length: 20 }, (_, i) => i + 0x20),
  source: direction === 'out' ? HERE : PEER,
  destination: direction === 'out' ? PEER : HERE,
  replayWindow: 32,
  ...more,
});

export const contextOf = contextsFor({ softSeconds: 3000, hardSeconds: 3600 });
export const flowOf = flowsBetween(HERE, PEER);
