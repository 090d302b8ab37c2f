# Written by `npm run docs`. bash completion for isakmpd(8): copy to /usr/share/bash-completion/completions/isakmpd
_isakmpd_pki() {
  local current=$1 previous=$2 words=
  case $previous in
    --config-file|-c) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --ec) mapfile -t COMPREPLY < <(compgen -W 'P-256 P-384 P-521' -- "$current"); return ;;
    --bits) COMPREPLY=(); return ;;
    --ca-dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
    --subject) COMPREPLY=(); return ;;
    --days) COMPREPLY=(); return ;;
    --key) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --out) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --serial) COMPREPLY=(); return ;;
    --reason) mapfile -t COMPREPLY < <(compgen -W 'keyCompromise cACompromise affiliationChanged superseded cessationOfOperation certificateHold privilegeWithdrawn aACompromise' -- "$current"); return ;;
  esac
  case ${COMP_WORDS[2]} in
    init) words='--config-file --ec --bits --force --help' ;;
    ca) words='--config-file --ca-dir --subject --days --ec --bits --force --help' ;;
    request) words='--config-file --key --subject --out --force --help' ;;
    sign) words='--config-file --ca-dir --subject --days --out --force --help' ;;
    crl) words='--config-file --ca-dir --serial --reason --days --out --help' ;;
    pubkey) words='--config-file --out --force --help' ;;
  esac
  if [ "$COMP_CWORD" -eq 2 ]; then
    mapfile -t COMPREPLY < <(compgen -W 'init ca request sign crl pubkey' -- "$current")
  elif [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}

_isakmpd() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  # bash takes --option=value for three words.
  if [ "$current" = = ]; then
    current=
  elif [ "$previous" = = ]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if [ "${COMP_WORDS[1]}" = pki ] && [ "$COMP_CWORD" -gt 1 ]; then
    _isakmpd_pki "$current" "$previous"
    return
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
  local words='-4 -6 -a -c -d -D -f -i -K -L -l -N -n -p -R -S -T -v --run-dir --allow-userland --check --capture-format --log-format --workers --help --version'
  if [ "$COMP_CWORD" -eq 1 ]; then words+=' pki'; fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o filenames -F _isakmpd isakmpd
