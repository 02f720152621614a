# shellcheck shell=bash
# Written by `make completions` from the table of options.
_simplescalevm() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    # Of `--output=json` the shell makes three words.
    [[ $before != = ]] || before=${COMP_WORDS[COMP_CWORD - 2]}
    [[ $word != = ]] || word= before=${COMP_WORDS[COMP_CWORD - 1]}
    case $before in
    --output) mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$word") ;;
    *) mapfile -t COMPREPLY < <(compgen -W '--once --dry-run --output --check --healthcheck --help --version -h -V' -- "$word") ;;
    esac
}
complete -F _simplescalevm simplescalevm
