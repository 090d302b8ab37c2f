/** ipsec.conf(5) and ipsec.secrets(5) of libreswan for a set-up. */
import { join } from 'node:path';
import { CIPHERS, GROUPS, HASHES } from './algorithms.ts';
import { dnsKey, type KeyOwner, otherSide } from './keys.ts';
import type { Net, Prefix, Setup } from './setup.ts';

/** `keys`: the folder with the keys of both sides. */
export const ipsecConf = (setup: Setup, keys: string): string =>
  [
    'config setup',
    '\tprotostack=xfrm',
    '\tikev1-policy=accept',
    ...[...setup.nets, ...setup.claims].flatMap((net) => [
      '',
      `conn ${net.name}`,
      ...conn(setup, net, keys).map((line) => `\t${line}`),
    ]),
    '',
  ].join('\n');

export const ipsecSecrets = ({ proof: { kind }, secret }: Setup): string =>
  kind === 'secret' ? `: PSK "${secret}"\n` : '';

/** pluto begins to replace an SA `rekeymargin` seconds before its end; with rekey=no it lets it expire. */
const conn = (setup: Setup, net: Net, keys: string): readonly string[] => [
  'ikev2=no',
  ...proofLines(setup, keys),
  `aggressive=${setup.aggressive ? 'yes' : 'no'}`,
  `ike=${CIPHERS[setup.phase1.cipher].pluto}-${HASHES[setup.phase1.hash].pluto};${GROUPS[setup.phase1.group].pluto}`,
  `phase2alg=${esp(setup)}`,
  `pfs=${setup.phase2.group === undefined ? 'no' : 'yes'}`,
  `encapsulation=${setup.forcesEncapsulation ? 'yes' : 'auto'}`,
  `type=${setup.transport ? 'transport' : 'tunnel'}`,
  `hostaddrfamily=ipv${setup.family}`,
  `left=${setup.local}`,
  `leftid=${identity(setup.localId)}`,
  `right=${setup.remote}`,
  `rightid=${identity(setup.remoteId)}`,
  ...(setup.transport ? [] : [`leftsubnet=${cidr(net.local)}`, `rightsubnet=${cidr(net.remote)}`]),
  'leftupdown=/bin/true',
  // Otherwise pluto waits for a retransmission before it believes that a message is too large.
  ...(setup.fragmentSize === undefined ? [] : ['fragmentation=force']),
  ...(setup.lifetimes.phase1 === undefined ? [] : [`ikelifetime=${setup.lifetimes.phase1}s`]),
  ...(setup.lifetimes.phase2 === undefined ? [] : [`salifetime=${setup.lifetimes.phase2}s`]),
  ...(setup.renews ? ['rekeymargin=4s', 'rekeyfuzz=0%'] : ['rekey=no']),
  'auto=add',
];

/** Certificates and private keys are in the NSS database, under the name of their owner. */
const proofLines = ({ proof, side, keys: owner }: Setup, keys: string): readonly string[] => {
  if (proof.kind === 'secret') return ['authby=secret'];
  if (proof.kind === 'certificate') {
    // Whose certificate it has it does not ask for another one.
    const other = proof.asks ? ['rightca=%any'] : [`rightcert=${otherSide(side)}`];
    return ['authby=rsasig', `leftcert=${owner}`, 'leftsendcert=always', 'sendca=issuer', ...other];
  }
  const key = (whose: KeyOwner): string => dnsKey(join(keys, `${whose}-rsa.pub`));
  return ['authby=rsasig', `leftrsasigkey=${key(owner)}`, `rightrsasigkey=${key(otherSide(side))}`];
};

const esp = ({ phase2 }: Setup): string => {
  const algorithms =
    phase2.hash === undefined
      ? phase2.cipher.replace('aes', 'aes_gcm')
      : `${CIPHERS[phase2.cipher].pluto}-${HASHES[phase2.hash].pluto}`;
  return phase2.group === undefined ? algorithms : `${algorithms};${GROUPS[phase2.group].pluto}`;
};

/** A name that is not an address is written with an @, so that it is not looked up. */
const identity = (id: string): string => (/^[0-9.]+$|:/.test(id) ? id : `@${id}`);

const cidr = (prefix: Prefix): string => `${prefix.address}/${prefix.length}`;
