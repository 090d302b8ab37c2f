/** `keynote sigver`: whether the assertions of a file are signed by their authorizers. */
import { type Assertion, parseAssertions } from '../../../shared/keynote/assertion.ts';
import { constantString } from '../../../shared/keynote/policy.ts';
import { type SignatureVerdict, verifySignature } from '../../../shared/keynote/signatures.ts';
import type { KeynoteCommand } from './command-line.ts';
import { KeynoteFault, readBytes, type Terminal } from './files.ts';

/** One line for each assertion, with its line in the file where there are several; 0 if all are signed. */
export const verifySignatures = (command: KeynoteCommand & { readonly name: 'sigver' }, terminal: Terminal): number => {
  const { assertions, faults } = parseAssertions(readBytes(command.assertionFile));
  const path = command.assertionFile ?? 'standard input';
  for (const { line, text } of faults) terminal.complain(`keynote: ${path}:${line}: ${text}\n`);
  if (assertions.length + faults.length === 0) throw new KeynoteFault(`${path} has no assertion`);
  let allSigned = faults.length === 0;
  for (const assertion of assertions) {
    const place = assertions.length > 1 ? `line ${assertion.line}: ` : '';
    const verdict = verdictOn(assertion);
    if (verdict.kind === 'valid') {
      terminal.print(`${place}Signature verified.\n`);
      if (verdict.weakness !== undefined) terminal.complain(`keynote: ${path}: ${place}${verdict.weakness}\n`);
    } else {
      terminal.print(`${place}Signature did not verify!\n`);
      terminal.complain(`keynote: ${path}: ${place}${verdict.reason}\n`);
      allSigned = false;
    }
  }
  return allSigned ? 0 : 1;
};

const verdictOn = ({ authorizer, signature, signedText, constants }: Assertion): SignatureVerdict => {
  if (typeof signature !== 'object') return { kind: 'refused', reason: 'it has no signature' };
  const [who, what] = [authorizer, signature].map((expression) => constantString(expression, constants));
  if (who === undefined || what === undefined) {
    return { kind: 'refused', reason: 'its authorizer or its signature depends on attributes of the action' };
  }
  return verifySignature(signedText, who, what, true);
};
