# Written by `npm run docs`. bash completion for isakmpd(8): copy to /usr/share/bash-completion/completions/isakmpd
_isakmpd() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  # bash takes --option=value for three words.
  if [ "$current" = = ]; then
    current=
  elif [ "$previous" = = ]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case $previous in
    -c) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    -D) COMPREPLY=(); return ;;
    -f) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    -i) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    -l) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    -N) COMPREPLY=(); return ;;
    -p) COMPREPLY=(); return ;;
    -R) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --run-dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
    --capture-format) mapfile -t COMPREPLY < <(compgen -W 'pcap pcapng' -- "$current"); return ;;
    --log-format) mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$current"); return ;;
    --workers) COMPREPLY=(); return ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W '-4 -6 -a -c -d -D -f -i -K -L -l -N -n -p -R -S -T -v --run-dir --allow-userland --check --capture-format --log-format --workers --help --version' -- "$current")
}
complete -o filenames -F _isakmpd isakmpd
