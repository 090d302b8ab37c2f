/** `npm run docs`: writes the pages of docs/ that are made from tables. */
import { writeFileSync } from 'node:fs';
import { troubleshootingPage } from './troubleshooting.ts';

writeFileSync('docs/troubleshooting.md', troubleshootingPage());
