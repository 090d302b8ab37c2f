import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { statusSocketPage } from '../../../src/main/docs/status-socket.ts';
import { statusEvent, statusRequest } from '../../../src/shared/report/status-schema.ts';

it('docs/status-socket.md is what the schemas say: else run `npm run docs`', () => {
  assert.equal(readFileSync('docs/status-socket.md', 'utf8'), statusSocketPage());
});

it('names every request and every event', () => {
  const page = statusSocketPage();
  for (const option of statusRequest.options) assert.ok(page.includes(`| \`${option.shape.request.value}\` |`));
  for (const option of statusEvent.options) assert.ok(page.includes(`| \`${option.shape.event.value}\` |`));
});
