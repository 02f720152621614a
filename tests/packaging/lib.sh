# shellcheck shell=bash disable=SC2034  # what is set here is used by those who source it
# Shared by the scripts of this directory: counting, waiting, and a summary. Sourced, not run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
host=$(rustc -vV | sed -n 's/^host: //p')
machine=${host%%-*}
static=$target/$host/release/simplescalevm
dist=$target/dist
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml")
# Whatever is made here carries this in its name, and only that is removed again.
tag=simplescalevm-test-$$

passed=0 failed=0

# check NAME COMMAND...: one test; its output is shown when it fails.
check() {
    local test_name=$1 test_output
    shift
    if test_output=$("$@" 2>&1); then
        echo "ok    $test_name"
        passed=$((passed + 1))
    else
        echo "FAIL  $test_name"
        printf '      %s\n' "${test_output//$'\n'/$'\n'      }"
        failed=$((failed + 1))
    fi
}

# eventually SECONDS COMMAND...: polls until it succeeds; its last output is shown when it never does.
eventually() {
    local end=$((SECONDS + $1)) output
    shift
    until output=$("$@" 2>&1); do
        if ((SECONDS >= end)); then
            echo "never came true: $*"
            echo "$output"
            return 1
        fi
        sleep 0.2
    done
}

# says PATTERN COMMAND...: the command's output has a line that matches.
says() {
    local pattern=$1 output
    shift
    output=$("$@" 2>&1) || true
    grep -Eq -- "$pattern" <<<"$output" || { echo "no line matches $pattern in:"; echo "$output"; return 1; }
}

# exits STATUS COMMAND...
exits() {
    local wanted=$1 status=0
    shift
    "$@" || status=$?
    [[ $status == "$wanted" ]] || { echo "exit status $status, wanted $wanted"; return 1; }
}

# faster MILLISECONDS COMMAND...: says how long it took, too.
faster() {
    local limit=$1 begin took
    shift
    begin=$(date +%s%N)
    "$@"
    took=$((($(date +%s%N) - begin) / 1000000))
    echo "$took ms: $*" >>"${figures:-/dev/null}"
    ((took < limit)) || { echo "took $took ms, limit $limit"; return 1; }
}

# smaller BYTES SIZE
smaller() {
    echo "$2 bytes: ${3:-}" >>"${figures:-/dev/null}"
    (($2 < $1)) || { echo "$2 bytes, limit $1"; return 1; }
}

need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || { echo "$0: needs $tool" >&2; exit 1; }
    done
}

summary() {
    echo "$passed passed, $failed failed"
    ((failed == 0))
}
