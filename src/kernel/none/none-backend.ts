/** No kernel (`-n`): everything is accepted and nothing is kept, so that IKE can be run without IPsec. */
import {
  AhTransform,
  AuthenticationAlgorithm,
  EncapsulationMode,
  EspTransform,
} from '../../shared/constants/ipsec-doi.ts';
import type { KernelBackend } from '../backend.ts';

export const createNoneBackend = (): KernelBackend => ({
  capabilities: {
    espTransforms: new Set(Object.values(EspTransform)),
    ahTransforms: new Set(Object.values(AhTransform)),
    authentications: new Set(Object.values(AuthenticationAlgorithm)),
    encapsulations: new Set(Object.values(EncapsulationMode)),
  },
  addSa: async () => {},
  deleteSa: async () => {},
  preferSa: async () => {},
  close: async () => {},
});
