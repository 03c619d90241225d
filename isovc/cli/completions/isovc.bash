# Completes isovc in bash: eval "$(isovc completion bash)"
_isovc() {
    local word about
    COMPREPLY=()
    while IFS=$'\t' read -r word about; do
        COMPREPLY+=("$(printf %q "$word")")
    done < <("$1" completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _isovc isovc
