/** Our daemon and charon as ends of the tunnels of a field: ESP in their own processes, one configuration told in both languages. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Charon } from '../../../loadtest/charon.ts';
import { Daemon, until } from '../../../loadtest/daemon.ts';
import { charonLibipsec } from '../../../loadtest/esp/charon-libipsec.ts';
import type { End, Field } from './field.ts';

const SECRET = 'a secret of the host tests';

/** What a scenario needs of an end, whoever it is. */
export interface Side {
  /** Begins the tunnel, if it is the one to do so, and resolves when it is up. */
  bringUp(): Promise<void>;
  /** Resolves when it has SAs, whoever began. */
  isUp(): Promise<unknown>;
  kill(): void;
}

export class Ours implements Side {
  readonly daemon: Daemon;

  constructor(daemon: Daemon) {
    this.daemon = daemon;
  }

  async bringUp(): Promise<void> {
    this.daemon.command('c tunnel0');
    await this.isUp();
  }

  isUp(): Promise<unknown> {
    return this.daemon.saw('quick mode done');
  }

  kill(): void {
    this.daemon.kill();
  }
}

class CharonSide implements Side {
  readonly #charon: Charon;

  constructor(charon: Charon) {
    this.#charon = charon;
  }

  async bringUp(): Promise<void> {
    this.#charon.initiate('net');
  }

  isUp(): Promise<unknown> {
    return until('charon to have SAs', () => /CHILD_SA net\{\d+\} established/.test(this.#charon.log()) || undefined);
  }

  kill(): void {
    this.#charon.kill();
  }
}

const nameOf = (field: Field, end: End): string =>
  end === field.gate ? 'gate.example' : `client${field.clients.indexOf(end)}.example`;

/** The other ends that `end` talks to: a client to the gate, the gate to all clients, which seem to be at the NAT. */
const peersOf = (field: Field, end: End): readonly End[] => (end === field.gate ? field.clients : [field.gate]);
const NAT = '10.91.0.1';

/** Ready to negotiate. `general`: more tags of [General]; `lists`: of [Phase 2]. */
export const ours = async (
  field: Field,
  end: End,
  folder: string,
  { general = '', lists = 'Passive-connections' } = {},
): Promise<Ours> => {
  const name = nameOf(field, end);
  const daemon = new Daemon({
    name,
    folder,
    configuration: configuration(field, end, general, lists),
    ports: { ike: 500, encapsulated: 4500 },
    words: ['-d', '-v', '-K', '-4', '--allow-userland'],
    inside: ['ip', 'netns', 'exec', end.namespace.name],
  });
  await daemon.ready();
  return new Ours(daemon);
};

const configuration = (field: Field, end: End, general: string, lists: string): string => {
  const peers = peersOf(field, end);
  const address = end === field.gate ? NAT : field.gate.outer;
  const tunnels = peers.map(
    (peer, i) => `
[tunnel${i}]
Phase=2
ISAKMP-peer=peer
Configuration=quick-mode
Local-ID=own-net
Remote-ID=net${i}
${network(`net${i}`, peer)}`,
  );
  return `[General]
Kernel=userland
Listen-on=${end.outer}
${general}

[Phase 1]
${address}=peer

[Phase 2]
${lists}=${peers.map((_, i) => `tunnel${i}`).join()}

[peer]
Phase=1
Address=${address}
Configuration=main-mode
Authentication=${SECRET}
ID=own-id

[own-id]
ID-type=FQDN
Name=${nameOf(field, end)}

[main-mode]
EXCHANGE_TYPE=ID_PROT
Transforms=AES-128-SHA2-256-GRP19

[quick-mode]
EXCHANGE_TYPE=QUICK_MODE
Suites=QM-ESP-AES-128-SHA-SUITE
${network('own-net', end)}${tunnels.join('')}`;
};

const network = (name: string, { net }: End): string => `
[${name}]
ID-type=IPV4_ADDR_SUBNET
Network=${net.replace('/24', '')}
Netmask=255.255.255.0
`;

export const charon = async (field: Field, end: End, folder: string): Promise<Side> => {
  const own = join(folder, 'charon');
  mkdirSync(own);
  const [peer = field.gate] = peersOf(field, end);
  const side = charonLibipsec({
    inside: ['ip', 'netns', 'exec', end.namespace.name],
    folder: own,
    localId: nameOf(field, end),
    remoteId: nameOf(field, peer),
    remoteAddress: end === field.gate ? undefined : field.gate.outer,
    secret: SECRET,
    localNet: end.net,
    remoteNet: peer.net,
    proposal: 'aes128-sha256-ecp256',
    espProposal: 'aes128-sha1',
  });
  await side.ready();
  return new CharonSide(side);
};

/** Polls for something of a daemon's log. */
export const said = (daemon: Daemon, pattern: RegExp, times = 1): Promise<true> =>
  until(`the ${daemon.name} to say ${pattern} ${times} times`, () =>
    daemon.log.filter((line) => pattern.test(line)).length >= times ? true : undefined,
  );
