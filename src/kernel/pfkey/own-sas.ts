/** Which SAs of ours the kernel has, as far as we know: for upcalls that name an SA by half, and to find what is gone when messages were lost. */
import { addressFromBytes, type Endpoint } from '../../shared/address.ts';
import type { SaId } from '../../shared/connection/events.ts';
import { ProtocolId } from '../../shared/constants/ipsec-doi.ts';
import { bytesOf } from './sa-requests.ts';

export interface OwnSa {
  readonly id: SaId;
  /** Text: outer source as the kernel has it. */
  readonly source: string;
  readonly reqid: number;
  /** Where packets come from, as far as the daemon was told. Port 0: not encapsulated. */
  place: Endpoint;
}

export class OwnSas {
  readonly #byName = new Map<string, OwnSa>();
  /** By protocol and SPI: an X_NAT_T_NEW_MAPPING names no destination. */
  readonly #bySpi = new Map<string, readonly OwnSa[]>();

  /** reqid and destination of the ESP SAs among them. */
  readonly #esp = new Set<string>();

  add(sa: OwnSa): void {
    this.remove(sa.id);
    this.#byName.set(nameOf(sa.id), sa);
    if (sa.id.protocolId === ProtocolId.IPSEC_ESP) this.#esp.add(pairOf(sa.reqid, sa.id.destination));
    const key = spiOf(sa.id);
    this.#bySpi.set(key, [...(this.#bySpi.get(key) ?? []), sa]);
  }

  /** Undefined: not known. */
  remove(id: SaId): OwnSa | undefined {
    const sa = this.#byName.get(nameOf(id));
    if (sa === undefined) return undefined;
    this.#byName.delete(nameOf(id));
    if (id.protocolId === ProtocolId.IPSEC_ESP) this.#esp.delete(pairOf(sa.reqid, id.destination));
    const others = (this.#bySpi.get(spiOf(id)) ?? []).filter((one) => one !== sa);
    if (others.length > 0) this.#bySpi.set(spiOf(id), others);
    else this.#bySpi.delete(spiOf(id));
    return sa;
  }

  get(id: SaId): OwnSa | undefined {
    return this.#byName.get(nameOf(id));
  }

  hasEsp(reqid: number, destination: string): boolean {
    return this.#esp.has(pairOf(reqid, destination));
  }

  /** `source`: where the peer was, as text. */
  withSource(protocolId: number, spi: number, source: string): OwnSa | undefined {
    return this.#bySpi.get(`${protocolId} ${spi}`)?.find((sa) => plain(sa.source) === plain(source));
  }

  all(): readonly OwnSa[] {
    return [...this.#byName.values()];
  }
}

/** The same for the same SA, however its address is written. */
export const nameOf = (id: SaId): string => `${spiOf(id)} ${plain(id.destination)}`;

const spiOf = ({ protocolId, spi }: SaId): string => `${protocolId} ${spi}`;

const pairOf = (reqid: number, destination: string): string => `${reqid} ${plain(destination)}`;

/** The kernel's messages have no zones. */
const plain = (address: string): string => addressFromBytes(bytesOf(address)).text;
