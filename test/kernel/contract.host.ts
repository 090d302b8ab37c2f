/** Userland ESP, and no kernel at all: run on this host as root, in network namespaces that the tests make. */
import { IMPLEMENTATIONS } from './contract/implementations.ts';
import { testNone } from './contract/none.ts';
import { testContract } from './contract.ts';

testContract(IMPLEMENTATIONS.userland);
testNone();
