/** keynote(1): which command is meant, and what becomes of its faults. */
import { printable } from '../../../shared/log/printable.ts';
import { parseKeynoteLine } from './command-line.ts';
import { KeynoteFault, type Terminal } from './files.ts';
import { generateKeys } from './keygen.ts';
import { signAssertion } from './sign.ts';
import { verifySignatures } from './sigver.ts';
import { askPolicy } from './verify.ts';

/** Carries out the command line (without node and program); answers the exit status, 0 or 1. */
export const runKeynote = async (argv: readonly string[], terminal: Terminal): Promise<number> => {
  const line = await parseKeynoteLine(argv);
  if (line.kind === 'help') {
    terminal.print(`${line.text}\n`);
    return 0;
  }
  if (line.kind === 'misuse') {
    terminal.complain(`${printable(line.problem)}\n${line.usage}\n`);
    return 1;
  }
  try {
    switch (line.command.name) {
      case 'keygen':
        return generateKeys(line.command, terminal);
      case 'sign':
        return signAssertion(line.command, terminal);
      case 'sigver':
        return verifySignatures(line.command, terminal);
      case 'verify':
        return askPolicy(line.command, terminal);
    }
  } catch (fault) {
    if (!(fault instanceof KeynoteFault)) throw fault;
    terminal.complain(`keynote: ${printable(fault.message)}\n`);
    return 1;
  }
};
