/** Dissection by tshark of what our side sent: a judge who is neither of the two. */
import { PayloadType } from '../../src/shared/constants/isakmp.ts';
import { SystemError } from '../../src/shared/errors.ts';
import { withoutRepetitions } from './capture.ts';
import type { OpenPhase1, TableRow } from './decryption-table.ts';
import { must } from './processes.ts';

interface Dissection {
  /** How many of our messages were looked at, and how many of them were encrypted. */
  readonly messages: number;
  readonly encrypted: number;
  /** IKE fragments that each side has sent. */
  readonly fragments: { readonly ours: number; readonly theirs: number };
  /** What is wrong, one line a message; empty if all is well. */
  readonly faults: readonly string[];
}

/** Dissects a capture and judges the messages from `source`. `tableOf` finds the keys for the phase 1s seen in it. */
export const dissect = async (
  capture: string,
  source: string,
  tableOf: (phase1s: readonly OpenPhase1[]) => readonly TableRow[],
): Promise<Dissection> => {
  const clean = `${capture}.once`;
  withoutRepetitions(capture, clean);
  const table = tableOf(phase1sOf(await rows(clean, OPEN_FIELDS, [])));
  const options = table.flatMap(({ initiatorCookie, key }) => [
    '-o',
    `uat:ikev1_decryption_table:${initiatorCookie},${key}`,
  ]);
  const everything = (await rows(clean, FIELDS, options)).map(messageOf);
  const messages = everything.filter((message) => message.source === source);
  const fragments = everything.filter(isFragment);
  const ourFragments = messages.filter(isFragment).length;
  if (messages.length === 0) throw new SystemError(`no message from ${source} was captured`);
  return {
    messages: messages.length,
    encrypted: messages.filter((message) => message.isEncrypted).length,
    fragments: { ours: ourFragments, theirs: fragments.length - ourFragments },
    faults: messages.flatMap((message) => faultsOf(message).map((fault) => `message ${message.number}: ${fault}`)),
  };
};

interface Message {
  readonly number: string;
  readonly source: string;
  readonly exchange: string;
  readonly isEncrypted: boolean;
  readonly payloads: string;
  readonly padding: string;
  readonly malformed: string;
  readonly expert: string;
}

const isFragment = ({ payloads }: Message): boolean => payloads.split(',').includes(String(PayloadType.FRAGMENT));

const faultsOf = ({ exchange, isEncrypted, payloads, padding, malformed, expert }: Message): readonly string[] => [
  ...(exchange === '' ? ['not dissected as ISAKMP'] : []),
  ...(malformed === '' ? [] : [`malformed: ${malformed}`]),
  ...(expert === '' ? [] : [`expert: ${expert}`]),
  ...(payloads === '' ? [isEncrypted ? 'not decrypted' : 'no payload'] : []),
  ...(padding.length / 2 <= (isEncrypted ? LONGEST_BLOCK : 0) ? [] : [`trailing bytes: ${padding}`]),
];

const phase1sOf = (messages: readonly (readonly string[])[]): readonly OpenPhase1[] => {
  const seen = new Map<string, OpenPhase1>();
  for (const [initiatorCookies = '', responderCookies = '', publicValue = '', nonce = ''] of messages) {
    if (publicValue === '') continue;
    const [initiatorCookie, responderCookie] = [lastOf(initiatorCookies), lastOf(responderCookies)];
    const known = seen.get(initiatorCookie);
    seen.set(initiatorCookie, {
      initiatorCookie,
      responderCookie,
      publicValues: (known?.publicValues ?? '') + publicValue,
      nonces: (known?.nonces ?? '') + nonce,
    });
  }
  return [...seen.values()];
};

/** A packet with the last fragment of a message has two headers, that of the message last. */
const lastOf = (values: string): string => values.split(',').at(-1) ?? '';

const messageOf = (fields: readonly string[]): Message => {
  const [number = '', v4 = '', v6 = '', exchange = '', flag = '', payloads = '', ...rest] = fields;
  const [padding = '', malformed = '', expert = ''] = rest;
  return { number, source: v4 + v6, exchange, isEncrypted: lastOf(flag) === '1', payloads, padding, malformed, expert };
};

const rows = async (
  capture: string,
  fields: readonly string[],
  options: readonly string[],
): Promise<readonly (readonly string[])[]> => {
  const wanted = fields.flatMap((field) => ['-e', field]);
  const text = await must('tshark', [
    '-Q',
    '-r',
    capture,
    '-Y',
    WHOLE,
    ...options,
    '-T',
    'fields',
    '-E',
    'separator=|',
    ...wanted,
  ]);
  return text
    .split('\n')
    .filter((line) => line.includes('|'))
    .map((line) => line.split('|'));
};

/** Certificates make packets longer than the cable takes: tshark puts them together with their last fragment. */
const WHOLE = 'not (ip.flags.mf == 1 or ipv6.fraghdr.more == 1)';

const OPEN_FIELDS = ['isakmp.ispi', 'isakmp.rspi', 'isakmp.key_exchange.data', 'isakmp.nonce'];
const FIELDS = [
  'frame.number',
  'ip.src',
  'ipv6.src',
  'isakmp.exchangetype',
  'isakmp.flag_e',
  'isakmp.typepayload',
  'isakmp.extradata',
  '_ws.malformed',
  '_ws.expert.message',
];
/** AES; some pad a message that fits with a block more. */
const LONGEST_BLOCK = 16;
