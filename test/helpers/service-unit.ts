/** config/isakmpd.service, and daemons with the rights that it leaves them. */
import { readFileSync } from 'node:fs';

/** Its text. */
export const serviceUnit = (): string => readFileSync('config/isakmpd.service', 'utf8');

/** The words after each `name=`. */
export const unitValues = (name: string): readonly string[] =>
  serviceUnit()
    .split('\n')
    .filter((line) => line.startsWith(`${name}=`))
    .flatMap((line) => line.slice(name.length + 1).split(' '));

/** Words of a command that starts another with these capabilities and no way to more. */
export const underUnitCapabilities = (): readonly string[] => {
  const names = unitValues('CapabilityBoundingSet').map((name) => name.toLowerCase().replace(/^cap_/, '+'));
  return ['setpriv', '--no-new-privs', '--inh-caps', '-all', '--bounding-set', ['-all', ...names].join()];
};
