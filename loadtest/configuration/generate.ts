/** The configuration of a concentrator with many gateways, one connection each, as ipsecctl(8) makes it: as FIFO lines and as isakmpd.conf. */

/** What ipsecctl writes into the FIFO for the rule of one gateway: about fifty lines, each ended by a newline. */
export const ruleOf = (gateway: number): string => editsOf(gateway).map(lineOf).join('');

/** isakmpd.conf with what is left when the rules of `count` gateways have been carried out one after the other. */
export const fileOf = (count: number): string => {
  const sections = new Map<string, Map<string, string[]>>();
  for (let gateway = 0; gateway < count; gateway++) {
    for (const { verb, section, tag, value } of editsOf(gateway)) {
      const tags = sections.get(section) ?? new Map<string, string[]>();
      sections.set(section, tags);
      const members = verb === 'add' ? tags.get(tag) : undefined;
      if (members === undefined) tags.set(tag, [value]);
      else members.push(value);
    }
  }
  return Array.from(sections, ([section, tags]) => `[${section}]\n${assignments(tags)}\n`).join('');
};

/** isakmpd.conf for the same gateways as an administrator writes it: what all have in common stands there once, proposals go by generated names. */
export const handwrittenFileOf = (count: number): string => {
  const gateways = Array.from({ length: count }, (_, gateway) => gateway);
  const connections = gateways.map((gateway) => `connection-${gateway}`).join(',');
  return `${COMMON}[Phase 2]\nPassive-connections=${connections}\n${gateways.map(handwritten).join('')}`;
};

/** Address of a gateway: 10.128.0.0 and up, two million of them. */
export const addressOf = (gateway: number): string =>
  `10.${128 + (gateway >> 16)}.${(gateway >> 8) & 0xff}.${gateway & 0xff}`;

export const peerOf = (gateway: number): string => `peer-${addressOf(gateway)}-local-${HUB}`;

const handwritten = (gateway: number): string => `
[Phase 1]
${addressOf(gateway)}=peer-${gateway}
[peer-${gateway}]
Phase=1
Address=${addressOf(gateway)}
Configuration=main-mode
Authentication=secret-of-${gateway}
[connection-${gateway}]
Phase=2
ISAKMP-peer=peer-${gateway}
Configuration=quick-mode
Local-ID=ours
Remote-ID=theirs-${gateway}
[theirs-${gateway}]
ID-type=IPV4_ADDR
Address=${networkOf(gateway)}
`;

const COMMON = `[main-mode]
EXCHANGE_TYPE=ID_PROT
Transforms=AES-256-SHA2-256-GRP14
[quick-mode]
EXCHANGE_TYPE=QUICK_MODE
Suites=QM-ESP-AES-256-SHA2-256-PFS-GRP14-SUITE
[ours]
ID-type=IPV4_ADDR_SUBNET
Network=192.168.0.0
Netmask=255.255.0.0
`;

interface Edit {
  readonly verb: 'set' | 'add';
  readonly section: string;
  readonly tag: string;
  readonly value: string;
}

const assignments = (tags: ReadonlyMap<string, readonly string[]>): string =>
  Array.from(tags, ([tag, members]) => `${tag}=${members.join(',')}\n`).join('');

const lineOf = ({ verb, section, tag, value }: Edit): string =>
  verb === 'set' ? `C set [${section}]:${tag}=${value} force\n` : `C add [${section}]:${tag}=${value}\n`;

const set = (section: string, values: Readonly<Record<string, string>>): readonly Edit[] =>
  Object.entries(values).map(([tag, value]) => ({ verb: 'set', section, tag, value }));
const add = (section: string, tag: string, value: string): readonly Edit[] => [{ verb: 'add', section, tag, value }];

/** The order is ipsecctl's. The connections are passive: a benchmark sends nothing to addresses that are not its own. */
const editsOf = (gateway: number): readonly Edit[] => {
  const peer = peerOf(gateway);
  const local = 'from-192.168.0.0/16=tcp:443';
  const remote = `to-${networkOf(gateway)}/32=tcp`;
  const connection = `${local}-${remote}`;
  return [
    ...set('Phase 1', { [addressOf(gateway)]: peer }),
    ...phase1(peer, gateway),
    ...identity(peer, 'ID', 'hub.example'),
    ...identity(peer, 'Remote-ID', `gateway-${gateway}.example`),
    ...phase2(connection, { peer, local, remote }),
    ...set(local, { ...network('192.168.0.0', '255.255.0.0'), Port: '443' }),
    ...set(remote, network(networkOf(gateway), '255.255.255.255')),
    ...add('Phase 2', 'Passive-Connections', connection),
  ];
};

const phase1 = (peer: string, gateway: number): readonly Edit[] => {
  const transform = `phase1-transform-${peer}-PRE_SHARED-SHA2_256-AES256-MODP_2048`;
  const address = addressOf(gateway);
  return [
    ...set(peer, { Phase: '1', Address: address, 'Local-address': HUB, Authentication: `secret-of-${gateway}` }),
    ...set(peer, { Configuration: `phase1-${peer}` }),
    ...set(`phase1-${peer}`, { EXCHANGE_TYPE: 'ID_PROT' }),
    ...add(`phase1-${peer}`, 'Transforms', transform),
    ...set(transform, {
      AUTHENTICATION_METHOD: 'PRE_SHARED',
      HASH_ALGORITHM: 'SHA2_256',
      ENCRYPTION_ALGORITHM: 'AES_CBC',
      KEY_LENGTH: '256,256:256',
      GROUP_DESCRIPTION: 'MODP_2048',
      Life: `${transform}-life`,
    }),
    ...life(`${transform}-life`, 3600),
  ];
};

const phase2 = (
  connection: string,
  { peer, local, remote }: Readonly<Record<'peer' | 'local' | 'remote', string>>,
): readonly Edit[] => {
  const transform = `phase2-transform-${connection}-AES256-SHA2_256-MODP_2048-TUNNEL`;
  return [
    ...set(connection, { Phase: '2', 'ISAKMP-peer': peer, Configuration: `phase2-${connection}` }),
    ...set(connection, { 'Local-ID': local, 'Remote-ID': remote }),
    ...set(`phase2-${connection}`, { EXCHANGE_TYPE: 'QUICK_MODE', Suites: `phase2-suite-${connection}` }),
    ...set(`phase2-suite-${connection}`, { Protocols: `phase2-protocol-${connection}` }),
    ...set(`phase2-protocol-${connection}`, { PROTOCOL_ID: 'IPSEC_ESP', Transforms: transform }),
    ...set(transform, {
      TRANSFORM_ID: 'AES',
      KEY_LENGTH: '256,256:256',
      ENCAPSULATION_MODE: 'TUNNEL',
      AUTHENTICATION_ALGORITHM: 'HMAC_SHA2_256',
      GROUP_DESCRIPTION: 'MODP_2048',
      Life: `${transform}-life`,
    }),
    ...life(`${transform}-life`, 1200),
  ];
};

const identity = (peer: string, tag: 'ID' | 'Remote-ID', name: string): readonly Edit[] => [
  ...set(peer, { [tag]: `id-${name}` }),
  ...set(`id-${name}`, { 'ID-type': 'FQDN', Name: name }),
];

const life = (section: string, seconds: number): readonly Edit[] =>
  set(section, { LIFE_TYPE: 'SECONDS', LIFE_DURATION: String(seconds) });

const network = (address: string, netmask: string): Readonly<Record<string, string>> => ({
  'ID-type': 'IPV4_ADDR_SUBNET',
  Network: address,
  Netmask: netmask,
  Protocol: 'tcp',
});

const networkOf = (gateway: number): string => `172.${16 + (gateway >> 16)}.${(gateway >> 8) & 0xff}.${gateway & 0xff}`;

/** The concentrator. */
const HUB = '127.0.0.1';
