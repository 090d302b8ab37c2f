/** `npm run docs`: writes what is made from the program's tables: pages, manual, completion. */
import { readFileSync, writeFileSync } from 'node:fs';
import { pages } from './pages.ts';

for (const [path, text] of pages((source) => readFileSync(source, 'utf8'))) writeFileSync(path, text);
