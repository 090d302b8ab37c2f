/** What the operator is told of a first message that configuration has no use for. Its sender hears nothing. */
import { ExchangeType, exchangeName } from '../shared/constants/isakmp.ts';
import { phase1Fields } from '../shared/exchange/refusals.ts';
import { notice } from '../shared/log/records.ts';
import { whoWords } from '../shared/log/who.ts';
import type { PeerPolicy } from '../shared/policy/peer-policy.ts';
import type { LaneEffect, LaneEvent, LogFields } from '../shared/threads/contract.ts';
import type { Header } from '../shared/wire/message.ts';
import { hex } from './isakmp-sa.ts';

type Datagram = Extract<LaneEvent, { readonly kind: 'datagram' }>;
type Logged = Extract<LaneEffect, { readonly kind: 'log' }>;

/** `policy` is that of the peer section for this address, undefined where there is none that can be used. */
export const wrongBeginning = (
  policy: PeerPolicy | undefined,
  { path, peer }: Datagram,
  header: Header,
): readonly Logged[] => {
  const { address, port } = path.remote;
  const cookies = hex(header.initiatorCookie) + hex(header.responderCookie);
  if (policy !== undefined) return wrongExchange(policy, header.exchangeType, phase1Fields({ policy, path }, header));
  const fields: LogFields = { address, port, cookies, ...(peer === '' ? {} : { peer }) };
  const refused = `phase 1 refused: ${whoWords(fields)}` as const;
  if (peer !== '') {
    const why = 'its section cannot be used as it is written; see isakmpd --check';
    return [logged(notice('refusal', `${refused}: ${why}`, fields))];
  }
  const cure = `add ${address}=<peer section> to [Phase 1] to accept it` as const;
  return [
    logged(notice('peer-unknown', 'exchange_setup_p1: no "Default" tag in [Phase 1] section', fields)),
    logged(notice('refusal', `${refused}: [Phase 1] has neither its address nor a Default; ${cure}`, fields)),
  ];
};

const wrongExchange = (policy: PeerPolicy, exchangeType: number, fields: LogFields): readonly Logged[] => {
  const [ours, theirs] = [exchangeName(policy.exchangeType), exchangeName(exchangeType)];
  const weaker = exchangeType === ExchangeType.AGGRESSIVE ? ' (its pre-shared key can then be guessed at)' : '';
  const cure = `set [${policy.configuration}]:EXCHANGE_TYPE=${theirs} to accept it${weaker}` as const;
  const why = `it begins with ${theirs}, we want ${ours}; ${cure}, or let it use ${ours}` as const;
  return [
    logged(notice('peer-unknown', `exchange_setup_p1: expected exchange type ${ours} got ${theirs}`, fields)),
    logged(notice('refusal', `phase 1 refused: ${whoWords(fields)}: ${why}`, fields)),
  ];
};

const logged = (record: Logged['record']): Logged => ({ kind: 'log', record });
