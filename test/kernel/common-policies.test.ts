import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { CommonPolicies } from '../../src/kernel/common-policies.ts';

/** What the kernel has, and every call about it. */
let kernel: Set<string>;
let foreign: Set<string>;
let calls: string[];
let fault: Error | undefined;
let policies: CommonPolicies<string>;

const once = (): void => {
  const thrown = fault;
  fault = undefined;
  if (thrown !== undefined) throw thrown;
};

beforeEach(() => {
  [kernel, foreign, calls, fault] = [new Set(), new Set(), [], undefined];
  policies = new CommonPolicies<string>({
    keyOf: (policy) => policy,
    add: async (policy) => {
      calls.push(`add ${policy}`);
      await Promise.resolve();
      once();
      assert.ok(!kernel.has(policy), `${policy} is there already`);
      if (foreign.has(policy)) return false;
      kernel.add(policy);
      return true;
    },
    remove: async (policy) => {
      calls.push(`remove ${policy}`);
      await Promise.resolve();
      once();
      assert.ok(kernel.delete(policy), `${policy} is not there`);
    },
  });
});

describe('a policy that several flows want', () => {
  it('is made once and goes with the last of them', async () => {
    await Promise.all([policies.want(1, ['a', 'b']), policies.want(2, ['a'])]);
    assert.deepEqual([...kernel], ['a', 'b']);
    await policies.want(1, []);
    assert.deepEqual([...kernel], ['a']);
    await policies.want(2, []);
    assert.deepEqual(calls, ['add a', 'add b', 'remove b', 'remove a']);
  });

  it('is there when it is wanted again while it goes', async () => {
    await policies.want(1, ['a']);
    await Promise.all([policies.want(1, []), policies.want(2, ['a'])]);
    assert.deepEqual([...kernel], ['a']);
    await Promise.all([policies.want(3, ['a']), policies.want(2, []), policies.want(3, [])]);
    assert.deepEqual([...kernel], []);
  });

  it("stays where it is when it is somebody else's", async () => {
    foreign.add('a');
    await policies.want(1, ['a']);
    await policies.want(1, []);
    assert.deepEqual(calls, ['add a']);
  });

  it('is tried again by the next flow when it could not be made', async () => {
    fault = new Error('no');
    await assert.rejects(policies.want(1, ['a']), /no/);
    await policies.want(2, ['a']);
    assert.deepEqual([...kernel], ['a']);
    await policies.want(2, []);
    assert.deepEqual([...kernel], []);
  });

  it('is made again where somebody has flushed it', async () => {
    await policies.want(1, ['a', 'b']);
    kernel.delete('b');
    await policies.restore((policy) => kernel.has(policy));
    assert.deepEqual([...kernel], ['a', 'b']);
  });
});
