/** The commands of `isakmpd pki` for the manual, from their table. */
import { dashed } from '../../shared/cli/option-table.ts';
import { PKI_COMMANDS, PKI_COMMON, type PkiCommandRow, type PkiOptionRow } from '../../shared/cli/pki-table.ts';

/** Each command with its options, then those of all. */
export const pkiDefinitions = (): string =>
  [...PKI_COMMANDS.flatMap(commandBlocks), 'Options of all these commands:', ...PKI_COMMON.map(optionBlock)].join(
    '\n\n',
  );

const commandBlocks = ({ name, operands, help, options }: PkiCommandRow): readonly string[] => [
  `\`isakmpd pki ${name}\` [*option*]...${operandText(operands)}`,
  `${help.charAt(0).toUpperCase()}${help.slice(1)}.`,
  ...options.map(optionBlock),
];

const operandText = (operands: string): string =>
  operands
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const [, bracket = '', name = '', more] = /^([<[])([a-z-]+)(\.\.)?/.exec(word) ?? [];
      const shown = `*${name}*${more === undefined ? '' : '...'}`;
      return bracket === '[' ? ` [${shown}]` : ` ${shown}`;
    })
    .join('');

const optionBlock = ({ key, letter, argument, help, isRepeatable }: PkiOptionRow): string => {
  const spellings = [letter, key]
    .filter((spelling) => spelling !== undefined)
    .map((spelling) => `\`${dashed(spelling)}\``);
  const term = `${spellings.join(', ')}${argument === undefined ? '' : ` *${argument}*`}`;
  return `${term}\n: ${help.charAt(0).toUpperCase()}${help.slice(1)}.${isRepeatable ? ' May be given several times.' : ''}`;
};
