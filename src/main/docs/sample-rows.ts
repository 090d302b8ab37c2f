/** Two SAs for the documentation: what the listings say of them is made by the code that makes it for real ones. */
import {
  AuthenticationAlgorithm,
  EncapsulationMode,
  EspTransform,
  ProtocolId,
} from '../../shared/constants/ipsec-doi.ts';
import { ExchangeType } from '../../shared/constants/isakmp.ts';
import {
  AuthenticationMethod,
  EncryptionAlgorithm,
  GroupDescription,
  HashAlgorithm,
} from '../../shared/constants/oakley.ts';
import { SaFlag, SaRole, type SaRow } from '../../shared/sa-table/rows.ts';

const COOKIES = {
  initiatorCookie: Uint8Array.of(0x88, 0x3f, 0x3c, 0x28, 0x5d, 0x36, 0xb4, 0xf8),
  responderCookie: Uint8Array.of(0xcb, 0xa6, 0xd7, 0xed, 0xa3, 0xe8, 0xd0, 0x54),
};

const ISAKMP: SaRow = {
  phase: 1,
  state: 0,
  flags: SaFlag.READY | SaFlag.STAYALIVE,
  role: SaRole.INITIATOR,
  exchangeType: ExchangeType.ID_PROT,
  ...COOKIES,
  messageId: 0,
  family: 4,
  localAddress: Uint8Array.of(192, 0, 2, 1),
  remoteAddress: Uint8Array.of(198, 51, 100, 2),
  localPort: 500,
  remotePort: 500,
  zone: '',
  name: 'peer-branch',
  peerName: 'peer-branch',
  localIdentity: '192.0.2.1',
  remoteIdentity: '198.51.100.2',
  localSelector: '',
  remoteSelector: '',
  establishedAt: 1000,
  softAt: 3_087_000,
  hardAt: 3_601_000,
  lifeSeconds: 3600,
  lifeKilobytes: 0,
  encryption: EncryptionAlgorithm.AES_CBC,
  keyLength: 256,
  hash: HashAlgorithm.SHA2_256,
  group: GroupDescription.MODP_2048,
  authenticationMethod: AuthenticationMethod.PRE_SHARED,
  protocols: [],
  slabSlot: 0,
};

const IPSEC: SaRow = {
  ...ISAKMP,
  phase: 2,
  exchangeType: ExchangeType.QUICK_MODE,
  messageId: 0xf61bb93b,
  name: 'net-branch',
  localSelector: '192.168.11.0/255.255.255.0',
  remoteSelector: '192.168.22.0/255.255.255.0',
  softAt: 1_041_000,
  hardAt: 1_201_000,
  lifeSeconds: 1200,
  encryption: 0,
  keyLength: 0,
  hash: 0,
  authenticationMethod: 0,
  protocols: [
    {
      protocolId: ProtocolId.IPSEC_ESP,
      transformId: EspTransform.AES,
      authentication: AuthenticationAlgorithm.HMAC_SHA2_256,
      keyLength: 128,
      encapsulation: EncapsulationMode.TUNNEL,
      spiOut: 0xd239db3f,
      spiIn: 0xffecfafc,
      encryptionKeyBytes: 16,
      authenticationKeyBytes: 32,
    },
  ],
};

export const SAMPLE_ROWS: readonly SaRow[] = [ISAKMP, IPSEC];
