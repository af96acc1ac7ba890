#!/bin/sh
# The Makefile and its scripts: what they report where something is missing, and what they leave alone.
. "$(dirname "$0")/../lib.sh"
unset MAKEFLAGS MFLAGS V

# Only one file is compiled here, into a folder of its own.
build() {
    make -C "$ROOT" BUILD="$T/made" "$@"
}
exits 'a compiler that is missing' 2 build CC=no-such-cc all
is 'is one line that names scripts/deps' "$(grep -v '^make' "$T/err")" \
    'mien: no-such-cc not found; scripts/deps installs what the build needs'
exits 'libraries that are missing' 2 env PKG_CONFIG_LIBDIR=/nowhere make -C "$ROOT" BUILD="$T/made" all
like "pkg-config's errors are shown" "$(cat "$T/err")" 'libarchive'
like 'and scripts/deps is named' "$(cat "$T/err")" '^mien: libraries are missing; scripts/deps installs them$'
exits "the tests' library is missing" 2 env PKG_CONFIG_LIBDIR=/nowhere make -C "$ROOT" BUILD="$T/made" "$T/made/test.flags"
like 'scripts/deps test is named' "$(cat "$T/err")" '^mien: libraries are missing; scripts/deps test installs them$'

exits 'CPPFLAGS of the user come to those that are needed' 0 build CPPFLAGS=-DX=1 "$T/made/lib/util/hash.o"
like 'as the command shows' "$(cat "$T/out")" ' -Iinclude .* -DX=1 '
exits 'clean' 0 build clean
ok 'removes the folder that it was given' [ ! -e "$T/made" ]
ok 'and no other' [ -e "$BUILD/bin/mien-view" ]

finish
