/**
 * Every section and tag of isakmpd.conf(5), one row each: kind, default, documentation, and what is not there yet. A new tag is a
 * new row and the place that reads it.
 */
import {
  AhTransform,
  AuthenticationAlgorithm,
  EncapsulationMode,
  EspTransform,
  IdType,
  ProtocolId,
} from '../constants/ipsec-doi.ts';
import { Doi, ExchangeType } from '../constants/isakmp.ts';
import {
  AuthenticationMethod,
  EncryptionAlgorithm,
  GroupDescription,
  HashAlgorithm,
  LifeType,
} from '../constants/oakley.ts';
import {
  address,
  addresses,
  constant,
  constantOrAny,
  flag,
  hostAddress,
  interfaceId,
  ipProtocol,
  list,
  logLevels,
  mark,
  notYet,
  number,
  oneOf,
  path,
  port,
  range,
  rangeOrAny,
  seconds,
  secondsOrOff,
  secret,
  sectionList,
  sectionName,
  type Tag,
  text,
  yesNo,
} from './schema.ts';

export const NO_MODE_CONFIG = 'addresses are not handed out by mode config';
const NO_OWN_GROUPS = 'groups are chosen by GROUP_DESCRIPTION only';
const NO_COMPRESSION = 'IPCOMP is not there';
const KERNEL_ONLY = 'it is written by kernels that bring their own credentials, which none does here';

export const GENERAL = {
  acquireOnly: flag('Acquire-Only', 'Flows are not installed or removed, as with -a.'),
  blockOnExit: yesNo(
    'Block-on-exit',
    'Whether the policies of connections stay when the daemon is told to end, so that their traffic goes nowhere in clear.',
    'no',
  ),
  checkInterval: seconds('Check-interval', 'How often the connections that should be up are looked after.', '60'),
  defaultPhase1Id: sectionName('Default-phase-1-ID', 'Our own identity in phase 1 where a peer section has no ID.'),
  defaultPhase1Lifetime: range('seconds')('Default-phase-1-lifetime', 'How long an ISAKMP SA lives.', '3600,60:86400'),
  defaultPhase2Lifetime: range('seconds')('Default-phase-2-lifetime', 'How long an IPsec SA lives.', '1200,60:86400'),
  defaultPhase2Suites: sectionList(
    'Default-phase-2-suites',
    'What a connection without Configuration negotiates, and what a peer without a fitting connection gets if the policy permits it.',
  ),
  deleteSas: yesNo('Delete-SAs', 'Whether SAs are deleted when the daemon ends.', 'yes'),
  dpdCheckInterval: secondsOrOff(
    'DPD-check-interval',
    'For how long nothing may come from a peer before it is asked whether it lives; 0: it is never asked.',
    '0',
  ),
  exchangeMaxTime: seconds('Exchange-max-time', 'How long an exchange may take before it is given up.', '120'),
  ikeFragmentSize: number('bytes', 256, 65_535)(
    'IKE-fragment-size',
    'IKE messages that need a larger IP packet go in IKE fragments that do not, to peers that say they take them. What the path to the peer carries without loss of IP fragments.',
    '1280',
  ),
  kernel: oneOf(
    'auto',
    'xfrm',
    'pfkey',
    'userland',
    'none',
  )(
    'Kernel',
    'Where IPsec SAs and policies go. auto: the kernel by XFRM, else by PF_KEY; never none. userland: ESP in the daemon itself, in tunnel mode, through a device isakmpd0, routing tables 220 and 221, rules 100 to 112 and mark 500. -n is as none.',
    'auto',
  ),
  legacyDefaults: yesNo(
    'Legacy-defaults',
    'Whether the weak transforms and suites of the original are used where nothing is configured.',
    'no',
  ),
  listenOn: addresses(
    'Listen-on',
    'Local addresses, or interfaces or hosts whose addresses are used; all there are where this is absent. One that is not there yet is waited for, one that cannot be is left out; if all cannot be, the daemon does not start, and a reload changes nothing.',
  ),
  logLevel: logLevels('Loglevel', 'Debugging levels as class=level, as with -D.'),
  logVerbose: flag('Logverbose', 'Completed exchanges are logged, as with -v.'),
  natTKeepalive: seconds('NAT-T-Keepalive', 'How often a NAT before us is kept awake.', '20'),
  policyFile: path(
    'Policy-file',
    'The KeyNote policy: isakmpd.policy(5). Read at start and at each reload.',
    '/etc/isakmpd/isakmpd.policy',
  ),
  pubkeyDirectory: path(
    'Pubkey-directory',
    'Raw public keys of peers in PEM, in directories by the kind of identity (ipv4, ipv6, fqdn, ufqdn, asn1_dn, keyid), each in a file named after the identity.',
    '/etc/isakmpd/pubkeys/',
  ),
  renegotiateOnHup: flag('Renegotiate-on-HUP', 'All connections are negotiated anew after a reload.'),
  retransmits: number('repetitions', 0, 100)('Retransmits', 'How often an unanswered message is sent again.', '3'),
  sharedSadb: flag(
    'Shared-SADB',
    'Both ends share one kernel: what the other end has added already is no error, and replays are not looked for.',
  ),
  useKeynote: yesNo('Use-Keynote', 'Whether the policy has to permit IPsec SAs; not with -K.', 'yes'),
} as const;

const PHASE_1 = {
  fallback: sectionName('Default', 'Peer section for addresses that have no tag of their own here.'),
} as const;

const PHASE_2 = {
  connections: sectionList('Connections', 'Connections that we keep up.'),
  passiveConnections: sectionList('Passive-connections', 'Connections that we only accept.'),
} as const;

export const PEER = {
  phase: number('phase', 1, 2)('Phase', 'Always 1.'),
  address: hostAddress(
    'Address',
    'Address of the peer, or the name of a host that is looked up at each attempt; without it we only wait for the peer.',
  ),
  localAddress: address('Local-address', 'Our own address towards this peer.'),
  port: port('Port', 'UDP port of the peer.', '500'),
  transport: text('Transport', 'Always udp.', 'udp'),
  configuration: sectionName('Configuration', 'ISAKMP configuration to use.', 'Default-phase-1-configuration'),
  authentication: secret('Authentication', 'The pre-shared key: text, or 0x and hex digits.'),
  id: sectionName('ID', 'Our own identity towards this peer.'),
  remoteId: sectionName('Remote-ID', 'The identity that the peer must have; any where this is absent.'),
  flags: list(
    'Flags',
    'delete-children: IPsec SAs die with the ISAKMP SA that made them. force-encap: ESP goes in UDP even where no NAT is found.',
    '',
  ),
  checkSuites: yesNo(
    'Check-suites',
    'Whether only the Suites of a connection are accepted from this peer; with no, all that we can do.',
    'yes',
  ),
  legacyCrypto: yesNo(
    'Legacy-crypto',
    'Whether single DES, group 1 and ESP without authentication may be used with this peer.',
    'no',
  ),
  unique: oneOf('replace', 'keep', 'never')(
    'Unique',
    'What INITIAL-CONTACT and a second ISAKMP SA of one identity do to the first.',
    'replace',
  ),
  credentials: notYet(text('Credentials', 'Credentials from the kernel.'), KERNEL_ONLY),
  credentialType: notYet(text('Credential_Type', 'Kind of the credentials from the kernel.'), KERNEL_ONLY),
  publicKeyAuthentication: notYet(text('PKAuthentication', 'Key from the kernel.'), KERNEL_ONLY),
  refcount: text('Refcount', 'Users of a section that was made for a packet; the daemon writes it.'),
} as const;

export const IDENTITY = {
  type: constant(IdType)('ID-type', 'Kind of the identity.'),
  address: address('Address', 'The address of an IPV4_ADDR or IPV6_ADDR.'),
  network: address('Network', 'The network of an IPV4_ADDR_SUBNET or IPV6_ADDR_SUBNET.'),
  netmask: address('Netmask', 'The netmask of a network, written as an address.'),
  name: text(
    'Name',
    'The name of an FQDN or USER_FQDN; of a KEY_ID its text, or 0x and hex digits; of a DER_ASN1_DN its parts as /C=SE/O=Company/CN=gate or, in the order of RFC 4514, CN=gate,O=Company,C=SE.',
  ),
  protocol: ipProtocol('Protocol', 'IP protocol that the connection carries; any where this is absent.', '0'),
  port: port('Port', 'Port that the connection carries; any where this is absent.', '0'),
} as const;

export const ISAKMP_CONFIGURATION = {
  doi: constant(Doi)('DOI', 'Always IPSEC.', 'IPSEC'),
  exchangeType: constant(ExchangeType)('EXCHANGE_TYPE', 'ID_PROT (main mode) or AGGRESSIVE.'),
  transforms: sectionList('Transforms', 'Transforms to offer and accept, the best one first.'),
} as const;

export const PHASE_1_TRANSFORM = {
  encryption: constantOrAny(EncryptionAlgorithm)('ENCRYPTION_ALGORITHM', 'Cipher that protects phase 1.'),
  keyLength: range('bits')('KEY_LENGTH', 'Key length of the cipher, where it takes several.'),
  hash: constantOrAny(HashAlgorithm)('HASH_ALGORITHM', 'Hash that keys are derived and messages authenticated with.'),
  authentication: constantOrAny(AuthenticationMethod)('AUTHENTICATION_METHOD', 'How the two sides prove who they are.'),
  group: constantOrAny(GroupDescription)('GROUP_DESCRIPTION', 'Diffie-Hellman group.'),
  life: sectionList('Life', 'Lifetimes, or ANY.', ''),
  prf: notYet(text('PRF', 'Pseudo-random function.'), 'the standard names none: it is always the HMAC of the hash'),
  groupType: notYet(text('GROUP_TYPE', 'Kind of a group of your own.'), NO_OWN_GROUPS),
  fieldSize: notYet(text('FIELD_SIZE', 'Field size of a group of your own.'), NO_OWN_GROUPS),
  groupOrder: notYet(text('GROUP_ORDER', 'Order of a group of your own.'), NO_OWN_GROUPS),
} as const;

export const LIFETIME = {
  type: constant(LifeType)('LIFE_TYPE', 'What is counted.'),
  duration: rangeOrAny('seconds or kilobytes')('LIFE_DURATION', 'How much of it; ANY accepts all and offers none.'),
} as const;

export const CONNECTION = {
  phase: number('phase', 1, 2)('Phase', 'Always 2.'),
  peer: sectionName('ISAKMP-peer', 'Peer section of the other end.'),
  configuration: sectionName(
    'Configuration',
    'IPsec configuration to use; without it [General]:Default-phase-2-suites are.',
  ),
  localId: sectionName('Local-ID', 'Our end of the tunnel.'),
  remoteId: sectionName('Remote-ID', 'The other end; with a Local-ID alone we accept any.'),
  natId: sectionName('NAT-ID', 'Sent as our end in place of Local-ID: what the peer sees behind a source NAT of ours.'),
  flags: list('Flags', 'Active-only: never accepted from the peer.', ''),
  mark: mark(
    'Mark',
    'For route-based tunnels of Linux (XFRM only): packets with this mark use the connection, others do not; of the mark only the bits of the mask count.',
  ),
  interfaceId: interfaceId(
    'Interface-id',
    'For route-based tunnels of Linux (XFRM only): what is routed through the xfrm interface of this if_id uses the connection.',
  ),
  pfTag: notYet(text('PF-Tag', 'Tag for packets of this connection.'), 'packets are not tagged'),
  interface: notYet(
    text('Interface', 'Interface of a route-based tunnel.'),
    'route-based tunnels are not there, and without one this connection would take all traffic',
  ),
  acquireId: notYet(text('Acquire-ID', 'Flow that the kernel asked for.'), KERNEL_ONLY),
  refcount: text('Refcount', 'Users of a section that was made for a packet; the daemon writes it.'),
} as const;

export const IPSEC_CONFIGURATION = {
  doi: constant(Doi)('DOI', 'Always IPSEC.', 'IPSEC'),
  exchangeType: constant(ExchangeType)('EXCHANGE_TYPE', 'Always QUICK_MODE.', 'QUICK_MODE'),
  suites: sectionList('Suites', 'Suites to offer and accept, the best one first.'),
} as const;

export const SUITE = {
  protocols: sectionList('Protocols', 'Protocols that are negotiated together.'),
} as const;

export const PROTOCOL = {
  protocolId: constant(ProtocolId)('PROTOCOL_ID', 'IPSEC_ESP or IPSEC_AH.'),
  transforms: sectionList('Transforms', 'Transforms to offer and accept, the best one first.'),
  replayWindow: number('packets', 0, 4096)('ReplayWindow', 'How far packets may overtake each other.', '64'),
} as const;

export const PHASE_2_TRANSFORM = {
  transformId: constant({ ...EspTransform, ...AhTransform })('TRANSFORM_ID', 'Cipher of ESP, or hash of AH.'),
  encapsulation: constant(EncapsulationMode)('ENCAPSULATION_MODE', 'TUNNEL or TRANSPORT.', 'TUNNEL'),
  authentication: constant(AuthenticationAlgorithm)(
    'AUTHENTICATION_ALGORITHM',
    'How packets are authenticated; nothing where the cipher does that by itself.',
  ),
  group: constant(GroupDescription)(
    'GROUP_DESCRIPTION',
    'Diffie-Hellman group for perfect forward secrecy; none where this is absent.',
  ),
  keyLength: range('bits')('KEY_LENGTH', 'Key length of the cipher, where it takes several.'),
  life: sectionList('Life', 'Lifetimes, or ANY.', ''),
  keyRounds: notYet(text('KEY_ROUNDS', 'Rounds of the cipher.'), 'no cipher here has a choice of rounds'),
  ecnTunnel: notYet(text('ECN_TUNNEL', 'Congestion notification through the tunnel.'), 'it is not negotiated'),
  dictionarySize: notYet(text('COMPRESS_DICTIONARY_SIZE', 'Dictionary of the compression.'), NO_COMPRESSION),
  privateAlgorithm: notYet(text('COMPRESS_PRIVATE_ALGORITHM', 'Compression of a vendor.'), NO_COMPRESSION),
} as const;

/** Rows of TRANSFORM_ID by protocol: the same name means different numbers. */
export const ESP_TRANSFORM_ID = constant(EspTransform)('TRANSFORM_ID', 'Cipher of ESP.');
export const AH_TRANSFORM_ID = constant(AhTransform)('TRANSFORM_ID', 'Hash of AH.');

export const INITIATOR_ID = {
  authentication: secret(
    'Authentication',
    'The pre-shared key of the identity that the section is named after, for aggressive mode.',
  ),
} as const;

export const X509_CERTIFICATES = {
  acceptExpiredCrl: yesNo(
    'Accept-expired-CRL',
    'Revocation lists whose next update is overdue still count, with a warning. Else they refuse every certificate that they tell of.',
    'no',
  ),
  acceptSelfSigned: flag('Accept-self-signed', 'Self-signed certificates of peers are valid.'),
  acceptSha1: yesNo(
    'Accept-SHA1-signatures',
    'Certificates and revocation lists that are signed with SHA-1 are taken, with a warning.',
    'no',
  ),
  caDirectory: path(
    'CA-directory',
    'Certificates of authorities, in PEM, several in a file, or DER. Files that change are read again.',
    '/etc/isakmpd/ca/',
  ),
  certDirectory: path(
    'Cert-directory',
    'Our own certificates, and such as help to find the way from a peer to an authority.',
    '/etc/isakmpd/certs/',
  ),
  crlDirectory: path(
    'CRL-directory',
    'Revocation lists, in PEM or DER. All of them are checked.',
    '/etc/isakmpd/crls/',
  ),
  matchWildcards: yesNo(
    'Match-wildcards',
    '*.example.net in a certificate stands for every host of example.net.',
    'no',
  ),
  minimumRsaBits: number('bits', 1024, 8192)(
    'Minimum-RSA-bits',
    'How long an RSA key has to be, ours and those of peers, with or without certificate, and RSA and DSA keys of CAs. EC keys of certificates have 256 bits at least, whatever this says.',
    '2048',
  ),
  privateKey: path(
    'Private-key',
    'Our private key in PEM, without passphrase: RSA, or ECDSA on P-256, P-384 or P-521.',
    '/etc/isakmpd/private/local.key',
  ),
  privateKeyDirectory: path(
    'Private-key-directory',
    'Private keys of single identities of ours: a file named after the identity counts before Private-key.',
    '/etc/isakmpd/private/',
  ),
  requireCrl: yesNo('Require-CRL', 'A certificate is refused where no revocation list of its issuer is there.', 'no'),
} as const;

export const KEYNOTE = {
  credentialDirectory: path(
    'Credential-directory',
    'KeyNote credentials of ours, in a directory for each identity: the file credentials, which peers are sent, and private_key, the key that the last of them licenses.',
    '/etc/isakmpd/keynote/',
  ),
} as const;

const MODE_CONFIG = {
  mode: text('Mode', 'SET to hand out, anything else to ask.'),
  attributes: list('Attributes', 'What to ask for.'),
  address: address('Address', 'Address for the peer.'),
  netmask: address('Netmask', 'Netmask for the peer.'),
  nameserver: address('Nameserver', 'Name server for the peer.'),
  winsServer: address('WINS-server', 'WINS server for the peer.'),
  dhcpServer: address('DHCP-server', 'DHCP server for the peer.'),
  lifetime: seconds('Lifetime', 'How long the address is valid.', '1200'),
  network: address('Network', 'Network for the peer.'),
  prefix: text('Prefix', 'Prefix for the peer.'),
} as const;

/** One kind of section. */
export interface SectionKind {
  /** With its article, for messages. */
  readonly title: string;
  readonly tags: readonly Tag<unknown>[];
  /** The whole section is known and not there yet. */
  readonly notYet: string | undefined;
}

const kind = (title: string, tags: Readonly<Record<string, Tag<unknown>>>, reason?: string): SectionKind => ({
  title,
  tags: Object.values(tags),
  notYet: reason,
});

export const SECTION_KINDS = {
  general: kind('[General]', GENERAL),
  phase1: kind('[Phase 1]', PHASE_1),
  phase2: kind('[Phase 2]', PHASE_2),
  keynote: kind('[KeyNote]', KEYNOTE),
  x509: kind('[X509-certificates]', X509_CERTIFICATES),
  peer: kind('a peer section', PEER),
  identity: kind('an ID section', IDENTITY),
  isakmpConfiguration: kind('an ISAKMP configuration section', ISAKMP_CONFIGURATION),
  phase1Transform: kind('an ISAKMP transform section', PHASE_1_TRANSFORM),
  lifetime: kind('a lifetime section', LIFETIME),
  connection: kind('a connection section', CONNECTION),
  ipsecConfiguration: kind('an IPsec configuration section', IPSEC_CONFIGURATION),
  suite: kind('a suite section', SUITE),
  protocol: kind('a protocol section', PROTOCOL),
  phase2Transform: kind('an IPsec transform section', PHASE_2_TRANSFORM),
  initiatorId: kind('a section named after an identity', INITIATOR_ID),
  modeConfig: kind('a mode config section', MODE_CONFIG, NO_MODE_CONFIG),
} as const;
