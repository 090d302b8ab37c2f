/** No kernel (`-n`): everything is accepted and nothing is kept, so that IKE can be run without IPsec. */
import {
  AhTransform,
  AuthenticationAlgorithm,
  EncapsulationMode,
  EspTransform,
} from '../../shared/constants/ipsec-doi.ts';
import type { KernelBackend } from '../backend.ts';

export const createNoneBackend = (): KernelBackend => ({
  name: 'none',
  capabilities: {
    espTransforms: new Set(Object.values(EspTransform)),
    ahTransforms: new Set(Object.values(AhTransform)),
    authentications: new Set(Object.values(AuthenticationAlgorithm)),
    encapsulations: new Set(Object.values(EncapsulationMode)),
    onlySha2Truncation96: false,
    lastUse: false,
    routes: true,
  },
  addSa: async () => {},
  moveSa: async ({ protocolId, spi }, _source, { address }) => ({ protocolId, spi, destination: address }),
  deleteSa: async () => {},
  querySa: async () => ({ bytes: 0, packets: 0, addedAt: 0, usedAt: 0 }),
  putFlow: async () => {},
  deleteFlow: async () => {},
  listOwn: async () => ({ sas: [], policies: [] }),
  purgeOwn: async () => {},
  removeLeftovers: async () => 0,
  close: async () => {},
});
