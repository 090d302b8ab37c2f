/** What a quick mode is about, as a policy is asked. */
import { ExchangeType } from '../../src/shared/constants/isakmp.ts';
import { identityFromText } from '../../src/shared/policy/identity.ts';
import type { QuickModeAction } from '../../src/shared/policy-check/action.ts';

/** Of gate.example at 192.0.2.2, for 10.1.0.1, with our 192.0.2.1, for 10.2.0.1; nothing is offered, and it is 1970. */
export const quickModeAction = (changes: Partial<QuickModeAction> = {}): QuickModeAction => ({
  isInitiator: false,
  exchangeType: ExchangeType.ID_PROT,
  group: 14,
  remoteId: identityFromText('gate.example'),
  path: pathTo('192.0.2.2'),
  selectors: { local: identityFromText('10.2.0.1'), remote: identityFromText('10.1.0.1') },
  choice: { protocols: [], group: undefined, lifetimes: { seconds: 3600, kilobytes: 0, shortened: false } },
  at: 0,
  ...changes,
});

/** From 192.0.2.1 to a peer, port 500, without encapsulation. */
export const pathTo = (address: string): QuickModeAction['path'] => ({
  local: { address: '192.0.2.1', port: 500 },
  remote: { address, port: 500 },
  encapsulated: false,
});
