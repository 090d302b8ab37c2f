import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createDebugLevels, isPrinted, LogClass, setDebugLevel } from '../../../src/shared/log/classes.ts';

describe('debug levels', () => {
  it('of one class leave the others silent', () => {
    const levels = createDebugLevels();
    setDebugLevel(levels, LogClass.EXCHANGE, 40);
    assert.ok(isPrinted(levels, LogClass.EXCHANGE, 40));
    assert.ok(!isPrinted(levels, LogClass.EXCHANGE, 41));
    assert.ok(!isPrinted(levels, LogClass.SA, 1));
  });

  it('of all classes reach every class, and a class that does not exist changes nothing', () => {
    const levels = createDebugLevels();
    setDebugLevel(levels, 'all', 7);
    setDebugLevel(levels, 99, 1);
    assert.deepEqual(new Set(levels), new Set([7]));
  });
});
