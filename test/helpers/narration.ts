/** What two lanes and the main threads behind them say about a negotiation, as the operators of both sides read it. */
import { phase1Failed, quickModeAbandoned, quickModeFailed } from '../../src/shared/connection/log-lines.ts';
import type { LaneHost } from './lane-pair.ts';

/**
 * The lines of one side that are printed without -v, `main`'s about failures included, in order; those that come again with every
 * retransmission once. Cookies and message ids become letters.
 */
export const linesOf = (host: LaneHost): readonly string[] => [
  ...new Set(host.done.flatMap((effect) => textOf(host, effect)).map(plain)),
];

const textOf = (host: LaneHost, effect: LaneHost['done'][number]): readonly string[] => {
  switch (effect.kind) {
    case 'log':
      return effect.record.severity === 'verbose' ? [] : [effect.record.text];
    case 'phase1Failed': {
      const { request, peer, isakmp, failure } = effect;
      return request === 0 ? [] : [phase1Failed(peer, host.policy, failure, isakmp, [], undefined).text];
    }
    case 'phase2Failed': {
      const { request, connection, messageId, failure } = effect;
      const record = request === 0 ? quickModeAbandoned : quickModeFailed;
      return [record(connection, undefined, messageId, failure, undefined).text];
    }
    default:
      return [];
  }
};

const plain = (text: string): string =>
  text
    .replaceAll(/[0-9a-f]{16}:[0-9a-f]{16}/g, 'I:R')
    .replaceAll(/[0-9a-f]{16} [0-9a-f]{16}/g, 'I R')
    .replaceAll(/message id [0-9a-f]{8}/g, 'message id M')
    .replaceAll(/non-zero: [0-9a-f]{2}/g, 'non-zero: XX');

/** How lines about the other side of a LanePair begin. */
export const LEFT = 'peer peer (connection net, 10.0.0.1, its ID any, our ID 10.0.0.2, cookies I:R)';
export const RIGHT = 'peer peer (connection net, 10.0.0.2, its ID any, our ID 10.0.0.1, cookies I:R)';

export const GIVING_UP = 'transport_send_messages: giving up on exchange peer, no response from peer 10.0.0.2:500';

export const droppedBy = (address: string, notify: string): string =>
  `dropped message from ${address} port 500 due to notification type ${notify}`;
