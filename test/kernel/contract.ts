/** The contract that src/kernel/backend.ts states, as tests: what every backend that keeps SAs has to do, whatever it is made of. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe } from 'node:test';
import { findSecrets } from '../helpers/secret-search.ts';
import { testFaults } from './contract/faults.ts';
import { testFlows } from './contract/flows.ts';
import type { Implementation } from './contract/implementations.ts';
import { testOwnership } from './contract/ownership.ts';
import { Place } from './contract/place.ts';
import { testSas } from './contract/sas.ts';
import { testUpcalls } from './contract/upcalls.ts';
import { keys } from './contract/wishes.ts';

/** As root, with network namespaces to be had. */
export const testContract = (implementation: Implementation): void => {
  describe(`${implementation.name} keeps the contract of kernel backends`, { concurrency: false }, () => {
    const place = new Place(implementation);
    before(() => {
      place.make();
      return place.open();
    });
    after(() => place.remove());
    afterEach(async () => {
      const { here, there } = place.ends;
      const refusals = [...here.refusals.splice(0), ...there.refusals.splice(0)];
      assert.deepEqual(findSecrets(refusals.join('\n'), keys), [], 'no key in the text of a refusal');
      await place.clear();
    });
    testSas(place);
    testFlows(place);
    testUpcalls(place);
    testOwnership(place);
    if (implementation.socket !== undefined) testFaults(place);
  });
};
