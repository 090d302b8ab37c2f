/** Tunnel and transport mode as they are negotiated: plain, or in UDP across a NAT (RFC 3947 §5.1; its drafts have private numbers for the same). */
import { EncapsulationMode, ProtocolId } from '../constants/ipsec-doi.ts';
import type { NatTraversal } from '../threads/contract.ts';
import type { Suite } from './peer-policy.ts';

/** The same mode by the RFC's number. */
export const standardMode = (mode: number): number => {
  if (mode === EncapsulationMode.UDP_ENCAP_TUNNEL_DRAFT) return EncapsulationMode.UDP_ENCAP_TUNNEL;
  return mode === EncapsulationMode.UDP_ENCAP_TRANSPORT_DRAFT ? EncapsulationMode.UDP_ENCAP_TRANSPORT : mode;
};

/** Of a standard mode. */
export const isInUdp = (mode: number): boolean =>
  mode === EncapsulationMode.UDP_ENCAP_TUNNEL || mode === EncapsulationMode.UDP_ENCAP_TRANSPORT;

/** Of a standard mode. */
export const isTransport = (mode: number): boolean =>
  mode === EncapsulationMode.TRANSPORT || mode === EncapsulationMode.UDP_ENCAP_TRANSPORT;

/** The suites as this peer has to be offered them. AH covers the addresses that a NAT changes: such suites are left out (RFC 3715 §2.1). */
export const suitesAcross = (nat: NatTraversal | undefined, suites: readonly Suite[]): readonly Suite[] => {
  if (nat === undefined) return suites;
  const passing = suites.filter(({ protocols }) =>
    protocols.every(({ protocolId }) => protocolId !== ProtocolId.IPSEC_AH),
  );
  return passing.map(({ name, protocols }) => ({
    name,
    protocols: protocols.map((protocol) => ({
      ...protocol,
      transforms: protocol.transforms.map((transform) => ({
        ...transform,
        encapsulation: modeInUdp(transform.encapsulation, nat.dialect),
      })),
    })),
  }));
};

const modeInUdp = (mode: number, dialect: NatTraversal['dialect']): number => {
  if (mode === EncapsulationMode.TUNNEL) {
    return dialect === 'rfc' ? EncapsulationMode.UDP_ENCAP_TUNNEL : EncapsulationMode.UDP_ENCAP_TUNNEL_DRAFT;
  }
  if (mode !== EncapsulationMode.TRANSPORT) return mode;
  return dialect === 'rfc' ? EncapsulationMode.UDP_ENCAP_TRANSPORT : EncapsulationMode.UDP_ENCAP_TRANSPORT_DRAFT;
};
