/** Which lane a datagram belongs to, decided from its first 16 bytes. Nothing here knows more of ISAKMP than where the cookies are. */
import type { Endpoint } from '../../shared/address.ts';
import { isPrinted, LogClass } from '../../shared/log/classes.ts';
import { debugRecord } from '../../shared/log/debugging.ts';
import { notice } from '../../shared/log/records.ts';
import { type SipKey, siphash, sipKey } from '../../shared/siphash.ts';
import type { Path } from '../../shared/threads/contract.ts';
import type { Logger } from '../log/log.ts';
import type { Lanes } from './lanes.ts';

interface RouterOptions {
  readonly lanes: Pick<Lanes, 'count' | 'post' | 'ensurePeer'>;
  /** Cryptographic random bytes. */
  readonly random: (size: number) => Uint8Array;
  /** The peer section that `[Phase 1]` gives for a source address, '' for none. */
  readonly peerOf: (address: string) => string;
  /** No SA with this peer at this place exists. */
  readonly firstContact: (peer: string, remote: Endpoint) => boolean;
  readonly log: Pick<Logger, 'write'>;
  /** Debug level of each class. */
  readonly levels: Int32Array;
}

/** For metrics: datagrams by what became of them. */
interface RouterCounts {
  readonly routed: number;
  /** Shorter than an ISAKMP header. */
  readonly short: number;
  /** On the NAT-T port, without the non-ESP marker. */
  readonly unmarked: number;
  readonly keepalives: number;
}

export class Router {
  readonly #options: RouterOptions;
  /** Drawn at start: a peer cannot aim its exchanges at one lane (threats: hash flooding). */
  readonly #key: SipKey;
  #routed = 0;
  #short = 0;
  #unmarked = 0;
  #keepalives = 0;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#key = sipKey(options.random(16));
  }

  get counts(): RouterCounts {
    return { routed: this.#routed, short: this.#short, unmarked: this.#unmarked, keepalives: this.#keepalives };
  }

  /** Message 1 has no responder cookie and the initiator's never changes, so it alone decides. Takes the 8 bytes. */
  laneOf(initiatorCookie: Uint8Array): number {
    return siphash(this.#key, initiatorCookie) % this.#options.lanes.count;
  }

  /** Takes a datagram as it came from the socket: on the NAT-T port still with its marker. */
  receive(path: Path, datagram: Uint8Array): void {
    const bytes = path.encapsulated ? this.#unmark(path, datagram) : datagram;
    if (bytes === undefined) return;
    if (bytes.length < HEADER_BYTES) {
      this.#short++;
      return;
    }
    this.#routed++;
    const lane = this.laneOf(bytes.subarray(0, COOKIE_BYTES));
    // Only a message with a zero responder cookie may begin a phase 1.
    const begins = isZero(bytes, COOKIE_BYTES);
    const peer = begins ? this.#options.peerOf(path.remote.address) : '';
    if (begins) this.#trace(lane, path, peer);
    // Of a section that cannot be used the lane gets the name alone, and says so.
    const isUsable = peer !== '' && this.#options.lanes.ensurePeer(lane, peer);
    const firstContact = isUsable && this.#options.firstContact(peer, path.remote);
    this.#options.lanes.post(lane, { kind: 'datagram', path, peer, firstContact, bytes });
  }

  /** What [Phase 1] says of the sender of a first message. */
  #trace(lane: number, { remote: { address, port } }: Path, peer: string): void {
    const { levels, log } = this.#options;
    if (!isPrinted(levels, LogClass.POLICY, 40)) return;
    const which = peer === '' ? 'no peer section' : `peer section ${peer}`;
    const text = `exchange_setup_p1: ${address} has ${which} in [Phase 1], lane ${lane}`;
    log.write(debugRecord(LogClass.POLICY, 40, text, { address, port, ...(peer === '' ? {} : { peer }) }));
  }

  /** RFC 3948 section 2.2: four zero bytes stand before IKE where ESP has its SPI. */
  #unmark(path: Path, datagram: Uint8Array): Uint8Array | undefined {
    if (datagram.length === 1 && datagram[0] === KEEPALIVE) {
      this.#keepalives++;
      return undefined;
    }
    if (datagram.length >= MARKER_BYTES && isZero(datagram, 0, MARKER_BYTES)) return datagram.subarray(MARKER_BYTES);
    this.#unmarked++;
    const text = 'udp_encap_handle_message: Null-ESP marker not NULL or short message';
    this.#options.log.write(notice('natt-marker', text, { address: path.remote.address, port: path.remote.port }));
    return undefined;
  }
}

const isZero = (bytes: Uint8Array, start: number, length = COOKIE_BYTES): boolean => {
  for (let i = start; i < start + length; i++) if (bytes[i] !== 0) return false;
  return true;
};

const COOKIE_BYTES = 8;
const HEADER_BYTES = 28;
const MARKER_BYTES = 4;
/** RFC 3948 section 2.3. */
const KEEPALIVE = 0xff;
