/** `keynote sign`: the signature of an assertion, to be put into its Signature field. */
import { type Assertion, parseAssertions } from '../../../shared/keynote/assertion.ts';
import { constantString } from '../../../shared/keynote/policy.ts';
import { verifySignature } from '../../../shared/keynote/signatures.ts';
import { signText } from '../../../shared/keynote/signing.ts';
import type { KeynoteCommand } from './command-line.ts';
import { foldedLiteral, KeynoteFault, readBytes, readKey, type Terminal } from './files.ts';
import { withColon } from './keygen.ts';

export const signAssertion = (command: KeynoteCommand & { readonly name: 'sign' }, terminal: Terminal): number => {
  const algorithm = withColon(command.algorithm, terminal);
  const { signedText, authorizer } = signable(command.assertionFile);
  const made = signText(signedText, algorithm, authorizer, readKey(command.keyFile));
  if (made.kind === 'impossible') throw new KeynoteFault(made.reason);
  const verdict = command.verifies ? verifySignature(signedText, authorizer, made.result, true) : undefined;
  if (verdict?.kind === 'refused') throw new KeynoteFault(`the new signature cannot be verified: ${verdict.reason}`);
  terminal.print(foldedLiteral('', made.result, command.layout));
  return 0;
};

/** The assertion of the file, which has a Signature field (even an empty one): where that begins, the signed text ends. */
const signable = (path: string): { readonly signedText: string; readonly authorizer: string } => {
  const { assertions, faults } = parseAssertions(readBytes(path));
  const [fault] = faults;
  if (fault !== undefined) throw new KeynoteFault(`${path}:${fault.line}: ${fault.text}`);
  const [assertion, ...others] = assertions;
  if (assertion === undefined || others.length > 0) {
    throw new KeynoteFault(`${path} has ${assertions.length} assertions, and one is signed at a time`);
  }
  if (assertion.signature === undefined) {
    throw new KeynoteFault(`${path} has no line "Signature:": the signature covers what is above it`);
  }
  return { signedText: assertion.signedText, authorizer: authorizerText(path, assertion) };
};

const authorizerText = (path: string, { authorizer, constants }: Assertion): string => {
  const text = constantString(authorizer, constants);
  if (text === undefined) throw new KeynoteFault(`${path}: the Authorizer depends on attributes of the action`);
  return text;
};
