# Makes and refreshes the project's own virtual environment. Sourced by the scripts beside it; knows nothing of what they run.
# After `environment EXTRA...` the folder is the project's, and $bin holds the environment's programs.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
bin=$venv/bin

fail() { # sentence, hint
    printf 'error: %s\n' "$1" >&2
    [ -z "${2:-}" ] || printf 'hint: %s\n' "$2" >&2
    exit 1
}

find_python() {
    local candidate
    for candidate in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    fail "isovc needs Python 3.11 or newer, and none was found" "install it, or name it: PYTHON=/path/to/python3.11 $0"
}

environment() {
    local python extras stamp wanted
    cd "$root"
    export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
    if [ ! -x "$bin/python" ] || ! "$bin/python" -c '' 2>/dev/null; then
        python=$(find_python)
        rm -rf "$venv"
        "$python" -m venv "$venv" || fail "$python could not make a virtual environment" "on Debian: apt-get install python3-venv"
    fi
    extras=$(IFS=,; printf '%s' "$*")
    stamp=$venv/installed-${extras:-nothing-more}
    wanted=$(cksum pyproject.toml; printf '%s' "$root") # an environment that was moved is installed again
    if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
        "$bin/python" -m pip install --quiet --editable ".${extras:+[$extras]}" ||
            fail "the Python packages could not be installed" "see pip's message above"
        printf '%s' "$wanted" >"$stamp"
    fi
}
