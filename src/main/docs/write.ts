/** `npm run docs`: writes the pages of docs/ that are made from tables. */
import { writeFileSync } from 'node:fs';
import { statusSocketPage } from './status-socket.ts';
import { troubleshootingPage } from './troubleshooting.ts';

writeFileSync('docs/troubleshooting.md', troubleshootingPage());
writeFileSync('docs/status-socket.md', statusSocketPage());
