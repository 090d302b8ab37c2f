/** Assertions from text: policies, which are trusted as they are, and credentials, which a signature has to vouch for (RFC 2704 section 4). */
import type { LicenseesExpression, Program, StringExpression } from './expressions.ts';
import { type Field, type FieldName, lineCounter, type Piece, splitAssertions, splitFields } from './fields.ts';
import { SyntaxError as GrammarError, parse } from './grammar.js';
import { type AssertionLimits, CREDENTIAL_LIMITS, LOCAL_LIMITS } from './limits.ts';
import { literalValue, writtenLiteral } from './string-literals.ts';
import { SyntaxFault } from './syntax-fault.ts';
import { typedLicensees, typedProgram, typedString } from './typing.ts';

export interface Assertion {
  /** Where its first line is in the text it came from, from 1. */
  readonly line: number;
  /** A local one needs no signature. */
  readonly isLocal: boolean;
  readonly constants: ReadonlyMap<string, string>;
  readonly authorizer: StringExpression;
  /** Undefined: there is no such field, and anybody is licensed. `nobody`: the field is empty. */
  readonly licensees: LicenseesExpression | 'nobody' | undefined;
  /** Undefined: there is no such field, and nothing is asked. An empty one is never fulfilled (RFC 2704 section 5.3.4). */
  readonly conditions: Program | undefined;
  /** `empty`: there is the field, to be filled by who signs. */
  readonly signature: StringExpression | 'empty' | undefined;
  /** What a signature covers before its algorithm: from the first character to the word Signature; all where that is missing. */
  readonly signedText: string;
}

/** An assertion that could not be read, and does not count. */
export interface AssertionFault {
  readonly line: number;
  readonly text: string;
}

export interface Assertions {
  readonly assertions: readonly Assertion[];
  readonly faults: readonly AssertionFault[];
}

/** The assertions of a policy file as a byte string. What is wrong in one does not touch the others. */
export const parseAssertions = (text: string): Assertions => parsed(text, LOCAL_LIMITS, true);

/** The credentials in one blob, as a peer sends them. They count in a query only with a correct signature. */
export const parseCredentials = (bytes: Uint8Array, limits: AssertionLimits = CREDENTIAL_LIMITS): Assertions =>
  bytes.length > limits.bytes
    ? tooMuch(`${bytes.length} bytes of credentials, ${limits.bytes} are the most`)
    : parsed(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'), limits, false);

const parsed = (text: string, limits: AssertionLimits, isLocal: boolean): Assertions => {
  if (text.length > limits.bytes) return tooMuch(`${text.length} bytes of assertions, ${limits.bytes} are the most`);
  const pieces = splitAssertions(text);
  if (pieces.length > limits.assertions)
    return tooMuch(`${pieces.length} assertions, ${limits.assertions} are the most`);
  const assertions: Assertion[] = [];
  const faults: AssertionFault[] = [];
  for (const piece of pieces) {
    try {
      assertions.push(readAssertion(piece, isLocal, limits));
    } catch (fault) {
      if (!(fault instanceof SyntaxFault)) throw fault;
      faults.push({ line: fault.line, text: fault.message });
    }
  }
  return { assertions, faults };
};

const tooMuch = (text: string): Assertions => ({ assertions: [], faults: [{ line: 1, text }] });

const readAssertion = (piece: Piece, isLocal: boolean, limits: AssertionLimits): Assertion => {
  const fields = new Map(splitFields(piece, limits.nesting).map((field) => [field.name, field]));
  const read = <Result>(name: FieldName, reader: (field: Field) => Result): Result | undefined => {
    const field = fields.get(name);
    return field === undefined ? undefined : reader(field);
  };
  read('keynote-version', checkVersion);
  const authorizer = read('authorizer', readPrincipal);
  if (authorizer === undefined) throw new SyntaxFault(piece.line, 'there is no Authorizer');
  const signature = fields.get('signature');
  return {
    line: piece.line,
    isLocal,
    constants: read('local-constants', readConstants) ?? new Map(),
    authorizer,
    licensees: read('licensees', readLicensees),
    conditions: read('conditions', readConditions),
    signature: read('signature', (field) => (isEmpty(field) ? 'empty' : readPrincipal(field))),
    signedText: signature === undefined ? piece.text : piece.text.slice(0, signature.start),
  };
};

const checkVersion = (field: Field): void => {
  const version = literalValue(grammatical(field, () => parse(field.body, { startRule: 'Version' })));
  if (version !== '2') {
    throw new SyntaxFault(field.line, `KeyNote-Version is "${writtenLiteral(version.slice(0, 20))}"; only 2 is known`);
  }
};

const readConstants = (field: Field): ReadonlyMap<string, string> => {
  const constants = new Map<string, string>();
  for (const { name, text, at } of grammatical(field, () => parse(field.body, { startRule: 'Constants' }))) {
    const line = lineCounter(field)(at);
    if (name.startsWith('_')) throw new SyntaxFault(line, `the constant "${name}" begins with an underscore`);
    if (constants.has(name)) throw new SyntaxFault(line, `there is a second constant "${name}"`);
    constants.set(name, literalValue(text));
  }
  return constants;
};

const readPrincipal = (field: Field): StringExpression =>
  typedString(
    grammatical(field, () => parse(field.body, { startRule: 'Principal' })),
    lineCounter(field),
  );

const readLicensees = (field: Field): LicenseesExpression | 'nobody' => {
  const tree = grammatical(field, () => parse(field.body, { startRule: 'Licensees' }));
  return tree === null ? 'nobody' : typedLicensees(tree, lineCounter(field));
};

const readConditions = (field: Field): Program =>
  typedProgram(
    grammatical(field, () => parse(field.body, { startRule: 'Conditions' })),
    lineCounter(field),
  );

/** keynote(1) signs assertions whose Signature field is still empty. */
const isEmpty = (field: Field): boolean => field.body.split('\n').every((line) => /^[ \t\r\v\f]*(?:#|$)/.test(line));

const grammatical = <Result>(field: Field, read: () => Result): Result => {
  try {
    return read();
  } catch (fault) {
    if (!(fault instanceof GrammarError)) throw fault;
    const { offset } = fault.location.start;
    throw new SyntaxFault(lineCounter(field)(offset), `${field.name}: ${unexpected(field.body, offset)}`);
  }
};

const unexpected = (body: string, offset: number): string => {
  const rest = body.slice(offset, offset + 20);
  if (rest === '') return 'it ends too early (a clause of conditions ends with ";")';
  if (rest.startsWith('"')) return 'a string stands where none can be, or is not closed on its line';
  const word = /^(?:\w+|->|&&|\|\||[!=<>~]=|[^\w])/.exec(rest)?.[0] ?? '';
  return `"${writtenLiteral(word)}" cannot stand here`;
};
