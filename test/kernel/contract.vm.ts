/** XFRM and PF_KEY on a kernel with ESP: run within a machine that is the tests' own (main.ts starts one). */

import { IMPLEMENTATIONS } from './contract/implementations.ts';
import { testContract } from './contract.ts';

for (const name of ['xfrm', 'pfkey'] as const) testContract(IMPLEMENTATIONS[name]);
