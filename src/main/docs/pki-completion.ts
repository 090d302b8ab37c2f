/** Shell completion for `isakmpd pki`, from its table. */
import { dashed } from '../../shared/cli/option-table.ts';
import { PKI_COMMANDS, PKI_COMMON, type PkiCommandRow, type PkiOptionRow } from '../../shared/cli/pki-table.ts';

/** A function of bash that completes the words behind `isakmpd pki`. */
export const bashPki = (): string => `_isakmpd_pki() {
  local current=$1 previous=$2 words=
  case $previous in
${everyOption.map((row) => `    ${spellings(row).join('|')}) ${bashArgument(row)}; return ;;`).join('\n')}
  esac
  case \${COMP_WORDS[2]} in
${PKI_COMMANDS.map((row) => `    ${row.name}) words='${wordsOf(row).join(' ')}' ;;`).join('\n')}
  esac
  if [ "$COMP_CWORD" -eq 2 ]; then
    mapfile -t COMPREPLY < <(compgen -W '${PKI_COMMANDS.map(({ name }) => name).join(' ')}' -- "$current")
  elif [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}
`;

/** What zsh runs where the second word is pki. */
export const zshPki = (): string => `if [[ \${words[2]-} == pki ]]; then
  if (( CURRENT == 3 )); then
    local -a pki_commands=(
${PKI_COMMANDS.map(({ name, help }) => `      ${quoted(`${name}:${help}`)}`).join('\n')}
    )
    _describe command pki_commands
    return
  fi
  shift 2 words
  (( CURRENT -= 2 ))
  case $words[1] in
${PKI_COMMANDS.map((row) => `    ${row.name}) _arguments -S \\\n${zshOptions(row)} ;;`).join('\n')}
  esac
  return
fi
`;

const optionsOf = ({ options }: PkiCommandRow): readonly PkiOptionRow[] => [...PKI_COMMON, ...options, HELP];

const wordsOf = (row: PkiCommandRow): readonly string[] => optionsOf(row).map(({ key }) => dashed(key));

const spellings = ({ key, letter }: PkiOptionRow): readonly string[] => [
  dashed(key),
  ...(letter === undefined ? [] : [dashed(letter)]),
];

const bashArgument = ({ argument, choices }: PkiOptionRow): string => {
  if (choices !== undefined) return `mapfile -t COMPREPLY < <(compgen -W '${choices.join(' ')}' -- "$current")`;
  if (argument === 'directory') return 'mapfile -t COMPREPLY < <(compgen -d -- "$current")';
  return argument === 'file' ? 'mapfile -t COMPREPLY < <(compgen -f -- "$current")' : 'COMPREPLY=()';
};

const zshOptions = (row: PkiCommandRow): string =>
  [...optionsOf(row).flatMap(zshOption), ...(row.operands === '' ? [] : ["'*:file:_files'"])]
    .map((specification) => `      ${specification}`)
    .join(' \\\n');

const zshOption = (row: PkiOptionRow): readonly string[] => {
  const { argument, help, isRepeatable } = row;
  const described = `[${help.replaceAll(/[[\]:\\]/g, '\\$&')}]`;
  const value = argument === undefined ? '' : `:${argument}:${zshAction(row)}`;
  return spellings(row).map((spelling) => quoted(`${isRepeatable ? '*' : ''}${spelling}${described}${value}`));
};

const zshAction = ({ argument, choices }: PkiOptionRow): string => {
  if (choices !== undefined) return `(${choices.join(' ')})`;
  if (argument === 'directory') return '_files -/';
  return argument === 'file' ? '_files' : ' ';
};

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const HELP: PkiOptionRow = { key: 'help', argument: undefined, help: 'print this and exit' };
/** Each once: an option means the same in every command. */
const everyOption = [...new Map(PKI_COMMANDS.flatMap(optionsOf).map((row) => [row.key, row] as const)).values()].filter(
  (row) => row.argument !== undefined,
);
