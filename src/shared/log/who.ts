/** Whom a line is about, in words: always the same facts in the same order. */
import type { LogFields } from '../threads/contract.ts';
import { bounded } from './bounded.ts';

/**
 * `peer west (connection net-west, 192.0.2.1, its ID west@example.com, our ID 192.0.2.2, cookies 0011223344556677:8899aabbccddeeff, message id
 * 37267b13)`; what is not known is left out, a stranger is called by his address.
 */
export const whoWords = ({ peer, ...fields }: LogFields): string => {
  const { connection, remoteIdentity, localIdentity, cookies, messageId } = fields;
  const address = addressWords(fields);
  const known = peer !== undefined && peer !== '';
  if (!known && address === undefined && connection !== undefined) return `connection ${connection}`;
  const facts = [
    ['connection ', connection],
    ['', known ? address : undefined],
    ['its ID ', known ? (remoteIdentity ?? 'any') : undefined],
    ['our ID ', localIdentity],
    ['cookies ', cookies === undefined ? undefined : `${cookies.slice(0, COOKIE)}:${cookies.slice(COOKIE)}`],
    ['message id ', messageId],
  ].flatMap(([name, value]) => (value === undefined || value === '' ? [] : [`${name}${bounded(value)}`]));
  const subject = known ? `peer ${peer}` : `peer at ${address ?? 'an unknown address'}`;
  return facts.length === 0 ? subject : `${subject} (${facts.join(', ')})`;
};

/** What a line about a quick mode says in fields besides those of its ISAKMP SA. `connection` '': not known yet; `messageId` 0: it was not even begun. */
export const quickModeFields = ({
  connection,
  messageId,
}: {
  readonly connection: string;
  readonly messageId: number;
}): LogFields => ({
  ...(connection === '' ? {} : { connection }),
  ...(messageId === 0 ? {} : { messageId: idText(messageId) }),
});

/** A message id, or an SPI: eight hex digits. */
export const idText = (id: number): string => id.toString(16).padStart(8, '0');

/** The port where it tells more than that it is IKE: behind a NAT it tells peers apart. */
const addressWords = ({ address, port }: LogFields): string | undefined =>
  address === undefined || port === undefined || port === IKE_PORT ? address : `${address} port ${port}`;

const IKE_PORT = 500;
/** Hex digits. */
const COOKIE = 16;
