/** What this system knows by name: its interfaces, and the protocols and services of its tables. */
import { readFileSync } from 'node:fs';
import type { AddressBook } from '../../shared/config/address-book.ts';
import { codeOf } from '../privileged/system-fault.ts';
import { readInterfaces } from './interfaces.ts';

export const learnSystemNames = (book: AddressBook): void => {
  book.setInterfaces(readInterfaces());
  book.setNumbers(readTable('/etc/protocols'), readTable('/etc/services'));
};

/** The text of a table of the system; systems without the file know no names. */
export const readTable = (path: '/etc/protocols' | '/etc/services'): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (fault) {
    if (codeOf(fault) === undefined) throw fault;
    return '';
  }
};
