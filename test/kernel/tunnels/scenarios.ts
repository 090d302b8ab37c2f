/** Tunnels that have to carry packets: what is varied, and what may happen to a tunnel that is up. */
import type { KernelName } from '../../interop/setup.ts';

export interface TunnelScenario {
  readonly name: string;
  readonly kernel: KernelName;
  readonly esp: keyof typeof ESP;
  readonly peer: 'isakmpd' | 'charon';
  /** Who begins. */
  readonly initiator: 'us' | 'peer';
  readonly mode: 'tunnel' | 'transport';
  readonly family: 4 | 6;
  /** ESP in UDP, because our side pretends a NAT. */
  readonly inUdp: boolean;
  readonly event: Event;
}

/**
 * traffic: it carries packets. demand: it comes up for a packet. rekey: none is lost while both phases are renewed all the time. crash: after kill -9 there is
 * traffic again, and nothing twice. end: SIGTERM leaves nothing of ours, and all of others. warrior: our side has no connection section, its policy permits the
 * tunnel; when the peer ends it nothing is left in the kernel of the daemon that runs on.
 */
export type Event = 'traffic' | 'demand' | 'rekey' | 'crash' | 'end' | 'warrior';

export const ESP = {
  'aes-sha1': { cipher: 'aes128', hash: 'sha1' },
  'aes-sha256': { cipher: 'aes128', hash: 'sha256' },
  'aes-sha512': { cipher: 'aes256', hash: 'sha512' },
  'aes-gcm': { cipher: 'aes128', hash: undefined },
} as const;

/** PF_KEY of Linux has no AEAD, and truncates HMAC-SHA2-256 as no other does. */
const SUITES = [
  ['xfrm', 'aes-sha1'],
  ['xfrm', 'aes-sha256'],
  ['xfrm', 'aes-gcm'],
  ['pfkey', 'aes-sha1'],
  ['pfkey', 'aes-sha512'],
] as const;

const PEERS = ['isakmpd', 'charon'] as const;
const INITIATORS = ['us', 'peer'] as const;

/** Every suite with both peers in both roles; mode, family and UDP take turns, so that each comes with each backend and peer. */
export const tunnelScenarios = (): readonly TunnelScenario[] => {
  const traffic = SUITES.flatMap(([kernel, esp], suite) =>
    PEERS.flatMap((peer, turn) =>
      INITIATORS.map((initiator, role) => {
        const number = suite + 2 * turn + role;
        const mode = number % 3 === 2 ? 'transport' : 'tunnel';
        const family = mode === 'transport' || (suite + turn + role) % 2 === 0 ? 4 : 6;
        return scenario(
          { kernel, esp, peer, initiator, mode, family, inUdp: number % 4 === 3 && family === 4 },
          'traffic',
        );
      }),
    ),
  );
  const events = (['demand', 'rekey', 'crash', 'end'] as const).flatMap((event) =>
    (['xfrm', 'pfkey'] as const).flatMap((kernel, turn) => {
      const esp = kernel === 'xfrm' ? 'aes-sha256' : 'aes-sha1';
      const peer = event === 'rekey' || turn === 0 ? 'charon' : 'isakmpd';
      return scenario({ kernel, esp, peer, initiator: 'us', mode: 'tunnel', family: 4, inUdp: false }, event);
    }),
  );
  // Flows between the hosts themselves cover neighbour discovery too, and they are neighbours.
  const neighbours = (['xfrm', 'pfkey'] as const).flatMap((kernel) =>
    PEERS.map((peer, turn) => {
      const initiator = INITIATORS[turn] ?? 'us';
      return scenario(
        { kernel, esp: 'aes-sha1', peer, initiator, mode: 'transport', family: 6, inUdp: false },
        'traffic',
      );
    }),
  );
  const warriors = (['xfrm', 'pfkey'] as const).map((kernel) => {
    const esp = kernel === 'xfrm' ? 'aes-sha256' : 'aes-sha1';
    return scenario(
      { kernel, esp, peer: 'charon', initiator: 'peer', mode: 'tunnel', family: 4, inUdp: false },
      'warrior',
    );
  });
  return [...traffic, ...neighbours, ...events, ...warriors];
};

const scenario = (shape: Omit<TunnelScenario, 'name' | 'event'>, event: Event): TunnelScenario => {
  const { kernel, esp, peer, initiator, mode, family, inUdp } = shape;
  const parts = [event, kernel, esp, peer, `${initiator}-first`, mode, `v${family}`, ...(inUdp ? ['udp'] : [])];
  return { ...shape, event, name: parts.join('/') };
};
