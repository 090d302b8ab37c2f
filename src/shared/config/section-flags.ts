/** What `Flags` may name, by kind of section. */
import { flag, notYet, type Tag } from './schema.ts';
import { NO_MODE_CONFIG } from './sections.ts';

export const PEER_FLAGS: readonly Tag<unknown>[] = [
  flag('delete-children', 'IPsec SAs die with the ISAKMP SA that made them.'),
  flag('force-encap', 'ESP goes in UDP even where no NAT is found, for firewalls that let nothing else through.'),
  flag('no-fragmentation', 'IKE messages are not sent in IKE fragments, nor taken from the peer.'),
  flag('sha2-96', 'HMAC_SHA2_256 of IPsec SAs is truncated to 96 bits, as old Android phones do, in place of 128.'),
  notYet(flag('ikecfg', 'Addresses are handed out after phase 1.'), NO_MODE_CONFIG),
];

export const CONNECTION_FLAGS: readonly Tag<unknown>[] = [
  flag('Active-only', 'Never accepted from the peer.'),
  notYet(flag('ikecfg', 'Addresses are asked for after phase 1.'), NO_MODE_CONFIG),
  flag(
    '__ondemand',
    'Made for a packet that met a policy of somebody else: none is made for it. The daemon writes it.',
  ),
];
