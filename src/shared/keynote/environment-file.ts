/** The small files of keynote(1): action attributes as `name = "value"`, and one key as a string. */
import { SyntaxError as GrammarError, parse } from './grammar.js';
import { literalValue } from './string-literals.ts';
import { SyntaxFault } from './syntax-fault.ts';

/** Attributes by name; of one that is there twice the last. Throws SyntaxFault. */
export const parseEnvironment = (text: string): ReadonlyMap<string, string> =>
  new Map(
    grammatical(text, () => parse(text, { startRule: 'Constants' })).map(({ name, text: value }) => [
      name,
      literalValue(value),
    ]),
  );

/** The one string of the file. Throws SyntaxFault. */
export const parsePrincipal = (text: string): string => {
  const tree = grammatical(text, () => parse(text, { startRule: 'Principal' }));
  if (tree.kind !== 'string') throw new SyntaxFault(1, 'a key is a string in double quotes');
  return literalValue(tree.text);
};

const grammatical = <Result>(text: string, read: () => Result): Result => {
  try {
    return read();
  } catch (fault) {
    if (!(fault instanceof GrammarError)) throw fault;
    throw new SyntaxFault(
      text.slice(0, fault.location.start.offset).split('\n').length,
      'the file cannot be read from here on',
    );
  }
};
