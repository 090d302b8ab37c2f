/** A line of the status socket, read: a request, or the answer that says what is wrong with it. */
import { errorAnswer } from './error-answer.ts';
import { type ErrorAnswer, type StatusRequest, statusRequest } from './status-schema.ts';

/** `line` without its newline. */
export const parseRequest = (line: Uint8Array): StatusRequest | ErrorAnswer => {
  const value = jsonOf(line);
  if (value === undefined) return errorAnswer('bad-json', 'the line is no JSON text in UTF-8');
  const name = typeof value === 'object' && value !== null && 'request' in value ? value.request : undefined;
  if (!NAMES.some((known) => known === name)) {
    return errorAnswer('unknown-request', `"request" has to be one of ${NAMES.join(', ')}`);
  }
  const parsed = statusRequest.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue?.path.join('.') ?? '';
  return errorAnswer('bad-request', `${place === '' ? '' : `"${place}": `}${issue?.message ?? 'it does not fit'}`);
};

const jsonOf = (line: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line));
  } catch (fault) {
    if (fault instanceof SyntaxError || fault instanceof TypeError) return undefined;
    throw fault;
  }
};

const NAMES: readonly string[] = statusRequest.options.map((option) => option.shape.request.value);
