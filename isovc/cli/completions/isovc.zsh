#compdef isovc
# Completes isovc in zsh: eval "$(isovc completion zsh)", or this as a file _isovc in a folder of $fpath
_isovc() {
    local line
    local -a found
    for line in "${(@f)$("${words[1]}" completion words -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
        [[ -n $line ]] && found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    if (( ${#found} )); then
        _describe isovc found
    else
        _files
    fi
}
if [[ ${funcstack[1]} == _isovc ]]; then
    _isovc "$@"
else
    compdef _isovc isovc
fi
