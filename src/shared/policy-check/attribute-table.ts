/** The action attributes of isakmpd.policy(5), a row each: what value they have, and what the manual says of it. */
import { ProtocolId } from '../constants/ipsec-doi.ts';
import { ExchangeType } from '../constants/isakmp.ts';
import { isInUdp, isTransport } from '../policy/encapsulation.ts';
import { identityOfAddress } from '../policy/identity.ts';
import type { Identity } from '../policy/peer-policy.ts';
import type { Phase2ProtocolChoice } from '../policy/phase2-fit.ts';
import type { PeerAction, QuickModeAction } from './action.ts';
import { AUTHENTICATIONS, CIPHERS, HASHES } from './algorithm-names.ts';
import { gmtTime, IDENTITY_TYPES, identityAttribute, localTime } from './attribute-forms.ts';

interface Documented {
  readonly name: string;
  /** For the manual, in sentences; attributes with the same text share their entry. */
  readonly doc: string;
}

interface Phase1Attribute extends Documented {
  readonly since: 'phase 1';
  readonly value: (action: PeerAction) => string;
}

interface QuickModeAttribute extends Documented {
  readonly since: 'quick mode';
  readonly value: (action: QuickModeAction) => string;
}

/** `since`: when the value is known. */
export type ActionAttribute = Phase1Attribute | QuickModeAttribute;

const inPhase1 = (name: string, doc: string, value: Phase1Attribute['value']): Phase1Attribute => ({
  name,
  doc,
  since: 'phase 1',
  value,
});

const inQuickMode = (name: string, doc: string, value: QuickModeAttribute['value']): QuickModeAttribute => ({
  name,
  doc,
  since: 'quick mode',
  value,
});

const addressText = (address: string): string => identityAttribute(identityOfAddress(address), '');
const remoteAddress = ({ path }: PeerAction): string => addressText(path.remote.address);
const localAddress = ({ path }: PeerAction): string => addressText(path.local.address);

const yesOrNo = (value: boolean): string => (value ? 'yes' : 'no');
/** Where the manual page of the original says both "0" and "" of numbers that are not there, it is ''. */
const numberText = (value: number | undefined): string => (value === undefined || value === 0 ? '' : String(value));

const nameIn = (names: ReadonlyMap<number, string>, value: number | undefined): string => names.get(value ?? 0) ?? '';
/** What the manual says of a value that is one of these. */
const oneOf = (names: ReadonlyMap<number, string>): string =>
  [...new Set(names.values())].map((name) => `\`${name}\``).join(', ');

const REMOTE_ADDRESS = 'The address of the peer in IKE.';
const LOCAL_ADDRESS = 'The address of this host in IKE.';

const GENERAL: readonly ActionAttribute[] = [
  inPhase1('app_domain', 'Always `IPsec policy`.', () => 'IPsec policy'),
  inPhase1('doi', 'Always `ipsec`.', () => 'ipsec'),
  inPhase1('phase_1', '`main` or `aggressive`: the exchange of phase 1.', ({ exchangeType }) =>
    exchangeType === ExchangeType.AGGRESSIVE ? 'aggressive' : 'main',
  ),
  inPhase1('phase1_group_desc', 'The number of the Diffie-Hellman group of phase 1, as in `14`.', ({ group }) =>
    numberText(group),
  ),
  inQuickMode('initiator', '`yes` where this daemon has begun the quick mode, `no` where the peer has.', (action) =>
    yesOrNo(action.isInitiator),
  ),
  inQuickMode('pfs', '`yes` where the quick mode has a Diffie-Hellman exchange of its own, else `no`.', ({ choice }) =>
    yesOrNo(choice.group !== undefined),
  ),
  inPhase1('remote_negotiation_address', REMOTE_ADDRESS, remoteAddress),
  inPhase1('remote_ike_address', REMOTE_ADDRESS, remoteAddress),
  inPhase1('local_negotiation_address', LOCAL_ADDRESS, localAddress),
  inPhase1('local_ike_address', LOCAL_ADDRESS, localAddress),
  inPhase1('GMTTimeOfDay', 'The time in GMT, `YYYYMMDDHHMMSS`.', ({ at }) => gmtTime(at)),
  inPhase1('LocalTimeOfDay', 'The same in the time zone of this host.', ({ at }) => localTime(at)),
];

const PROTOCOLS = [
  ['esp', ProtocolId.IPSEC_ESP],
  ['ah', ProtocolId.IPSEC_AH],
] as const;

/** An attribute of one protocol; '' where the candidate does not have that. */
const ofProtocol = (
  [prefix, protocolId]: (typeof PROTOCOLS)[number],
  detail: string,
  doc: string,
  value: (protocol: Phase2ProtocolChoice, action: QuickModeAction) => string,
): ActionAttribute =>
  inQuickMode(`${prefix}_${detail}`, doc, (action) => {
    const protocol = action.choice.protocols.find((one) => one.protocolId === protocolId);
    return protocol === undefined ? '' : value(protocol, action);
  });

const [ESP, AH] = PROTOCOLS;

const OF_PROTOCOLS: readonly ActionAttribute[] = [
  ...PROTOCOLS.map(([prefix, protocolId]) =>
    inQuickMode(`${prefix}_present`, '`yes` where the candidate has the protocol, else `no`.', ({ choice }) =>
      yesOrNo(choice.protocols.some((one) => one.protocolId === protocolId)),
    ),
  ),
  inPhase1('comp_present', 'Always `no`: IPCOMP is not negotiated.', () => 'no'),
  ofProtocol(ESP, 'enc_alg', `The cipher: one of ${oneOf(CIPHERS)}. Every mode of AES is \`aes\`.`, (protocol) =>
    nameIn(CIPHERS, protocol.transformId),
  ),
  ofProtocol(AH, 'hash_alg', `The transform of AH: one of ${oneOf(HASHES)}.`, (protocol) =>
    nameIn(HASHES, protocol.transformId),
  ),
  ...(
    [
      [
        'auth_alg',
        `What authenticates packets: one of ${oneOf(AUTHENTICATIONS)}. Empty with AES-GCM and AES-GMAC, which need nothing beside them.`,
        ({ authentication }) => nameIn(AUTHENTICATIONS, authentication),
      ],
      [
        'key_length',
        'Bits of the key of a cipher that has keys of several lengths, as in `256`.',
        ({ keyLength }) => numberText(keyLength),
      ],
      ['group_desc', 'The number of the group of quick mode.', (_, { choice }) => numberText(choice.group)],
      ['life_seconds', 'The lifetime in seconds.', (_, { choice }) => numberText(choice.lifetimes.seconds)],
      ['life_kbytes', 'The lifetime in kB.', (_, { choice }) => numberText(choice.lifetimes.kilobytes)],
      [
        'encapsulation',
        '`tunnel`, `udp-encap-tunnel` or `transport`; this one in UDP as well.',
        ({ encapsulation }) => modeText(encapsulation),
      ],
      ['ecn', 'Always `no`.', () => 'no'],
    ] as const satisfies readonly (readonly [string, string, Parameters<typeof ofProtocol>[3]])[]
  ).flatMap(([detail, doc, value]) => PROTOCOLS.map((protocol) => ofProtocol(protocol, detail, doc, value))),
];

/** The original calls transport mode in UDP transport, too. */
const modeText = (mode: number): string => {
  if (isTransport(mode)) return 'transport';
  return isInUdp(mode) ? 'udp-encap-tunnel' : 'tunnel';
};

/** By what follows `remote_filter` and its siblings. */
const DETAILS = [
  [
    '',
    'An address, `lower-upper` of a range or subnet, a name as it is, a distinguished name on one line, a key id as text or, where it is none, in hexadecimal.',
  ],
  ['_type', `One of ${oneOf(IDENTITY_TYPES)}.`],
  ['_addr_lower', 'The first address of a range or subnet, or the address; empty for names.'],
  ['_addr_upper', 'The last one.'],
  ['_proto', '`tcp`, `udp`, `etherip`, or the number of another protocol; empty where it is any.'],
  ['_port', 'The number of the port; empty where it is any.'],
] as const;

const FILTERS = [
  ['remote_filter', ({ selectors }: QuickModeAction) => selectors.remote],
  ['local_filter', ({ selectors }: QuickModeAction) => selectors.local],
] as const;

const OF_IDENTITIES = DETAILS.flatMap(([suffix, doc]): readonly ActionAttribute[] => {
  const textOf = (identity: Identity): string => identityAttribute(identity, suffix.slice(1));
  return [
    ...FILTERS.map(([subject, identity]) => inQuickMode(subject + suffix, doc, (action) => textOf(identity(action)))),
    inPhase1(`remote_id${suffix}`, doc, ({ remoteId }) => textOf(remoteId)),
  ];
});

export const ACTION_ATTRIBUTES: readonly ActionAttribute[] = [...GENERAL, ...OF_PROTOCOLS, ...OF_IDENTITIES];
