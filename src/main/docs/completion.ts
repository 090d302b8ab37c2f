/** Shell completion from the option table. */
import { dashed, OPTIONS, type OptionRow } from '../../shared/cli/option-table.ts';
import { bashPki, zshPki } from './pki-completion.ts';

/** For bash-completion, or to be sourced. */
export const bashCompletion =
  (): string => `# Written by \`npm run docs\`. bash completion for isakmpd(8): copy to /usr/share/bash-completion/completions/isakmpd
${bashPki()}
_isakmpd() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  # bash takes --option=value for three words.
  if [ "$current" = = ]; then
    current=
  elif [ "$previous" = = ]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if [ "\${COMP_WORDS[1]}" = pki ] && [ "$COMP_CWORD" -gt 1 ]; then
    _isakmpd_pki "$current" "$previous"
    return
  fi
  case $previous in
${withArgument.map((row) => `    ${dashed(row.key)}) ${bashArgument(row)}; return ;;`).join('\n')}
  esac
  local words='${OPTIONS.map((row) => dashed(row.key)).join(' ')}'
  if [ "$COMP_CWORD" -eq 1 ]; then words+=' pki'; fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o filenames -F _isakmpd isakmpd
`;

/** A completion function for zsh's completion system. */
export const zshCompletion = (): string => `#compdef isakmpd
# Written by \`npm run docs\`. zsh completion for isakmpd(8): copy to a directory of $fpath as _isakmpd
${zshPki()}_arguments -s -S \\
${OPTIONS.map((row) => `  ${zshOption(row)}`).join(' \\\n')} \\
  '1::command:(pki)'
`;

const bashArgument = ({ argument = '' }: OptionRow): string => {
  const words = wordsOf(argument);
  if (words.length > 0) return `mapfile -t COMPREPLY < <(compgen -W '${words.join(' ')}' -- "$current")`;
  if (isDirectory(argument)) return 'mapfile -t COMPREPLY < <(compgen -d -- "$current")';
  return isFile(argument) ? 'mapfile -t COMPREPLY < <(compgen -f -- "$current")' : 'COMPREPLY=()';
};

const zshOption = ({ key, argument, help, isRepeatable }: OptionRow): string => {
  const described = `[${zshEscaped(help)}]`;
  const times = isRepeatable ? '*' : '';
  if (argument === undefined) return quoted(`${times}${dashed(key)}${described}`);
  return quoted(
    `${times}${dashed(key)}${key.length === 1 ? '+' : '='}${described}:${zshEscaped(argument)}:${zshAction(argument)}`,
  );
};

const zshAction = (argument: string): string => {
  const words = wordsOf(argument);
  if (words.length > 0) return `(${words.join(' ')})`;
  if (isDirectory(argument)) return '_files -/';
  return isFile(argument) ? '_files' : ' ';
};

/** `text|json` names all there are. */
const wordsOf = (argument: string): readonly string[] => (argument.includes('|') ? argument.split('|') : []);
const isDirectory = (argument: string): boolean => argument === 'directory';
const isFile = (argument: string): boolean => argument === 'fifo' || argument.endsWith('-file');

const zshEscaped = (text: string): string => text.replaceAll(/[[\]:\\]/g, '\\$&');
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const withArgument = OPTIONS.filter((row) => row.argument !== undefined);
