/** The `exchange_report` lines: what runs on the lanes, and what is kept there to answer duplicates. */
import { Doi } from '../constants/isakmp.ts';
import { printable } from '../log/printable.ts';
import type { LaneExchange, LaneExchanges } from '../threads/contract.ts';
import { wordHex } from './hex.ts';
import { exchangeNumber, pointer } from './pointers.ts';

/** What a lane answered; or why it did not, in a sentence. */
export type LaneAnswer = { readonly lane: number } & (LaneExchanges | { readonly fault: string });

/** The exchanges of one lane. `policyOf` names the configuration section that an exchange goes by. */
export const exchangeReport = (
  answer: LaneAnswer,
  policyOf: (exchange: LaneExchange) => string | undefined,
): readonly string[] => {
  if ('fault' in answer)
    return [`exchange_report: exchanges of lane ${answer.lane} are missing: ${printable(answer.fault)}`];
  const lines = answer.exchanges.flatMap((exchange) => linesOf(answer.lane, exchange, policyOf(exchange)));
  if (answer.omitted > 0) lines.push(`exchange_report: ${answer.omitted} more exchanges of lane ${answer.lane}`);
  return lines;
};

const linesOf = (lane: number, exchange: LaneExchange, policy: string | undefined): string[] => {
  const { phase, number, name, role, exchangeType, step, cookies, messageId } = exchange;
  const at = pointer('exchange', exchangeNumber(lane, phase, number));
  const who = `${name === '' ? '<unnamed>' : printable(name)} ${policy === undefined ? '<no policy>' : printable(policy)}`;
  return [
    `exchange_report: ${at} ${who} policy ${role} phase ${phase} doi ${Doi.IPSEC} exchange ${exchangeType} step ${step}`,
    `exchange_report: icookie ${cookies.slice(0, 16)} rcookie ${cookies.slice(16)}`,
    // The original lists larval SAs behind `sa_list`; here none exists before it is complete.
    `exchange_report: msgid ${wordHex(messageId)} ${phase === 2 ? 'sa_list ' : ''}`,
  ];
};
