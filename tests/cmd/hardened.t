#!/bin/sh
# The default build: what makes errors in memory harder to exploit is in every program and the library.
. "$(dirname "$0")/../lib.sh"
unset MAKEFLAGS MFLAGS V

if grep -q __asan_init "$BUILD/bin/mien-view"; then
    hardened='sanitizers have checks of their own'
elif [ "${HARDEN:-1}" = 0 ]; then
    hardened='HARDEN=0'
elif ! command -v readelf >/dev/null; then
    hardened='needs readelf'
else
    hardened=
fi

# every NAME PATTERN COMMAND FILE...: the command prints a line with the pattern about each file.
every() {
    name=$1 pattern=$2 command=$3; shift 3
    if [ -n "$hardened" ]; then skip "$name" "$hardened"; return; fi
    without=
    for f in "$@"; do $command "$f" | grep -Eq -e "$pattern" || without="$without ${f##*/}"; done
    is "$name" "$without" ''
}
set -- "$BUILD"/bin/mien-*
ok 'all programs are there' [ $# -ge 15 ]
every 'programs can be loaded anywhere' 'FLAGS_1.* PIE' 'readelf -dW' "$@"
set -- "$@" "$BUILD"/libmien.so.*
every 'all symbols are bound at the start' 'FLAGS_1.* NOW' 'readelf -dW' "$@"
every 'their table is then read-only' '^ *GNU_RELRO' 'readelf -lW' "$@"
every 'no stack is executable' '^ *GNU_STACK .* RW +0x' 'readelf -lW' "$@"
every 'overwritten stacks are noticed' ' __stack_chk_fail' 'readelf -sW' "$@"
every 'copies of known size are checked' ' __[a-z]+_chk@' 'readelf --dyn-syms -W' "$@"

# flags NAME=VALUE...: prints those that make would use; what it prints itself is an error.
flags() {
    rm -rf made
    make -s -C "$ROOT" BUILD="$T/made" "$@" "$T/made/harden.flags" && cat made/harden.flags
}
like 'copies are checked' "$(flags CFLAGS=-O2)" '^-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=[23]$'
like 'and the stack' "$(flags CFLAGS=-O2)" '^-fstack-protector-strong$'
like "_FORTIFY_SOURCE of the user's" "$(flags CPPFLAGS=-D_FORTIFY_SOURCE=2 CFLAGS=-O2)" 'FORTIFY_SOURCE=2$'
is 'and another' "$(flags CPPFLAGS=-D_FORTIFY_SOURCE=1 CFLAGS=-O2 | grep FORTIFY)" ''

# compiled NAME=VALUE...: prints how make compiles and links.
compiled() {
    rm -rf made
    make -n --no-print-directory -C "$ROOT" BUILD="$T/made" V=1 "$@" "$T/made/bin/mien-view"
}
is 'HARDEN=0 leaves all of it out' "$(compiled HARDEN=0 | grep -E 'harden|relro| -pie')" ''
is 'so does a sanitizer' "$(compiled SAN=-fsanitize=address | grep -E 'harden|relro| -pie')" ''
like "the user's flags come last" "$(compiled LDFLAGS=-no-pie)" ' -Wl,-z,relro,-z,now,-z,noexecstack -pie -no-pie '

finish
