/** isakmpd.conf(5) for a set-up. */
import { CIPHERS, GROUPS, HASHES } from './algorithms.ts';
import { keyTypeOf } from './keys.ts';
import type { KeyType } from './scenarios.ts';
import type { Net, Prefix, Setup } from './setup.ts';

/** A short life is also the longest accepted: as responder we then shorten what the peer offers, and renew first. */
const lifetime = (short: number | undefined, normal: number): string =>
  short === undefined ? `${normal},5:86400` : `${short},5:${short}`;

/** `folder`: where its keys are. */
export const isakmpdConf = (setup: Setup, folder: string): string => {
  const byPolicy = setup.permittedBy === 'policy';
  const own = byPolicy ? [] : setup.nets;
  const names = own.map((net) => net.name);
  const strangers = setup.stranger === undefined ? [] : [setup.stranger.net.name];
  const passive = setup.initiates ? strangers : [...names, ...strangers];
  return [
    section('General', [
      ['Listen-on', setup.local],
      ...(setup.kernel === undefined ? [] : [['Kernel', setup.kernel] as const]),
      ['Retransmits', '2'],
      ...(setup.fragmentSize === undefined ? [] : [['IKE-fragment-size', String(setup.fragmentSize)] as const]),
      ['Exchange-max-time', '30'],
      ['Default-phase-1-lifetime', lifetime(setup.lifetimes.phase1, 3600)],
      ['Default-phase-2-lifetime', lifetime(setup.lifetimes.phase2, 1200)],
      ['Pubkey-directory', `${folder}/pubkeys`],
      ...(byPolicy ? policyTags(setup, folder) : []),
    ]),
    ...signing(setup, folder),
    section('Phase 1', [
      [byPolicy ? 'Default' : setup.remote, 'peer'],
      ...(setup.stranger === undefined ? [] : [[setup.stranger.address, 'stranger'] as const]),
    ]),
    section('Phase 2', [
      ...(setup.initiates ? [['Connections', names.join(',')] as const] : []),
      ...(passive.length > 0 ? [['Passive-connections', passive.join(',')] as const] : []),
    ]),
    ...peer('peer', byPolicy ? undefined : setup.remote, setup, [
      ['ID', 'our-id'],
      ...(byPolicy ? [] : [['Remote-ID', 'peer-id'] as const]),
    ]),
    identity('our-id', setup.localId, setup),
    ...(byPolicy ? [] : [identity('peer-id', setup.remoteId, setup)]),
    ...own.flatMap((net) => connection('peer', net)),
    section('quick-mode', [
      ['EXCHANGE_TYPE', 'QUICK_MODE'],
      ['Suites', suite(setup)],
    ]),
    ...(setup.stranger === undefined
      ? []
      : [...peer('stranger', setup.stranger.address, setup, []), ...connection('stranger', setup.stranger.net)]),
  ].join('\n');
};

type Tag = readonly [string, string];

const section = (name: string, tags: readonly Tag[]): string =>
  [`[${name}]`, ...tags.map(([tag, value]) => `${tag}=${value}`), ''].join('\n');

/** What our daemon asks where it has no connection section for what comes. */
const policyTags = (setup: Setup, folder: string): readonly Tag[] => [
  ['Policy-file', policyFile(folder)],
  ['Default-phase-2-suites', suite(setup)],
];

export const policyFile = (folder: string): string => `${folder}/isakmpd.policy`;

/** isakmpd.policy(5): who knows the secret may have any network, that of another peer as well, so that only the daemon keeps those apart. */
export const policyText = ({ secret }: Setup): string => `Authorizer: "POLICY"
Licensees: "passphrase:${secret}"
Conditions: app_domain == "IPsec policy" && esp_present == "yes" && remote_filter_type == "IPv4 subnet" -> "true";
`;

/** `address` undefined: any. */
const peer = (name: string, address: string | undefined, setup: Setup, extra: readonly Tag[]): readonly string[] => [
  section(name, [
    ['Phase', '1'],
    ...(address === undefined ? [] : [['Address', address] as const]),
    ['Local-address', setup.local],
    ['Configuration', `${name}-phase1`],
    ...(setup.proof.kind === 'secret' ? [['Authentication', setup.secret] as const] : []),
    ...(setup.forcesEncapsulation ? [['Flags', 'force-encap'] as const] : []),
    ...extra,
  ]),
  section(`${name}-phase1`, [
    ['EXCHANGE_TYPE', setup.aggressive ? 'AGGRESSIVE' : 'ID_PROT'],
    ['Transforms', transform(setup)],
  ]),
];

const identity = (name: string, id: string, setup: Setup): string =>
  section(
    name,
    id === setup.local || id === setup.remote
      ? [
          ['ID-type', `IPV${setup.family}_ADDR`],
          ['Address', id],
        ]
      : [
          ['ID-type', 'FQDN'],
          ['Name', id],
        ],
  );

const connection = (peerName: string, net: Net): readonly string[] => [
  section(net.name, [
    ['Phase', '2'],
    ['ISAKMP-peer', peerName],
    ['Configuration', 'quick-mode'],
    ['Local-ID', `${net.name}-local`],
    ['Remote-ID', `${net.name}-remote`],
  ]),
  prefix(`${net.name}-local`, net.local),
  prefix(`${net.name}-remote`, net.remote),
];

const prefix = (name: string, { address, length }: Prefix): string => {
  const family = address.includes(':') ? 6 : 4;
  if (length === (family === 4 ? 32 : 128)) {
    return section(name, [
      ['ID-type', `IPV${family}_ADDR`],
      ['Address', address],
    ]);
  }
  return section(name, [
    ['ID-type', `IPV${family}_ADDR_SUBNET`],
    ['Network', address],
    ['Netmask', family === 4 ? '255.255.255.0' : 'ffff:ffff:ffff:ffff::'],
  ]);
};

/** The generated names of behaviour the operators know: ENC-HASH-GRPn and QM-ESP[-TRP]-CIPHER-HASH[-PFS-GRPn]-SUITE. */
const transform = ({ phase1, proof }: Setup): string => (proof.kind === 'secret' ? secretTransform(phase1) : SIGNING);

const secretTransform = ({ cipher, hash, group }: Setup['phase1']): string =>
  `${CIPHERS[cipher].isakmpd}-${HASHES[hash].isakmpd}-${GROUPS[group].isakmpd}`;

/** A transform with the method of the key (group 14, as all of these scenarios), and where keys and certificates are. */
const signing = ({ proof, phase1 }: Setup, folder: string): readonly string[] => {
  const type = keyTypeOf(proof);
  if (type === undefined) return [];
  return [
    section('X509-certificates', [
      ['Private-key', `${folder}/private/local.key`],
      ['Private-key-directory', `${folder}/private`],
      ['CA-directory', `${folder}/ca`],
      ['Cert-directory', `${folder}/certs`],
      ['CRL-directory', `${folder}/crls`],
    ]),
    section(SIGNING, [
      ['ENCRYPTION_ALGORITHM', 'AES_CBC'],
      ['KEY_LENGTH', phase1.cipher.replace('aes', '')],
      ['HASH_ALGORITHM', HASHES[phase1.hash].isakmpd.replaceAll('-', '_')],
      ['AUTHENTICATION_METHOD', METHODS[type]],
      ['GROUP_DESCRIPTION', 'MODP_2048'],
      ['Life', 'LIFE_MAIN_MODE'],
    ]),
  ];
};

const SIGNING = 'signing';
const METHODS: Readonly<Record<KeyType, string>> = {
  rsa: 'RSA_SIG',
  p256: 'ECDSA_256',
  p384: 'ECDSA_384',
  p521: 'ECDSA_521',
};

const suite = ({ phase2, transport }: Setup): string =>
  [
    'QM-ESP',
    ...(transport ? ['TRP'] : []),
    ...(phase2.hash === undefined
      ? [CIPHERS[phase2.cipher].isakmpd.replace('AES', 'AESGCM')]
      : [CIPHERS[phase2.cipher].isakmpd, HASHES[phase2.hash].isakmpd]),
    ...(phase2.group === undefined ? [] : ['PFS', GROUPS[phase2.group].isakmpd]),
    'SUITE',
  ].join('-');
