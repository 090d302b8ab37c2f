/** Flows, and what main knows of SAs, for tests of kernel backends between two addresses. */
import type { Flow, SaContext, SaLife } from '../../src/kernel/backend.ts';
import type { SaId } from '../../src/shared/connection/events.ts';
import { ProtocolId } from '../../src/shared/constants/ipsec-doi.ts';
import { NO_ROUTE } from '../../src/shared/flow.ts';
import type { IpsecSa } from '../../src/shared/threads/contract.ts';

/** Of pair 1001, without limits in bytes. */
export const contextsFor =
  ({ softSeconds, hardSeconds }: Pick<SaLife, 'softSeconds' | 'hardSeconds'>) =>
  (more: Partial<SaContext> = {}): SaContext => ({
    reqid: 1001,
    acquire: undefined,
    udp: undefined,
    selectors: undefined,
    life: { softSeconds, hardSeconds, softBytes: 0, hardBytes: 0 },
    sha2Truncation96: false,
    route: NO_ROUTE,
    ...more,
  });

/** 10.1.0.0/24 here, 10.2.0.0/24 there. */
export const flowsBetween =
  (localAddress: string, remoteAddress: string) =>
  (id: number, more: Partial<Flow> = {}): Flow => ({
    id,
    local: net('10.1.0.0'),
    remote: net('10.2.0.0'),
    localAddress,
    remoteAddress,
    protocols: [ProtocolId.IPSEC_ESP],
    encapsulation: 'tunnel',
    reqid: 1001,
    route: NO_ROUTE,
    ...more,
  });

export const idOf = ({ protocolId, spi, destination }: IpsecSa): SaId => ({ protocolId, spi, destination });

export const net = (address: string): Flow['local'] => ({ address, prefixLength: 24, protocol: 0, port: 0 });
