/** `isakmpd pki`: which command is meant, and what becomes of its faults. */

import type { PkiCommandName } from '../../../shared/cli/pki-table.ts';
import { ConfigError, SystemError } from '../../../shared/errors.ts';
import { printable } from '../../../shared/log/printable.ts';
import { PkiFault } from '../../../shared/pki/pki-fault.ts';
import { makeAuthority } from './authority.ts';
import { type PkiCommand, parsePkiLine } from './command-line.ts';
import { writeCrl } from './crl.ts';
import type { Terminal } from './files.ts';
import { initialise } from './init.ts';
import { placePublicKey } from './pubkey.ts';
import { makeRequest } from './request.ts';
import { signRequest } from './sign.ts';

/** Carries out the words behind `isakmpd pki`; answers the exit status, 0 or 1. */
export const runPki = async (argv: readonly string[], terminal: Terminal): Promise<number> => {
  try {
    const line = await parsePkiLine(argv);
    if (line.kind === 'help') terminal.print(`${line.text}\n`);
    else await COMMANDS[line.command.name](line.command, terminal);
    return 0;
  } catch (fault) {
    if (!isOperators(fault)) throw fault;
    terminal.complain(`isakmpd pki: ${printable(fault.message)}\n`);
    return 1;
  }
};

const isOperators = (fault: unknown): fault is Error =>
  [PkiFault, ConfigError, SystemError].some((known) => fault instanceof known);

const COMMANDS: Readonly<Record<PkiCommandName, (command: PkiCommand, terminal: Terminal) => Promise<void>>> = {
  init: initialise,
  ca: makeAuthority,
  request: makeRequest,
  sign: signRequest,
  crl: writeCrl,
  pubkey: placePublicKey,
};
