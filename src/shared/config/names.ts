/** Constant names of isakmpd.conf(5) to the numbers of the wire: `3DES_CBC`, `TUNNEL`, `tcp`, `ntp`. In upper and lower case alike. */
import { fold } from './case-fold.ts';

/** The look-up for one of the tables in src/shared/constants. */
export const numberByName = (table: Readonly<Record<string, number>>): ((name: string) => number | undefined) => {
  const numbers = new Map(Object.entries(table).map(([name, number]) => [fold(name), number]));
  return (name) => numbers.get(fold(name));
};

/** A number up to `most` in decimal digits, a name from the table as its number, or another name as it is: the system may know it. */
export const numberOrName = (
  table: Readonly<Record<string, number>>,
  most: number,
): ((text: string) => number | string | undefined) => {
  const byName = numberByName(table);
  return (text) => {
    if (!/^\d+$/.test(text)) return byName(text) ?? (NAME.test(text) ? text : undefined);
    return Number(text) <= most ? Number(text) : undefined;
  };
};
const NAME = /^[A-Za-z][\w.+*/-]{0,63}$/;

/** The lines `name number aliases` of protocols(5), and `name number/protocol aliases` of services(5); the first of a name counts. Names folded. */
export const numbersByName = (text: string): ReadonlyMap<string, number> => {
  const numbers = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [name = '', number = '', ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    const [digits] = /^\d{1,5}(?=\/|$)/.exec(number) ?? [];
    if (digits === undefined) continue;
    for (const known of [name, ...aliases].map(fold)) if (!numbers.has(known)) numbers.set(known, Number(digits));
  }
  return numbers;
};

/** IP protocols as /etc/protocols names them (IANA Assigned Internet Protocol Numbers): those that selectors are made of. */
export const IP_PROTOCOLS = {
  icmp: 1,
  igmp: 2,
  ipencap: 4,
  ipip: 4,
  tcp: 6,
  udp: 17,
  ipv6: 41,
  gre: 47,
  esp: 50,
  ah: 51,
  'ipv6-icmp': 58,
  icmp6: 58,
  ospf: 89,
  etherip: 97,
  pim: 103,
  carp: 112,
  l2tp: 115,
  sctp: 132,
} as const;

/** Ports as /etc/services names them (IANA Service Name and Transport Protocol Port Number Registry): those that selectors are made of. */
export const SERVICES = {
  'ftp-data': 20,
  ftp: 21,
  ssh: 22,
  telnet: 23,
  smtp: 25,
  domain: 53,
  tftp: 69,
  http: 80,
  kerberos: 88,
  pop3: 110,
  sunrpc: 111,
  ntp: 123,
  imap: 143,
  snmp: 161,
  snmptrap: 162,
  bgp: 179,
  ldap: 389,
  https: 443,
  isakmp: 500,
  syslog: 514,
  ldaps: 636,
  iscsi: 3260,
  mysql: 3306,
  rdp: 3389,
  'ipsec-nat-t': 4500,
  postgresql: 5432,
  l2tp: 1701,
  radius: 1812,
  'radius-acct': 1813,
  nfsd: 2049,
  nfs: 2049,
} as const;
