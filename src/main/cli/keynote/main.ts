/** The program keynote(1). bin/keynote imports it. */
import { runKeynote } from './run.ts';

process.exitCode = await runKeynote(process.argv.slice(2), {
  print: (text) => void process.stdout.write(text),
  complain: (text) => void process.stderr.write(text),
});
