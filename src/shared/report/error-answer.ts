/** The answer of the status socket to what it cannot answer. */
import type { ErrorAnswer } from './status-schema.ts';

export const errorAnswer = (code: ErrorAnswer['code'], text: string): ErrorAnswer => ({ answer: 'error', code, text });
