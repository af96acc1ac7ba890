# TAP for the command tests: each .t file sources this, makes its checks and ends with `finish`.
# shellcheck shell=sh
# A test runs in a folder of its own ($T), removed at the end.

set -u
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
export ROOT
# Real data, and pretrained models (make models): tests skip what is not there.
DATA=${MIEN_DATA:-$ROOT/../shared/data}
MODELS=${MIEN_MODELS:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/mien}
export DATA MODELS
# The sets of labels are those of this tree, wherever it is built.
export MIEN_SHARE="$ROOT"
BUILD=$(cd "$ROOT" && cd "${BUILD:-build}" && pwd) || exit 2
PATH=$BUILD/bin:$BUILD/tests/tool:$PATH
export BUILD PATH
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
cd "$T" || exit 2
n=0

# ok NAME COMMAND...: the command succeeds.
ok() {
    n=$((n + 1)); name=$1; shift
    if "$@" >"$T/.out" 2>&1; then echo "ok $n - $name"
    else echo "not ok $n - $name"; echo "# failed: $*"; sed 's/^/# /' "$T/.out" | head -20; fi
}

# is NAME GOT WANTED: two texts are the same.
is() {
    n=$((n + 1))
    if [ "$2" = "$3" ]; then echo "ok $n - $1"
    else echo "not ok $n - $1"; printf '%s\n' "got:    $2" "wanted: $3" | sed 's/^/# /'; fi
}

# like NAME TEXT PATTERN: an extended regular expression matches a line of the text.
like() {
    n=$((n + 1))
    if printf '%s\n' "$2" | grep -Eq -e "$3"; then echo "ok $n - $1"
    else echo "not ok $n - $1"; printf '%s\n' "text:    $2" "pattern: $3" | sed 's/^/# /'; fi
}

# exits NAME STATUS COMMAND...: the command ends with this status; its standard output is kept in
# $T/out and its standard error in $T/err.
exits() {
    n=$((n + 1)); name=$1; want=$2; shift 2
    "$@" >"$T/out" 2>"$T/err"; got=$?
    if [ "$got" -eq "$want" ]; then echo "ok $n - $name"
    else echo "not ok $n - $name"; echo "# exit $got, wanted $want: $*"
        sed 's/^/# /' "$T/err" | head -20; fi
}

# records [STREAM]: a stream's records without its history, to compare.
records() {
    mien-view --format json --full "$@" | cksum
}

# inject_so: prints the path of a copy of tests/torture/inject.so without spaces, which LD_PRELOAD needs.
inject_so() {
    [ -e "$T/.inject.so" ] || cp "$BUILD/tests/torture/inject.so" "$T/.inject.so"
    echo "$T/.inject.so"
}

# failing CALL COMMAND...: runs it while a call fails, such as read:EIO:3: see tests/torture/inject.c.
failing() {
    call=$1; shift
    env LD_PRELOAD="$(inject_so)" INJECT="$call" "$@"
}

# skip NAME WHY: something that the test needs is absent.
skip() {
    n=$((n + 1)); echo "ok $n - $1 # SKIP $2"
}

# The checks that every program that reads records owes its users. ARGS go to the program.
# filter_contract PROGRAM STREAM ARGS...: STREAM is a file of records that it accepts.
filter_contract() {
    prog=$1; stream=$2; shift 2
    exits "$prog: empty input is not a stream" 2 sh -c '"$@" </dev/null' - "$prog" "$@"
    like "$prog: and says so" "$(cat "$T/err")" "^$prog: .*no input"
    head -c $(($(wc -c <"$stream") - 5)) "$stream" >"$T/.cut"
    exits "$prog: a stream cut short is fatal" 2 sh -c '"$@" <"$0"' "$T/.cut" "$prog" "$@"
    like "$prog: and says where" "$(cat "$T/err")" "^$prog: .*byte [0-9]+"
    exits "$prog: an unknown option is fatal" 2 "$prog" --no-such-option
    like "$prog: and points to --help" "$(cat "$T/err")" "^$prog: .*no-such-option"
    exits "$prog: --help" 0 "$prog" --help
    like "$prog: --help names it" "$(cat "$T/out")" "^usage: $prog"
    exits "$prog: --version" 0 "$prog" --version
    exits "$prog: a full disk is fatal" 2 sh -c '"$@" <"$0" >/dev/full' "$stream" "$prog" "$@"
    like "$prog: and says so" "$(cat "$T/err")" "^$prog: .*No space left"
}

# finish: the plan.
finish() {
    echo "1..$n"
}
