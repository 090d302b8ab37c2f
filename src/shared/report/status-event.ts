/** News of the connection core as the status socket tells them. */
import type { News } from '../connection/news.ts';
import { unreachable } from '../errors.ts';
import { identityText } from '../policy/identity.ts';
import type { Agreement, Failure, Path } from '../threads/contract.ts';
import { wordHex } from './hex.ts';
import { spisOf } from './sa-status.ts';
import type { StatusEvent } from './status-schema.ts';

/** `at`: ISO 8601. */
export const statusEventOf = (news: News, at: string): StatusEvent => {
  const head = { answer: 'event', at } as const;
  switch (news.kind) {
    case 'phase1Up':
      return { ...head, event: 'phase1-up', ...phase1Facts(news) };
    case 'phase1Down':
      return { ...head, event: 'phase1-down', why: news.why, ...phase1Facts(news) };
    case 'phase2Up':
      return { ...head, event: 'phase2-up', ...phase2Facts(news.agreement) };
    case 'phase2Down':
      return { ...head, event: 'phase2-down', why: news.why, ...phase2Facts(news.agreement) };
    case 'phase1Failed': {
      const { peer, connections, failure, retryMs } = news;
      return {
        ...head,
        event: 'phase1-failed',
        peer,
        connections: [...connections],
        ...failureFacts(failure, retryMs),
      };
    }
    case 'phase2Failed': {
      const { connection, failure, retryMs } = news;
      const peer = news.peer === '' ? null : news.peer;
      return { ...head, event: 'phase2-failed', connection, peer, ...failureFacts(failure, retryMs) };
    }
    case 'reconfigured':
      return { ...head, event: 'reconfigured' };
    default:
      return unreachable(news);
  }
};

const phase1Facts = ({
  peer,
  cookies,
  role,
  path,
  localIdentity,
  remoteIdentity,
}: Extract<News, { readonly cookies: string }>) => ({
  peer,
  cookies,
  role,
  ...endsOf(path),
  localIdentity,
  remoteIdentity,
});

const phase2Facts = (agreement: Agreement) => ({
  connection: agreement.connection,
  peer: agreement.peer,
  cookies: agreement.isakmp,
  messageId: wordHex(agreement.messageId),
  role: agreement.role,
  ...endsOf(agreement.path),
  localSelector: identityText(agreement.localSelector),
  remoteSelector: identityText(agreement.remoteSelector),
  sas: agreement.protocols.map(spisOf),
});

const failureFacts = ({ reason, cause }: Failure, retryMs: number | undefined) => ({
  reason,
  cause,
  retryInSeconds: retryMs === undefined ? null : Math.round(retryMs / 1000),
});

const endsOf = ({ local, remote }: Path) => ({ local: { ...local }, remote: { ...remote } });
