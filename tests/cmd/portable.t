#!/bin/sh
# Other systems than Linux with glibc: what they lack is asked for, by #ifdef, before it is used.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
command -v gcc >/dev/null || { skip 'sources elsewhere' 'needs gcc'; finish; exit 0; }
elsewhere() { gcc -std=c17 -D_POSIX_C_SOURCE=200809L -Iinclude -Ilib -include tests/elsewhere.h "$@"; }

cd "$ROOT" || exit 2
for f in lib/util/*.c lib/fit/*.c lib/cli/*.c; do
    ! grep -q '^#if' "$f" || ok "$f elsewhere" elsewhere -fsyntax-only -Wall -Werror "$f"
done
elsewhere -E lib/layers/op_act.c >"$T/out"
ok 'one variant of a function is chosen by glibc alone' grep -q k_tail "$T/out"
is 'so that there is but one elsewhere' "$(grep -c target_clones "$T/out")" 0
finish
