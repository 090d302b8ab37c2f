/** Payloads of a quick mode between 10.1.1.0/24 and 10.1.2.0/24, for scripted peers. */
import { IpsecAttribute, ProtocolId } from '../../src/shared/constants/ipsec-doi.ts';
import type { Identity } from '../../src/shared/policy/peer-policy.ts';
import { spiBytes } from '../../src/shared/policy/spi.ts';
import type { OutPayload } from '../../src/shared/wire/message.ts';
import { subnet } from './lane-pair.ts';

export const NONCE: OutPayload = { kind: 'NONCE', value: { nonceData: new Uint8Array(16).fill(7) } };

export const idOf = ({ type, data }: Identity): OutPayload => ({
  kind: 'ID',
  value: { idType: type, protocolId: 0, port: 0, identificationData: data },
});

export const IDS: readonly [OutPayload, OutPayload] = [idOf(subnet(10, 1, 1)), idOf(subnet(10, 1, 2))];

/** One proposal: ESP, AES-128, HMAC-SHA2-256, tunnel, and `extra`. */
export const espOffer = (
  extra: readonly { readonly type: number; readonly value: number }[] = [],
  spi = 0x2002,
): OutPayload => ({
  kind: 'SA',
  value: {
    doi: 1,
    situation: 1,
    proposals: [
      {
        proposalNumber: 1,
        protocolId: ProtocolId.IPSEC_ESP,
        spi: spiBytes(spi),
        transforms: [
          {
            transformNumber: 1,
            transformId: 12,
            attributes: [
              { type: IpsecAttribute.ENCAPSULATION_MODE, value: 1 },
              { type: IpsecAttribute.AUTHENTICATION_ALGORITHM, value: 5 },
              { type: IpsecAttribute.KEY_LENGTH, value: 128 },
              ...extra,
            ],
          },
        ],
      },
    ],
  },
});
